"""Lines of SkyAPM 3: refused with a reason, or a segment that the server's parser reads."""

import json
from pathlib import Path

from decoder import Decoder

from sonde.agent.skyapm.instances import Instance, Instances
from sonde.agent.skyapm.lines import Asked, LineError, read
from sonde.agent.skyapm.translate import segment_object
from sonde.server.intake.skywalking.segments import spans_of_one
from sonde.server.intake.skywalking.skywalking_pb2 import SegmentObject

CAPTURE = Path(__file__).parents[1] / "skywalking" / "data" / "capture.jsonl"
INSTANCES = Instances(Path("/nonexistent/instances.json"))


def lines(data):
    try:
        said = read(data)
        if isinstance(said, Asked):
            answer = Instance(said.app_code, said.pid, said.version, "u", 1, 2).answer()
            assert answer.count(b",") == 2
            return
        segment = segment_object(said.message, *INSTANCES.sender_of(said))
    except LineError as error:
        assert error.reason
        return
    assert spans_of_one(segment) == len(SegmentObject.FromString(segment).spans) > 0


def recorded():
    exchanges = map(json.loads, CAPTURE.read_text("utf-8").splitlines())
    return [it["line"].rstrip("\n").encode() for it in exchanges if it.get("transport") == "unix"]


DECODERS = (Decoder("skyapm", lines, recorded, json=True, head=1, longest=16_384),)
