"""What `make fuzz` starts from, and what it once found: every decoder answers each of them."""

from pathlib import Path

import pytest
from decoders import all_decoders
from decoders_skywalking import check_spool
from json_changes import changed

DECODERS = all_decoders()
FOUND = Path(__file__).parent / "found"
CASES = [(name, path) for name in DECODERS for path in sorted((FOUND / name).glob("*"))]


@pytest.mark.parametrize("name", DECODERS)
def test_what_real_senders_send_is_answered(name):
    seeds = list(DECODERS[name].seeds())

    assert seeds
    for seed in (b"", *seeds):
        DECODERS[name].run(seed)


@pytest.mark.parametrize(("name", "path"), CASES, ids=lambda it: getattr(it, "name", it))
def test_what_was_found_once_is_answered(name, path):
    DECODERS[name].run(path.read_bytes())


@pytest.mark.parametrize("name", [name for name, decoder in DECODERS.items() if decoder.json])
def test_documents_that_were_changed_are_answered(name):
    """A short run of what `make fuzz` does for longer."""
    decoder = DECODERS[name]
    seeds = list(decoder.seeds())
    made = 0
    for at in range(300):
        seed = seeds[at % len(seeds)]
        document = changed(seed[decoder.head :], at)
        if document is not None:
            made += 1
            decoder.run(seed[: decoder.head] + document)
    assert made > 200


def test_what_is_in_the_spool_in_the_end_a_parser_reads():
    for name in ("skywalking-grpc", "skywalking-http"):
        for seed in DECODERS[name].seeds():
            DECODERS[name].run(seed)

    check_spool()
