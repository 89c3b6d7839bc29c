"""The generated module is kept; it must be of the .proto beside it."""

import hashlib
from pathlib import Path

from sonde.server.intake import skywalking
from sonde.server.intake.skywalking import skywalking_pb2 as pb

FOLDER = Path(skywalking.__file__).parent
STORE_PROTO = FOLDER.parents[1] / "store" / "schema" / "otlp.proto"


def test_the_generated_module_is_made_of_the_proto_beside_it():
    """`scripts/protobuf` makes it; this fails when somebody changed the .proto and did not run it."""
    digest = hashlib.sha256((FOLDER / "skywalking.proto").read_bytes()).hexdigest()

    first_line = (FOLDER / "skywalking_pb2.py").read_text().partition("\n")[0]

    assert digest in first_line


def test_intake_and_store_agree_on_segments():
    """The store reads with a .proto of its own: what one field is to it, it is here."""
    text = STORE_PROTO.read_text().partition("SegmentCollection { repeated")[2]
    for message in (pb.SegmentObject, pb.SpanObject, pb.SegmentReference):
        body = text.partition(f"message {message.DESCRIPTOR.name} {{")[2].partition("}")[0]
        theirs = {
            words[-3].replace("_", "").lower(): int(words[-1]) for words in map(str.split, body.split(";")) if words
        }
        ours = {field.name.lower(): field.number for field in message.DESCRIPTOR.fields}
        assert theirs
        assert theirs.items() <= ours.items(), message.DESCRIPTOR.name
