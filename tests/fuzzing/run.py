"""One decoder under atheris, which lets inputs grow where they reach new code; scripts/fuzz runs all of them.

run.py FILE DECODER CORPUS [libFuzzer's options and more corpora …]; run.py --list

Seeds are written into CORPUS, and so is whatever reached something new. What fails is left as a file, to be moved to
tests/fuzzing/found/DECODER with the fix: test_fuzzing_decoders.py runs those ever after.
"""

import sys
from pathlib import Path

from decoders import FILES, decoders_of
from json_changes import changed


def mutated(decoder, atheris):
    """Changes of bytes, as libFuzzer makes them, and of JSON."""

    def mutate(data, max_size, seed):
        if seed % 4:
            made = changed(bytes(data[decoder.head :]), seed)
            if made is not None and len(made) + decoder.head <= max_size:
                return bytes(data[: decoder.head]) + made
        return atheris.Mutate(data, max_size)  # which is another one before Fuzz()

    return mutate


def main(file, name, corpus, *options):
    import atheris

    with atheris.instrument_imports(include=["sonde"]):
        decoder = decoders_of(file)[name]
    folder = Path(corpus)
    folder.mkdir(parents=True, exist_ok=True)
    for at, seed in enumerate(decoder.seeds()):
        (folder / f"seed-{at}").write_bytes(seed)
    limits = [f"-max_len={decoder.longest}", "-timeout=10", "-rss_limit_mb=2048"]
    of_json = {"custom_mutator": mutated(decoder, atheris)} if decoder.json else {}
    atheris.Setup([sys.argv[0], *limits, corpus, *options], decoder.run, **of_json)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        sys.stdout.writelines(f"{file} {name}\n" for file in FILES for name in decoders_of(file))
    else:
        main(*sys.argv[1:])
