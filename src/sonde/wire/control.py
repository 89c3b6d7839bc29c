"""What the server and an agent say to each other over the agent's WebSocket; docs/debugger.md has it as a table.

Text messages are JSON objects with a `type`, binary ones are pieces of artifacts. Each side reads with `agent_message`,
`server_message` and `Piece.parse`, which raise MessageError for whatever is not as it should be.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NotRequired, TypedDict, cast

from sonde.wire.checked import WrongShapeError, checked
from sonde.wire.tools import MAX_PIECE_BYTES, MAX_SECONDS

PATH = "/api/v1/control"
PROTOCOL = 1
HEARTBEAT_S = 10.0
SUSPECT_AFTER, LOST_AFTER = 3, 6
"""Heartbeats that were missed."""
MAX_MESSAGE_BYTES = 4 << 20
MAX_ARTIFACTS = 32
ASK = "tools"
"""In place of a tool's name: the process shall say what it can do. It switches nothing on."""

_HEAD = struct.Struct("<H")


class MessageError(ValueError):
    """What came is no message of this protocol."""


# -- what messages are made of ----------------------------------------------------------------------------------------
Id = Annotated[str, re.compile(r"[A-Za-z0-9-]{1,64}")]
ManualId = Annotated[str, re.compile(r"[0-9a-f]{32}")]
NodeId = Annotated[str, re.compile(r"[A-Za-z0-9._:-]{1,128}")]
FileName = Annotated[str, re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")]
Name = Annotated[str, 255]
Line = Annotated[str, 4096]
Word = Annotated[str, re.compile(r"[a-z][a-z_]{0,31}")]
Sha256 = Annotated[str, re.compile(r"[0-9a-f]{64}")]
Count = Annotated[int, (0, 1 << 62)]
Pid = Annotated[int, (1, (1 << 31) - 1)]
Moment = Annotated[str, re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)]
"""RFC 3339, UTC."""


class ToolState(TypedDict):
    """What a tool can do in a process; docs/debugger.md names the members."""

    name: Word
    available: bool
    why_not: Line
    unlock: Line
    exact: Line
    approximate: Line
    options: dict[str, Any]
    running: NotRequired[bool]


class Artifact(TypedDict):
    """A file that a run made."""

    name: FileName
    media_type: Name
    bytes: Count
    sha256: Sha256


class Started(TypedDict):
    """The tool runs."""

    event: Literal["started"]
    tool: NotRequired[Name]
    seconds: NotRequired[float]


class Progress(TypedDict):
    """It runs still."""

    event: Literal["progress"]
    seconds: float
    of: float
    note: Line


class Result(TypedDict):
    """The run is over."""

    event: Literal["result"]
    document: dict[str, Any]
    artifacts: Annotated[list[Artifact], MAX_ARTIFACTS]


class Failed(TypedDict):
    """The run is over, without a result."""

    event: Literal["failed"]
    reason: Word
    message: Line


class Tools(TypedDict):
    """The answer to ASK; the run is over."""

    event: Literal["tools"]
    tools: Annotated[list[ToolState], 64]


Event = Started | Progress
End = Result | Failed | Tools


class Process(TypedDict):
    """A process that an agent sees."""

    pid: Pid
    service: Name
    instance: Name
    uid: int
    language: Name
    command: Line
    probe_version: Name
    native: bool
    connected_at: Moment
    tools: Annotated[list[ToolState], 64] | None


class Job(TypedDict):
    """What the server signs: `body` of a `job`, as JSON text."""

    id: Id
    node: NodeId
    app: Id
    pid: Pid
    instance: Name
    tool: Word
    options: dict[str, Any]
    seconds: Annotated[float, (0, MAX_SECONDS)]
    by: Name
    issued_at: Moment
    expires_at: Moment
    nonce: Id


# -- from the agent ---------------------------------------------------------------------------------------------------
class Hello(TypedDict):
    """The first message of a connection."""

    type: Literal["hello"]
    protocol: int
    node: NodeId
    host: Name
    agent_version: Name
    instance: Id
    capabilities: Annotated[list[Name], 64]
    jobs: Annotated[list[Id], 1024]


class Heartbeat(TypedDict):
    """Somebody is there. From both sides."""

    type: Literal["heartbeat"]
    time: Moment


class Processes(TypedDict):
    """Every process the agent sees, in place of the list before."""

    type: Literal["processes"]
    items: Annotated[list[Process], 4096]


class Accepted(TypedDict):
    """The job is begun."""

    type: Literal["accepted"]
    job: Id


class Refused(TypedDict):
    """The job is not, and will not be."""

    type: Literal["refused"]
    job: Id
    reason: Word
    message: Line


class Output(TypedDict):
    """How a job goes."""

    type: Literal["output"]
    job: Id
    seq: Count
    event: Event


class Done(TypedDict):
    """How it ended; every artifact has been received."""

    type: Literal["done"]
    job: Id
    seq: Count
    event: End


class Manual(TypedDict):
    """A program of this host has run a tool by itself: what came of it follows as that of a job."""

    type: Literal["manual"]
    job: ManualId
    name: Name
    pid: Pid
    service: Name
    instance: Name
    tool: Word
    options: dict[str, Any]
    seconds: Annotated[float, (0, MAX_SECONDS)]
    started_at: Moment


# -- from the server --------------------------------------------------------------------------------------------------
class Welcome(TypedDict):
    """The answer to `hello`."""

    type: Literal["welcome"]
    heartbeat_s: Annotated[float, (0.05, 3600)]
    public_key: Annotated[str, 64]
    time: Moment


class SignedJob(TypedDict):
    """A job, and who says so. One that nobody has signed is read, so that the agent can say why it refuses it."""

    type: Literal["job"]
    body: Annotated[str, 64 << 10]
    signature: NotRequired[Annotated[str, 128]]


class Settled(TypedDict):
    """The server wants nothing more of this job: what is left of it may be thrown away, what runs ended."""

    type: Literal["settled"]
    job: Id


class Received(TypedDict):
    """Everything before `offset` is stored."""

    type: Literal["received"]
    job: Id
    name: FileName
    offset: Count


class Cancel(TypedDict):
    """End a job early, with its result or without."""

    type: Literal["cancel"]
    job: Id
    how: Literal["stop", "abort"]


AgentMessage = Hello | Heartbeat | Processes | Accepted | Refused | Output | Done | Manual
ServerMessage = Welcome | Heartbeat | SignedJob | Settled | Received | Cancel

_FROM_AGENT: dict[str, type] = {
    "hello": Hello,
    "heartbeat": Heartbeat,
    "processes": Processes,
    "accepted": Accepted,
    "refused": Refused,
    "output": Output,
    "done": Done,
    "manual": Manual,
}
_FROM_SERVER: dict[str, type] = {
    "welcome": Welcome,
    "heartbeat": Heartbeat,
    "job": SignedJob,
    "settled": Settled,
    "received": Received,
    "cancel": Cancel,
}


def agent_message(text: str) -> AgentMessage:
    """What an agent said. Raises MessageError."""
    return cast("AgentMessage", _message(text, _FROM_AGENT))


def server_message(text: str) -> ServerMessage:
    """What the server said. Raises MessageError."""
    return cast("ServerMessage", _message(text, _FROM_SERVER))


def job_body(text: str) -> Job:
    """What is signed of a job. Raises MessageError."""
    return cast("Job", _checked(_object(text, "a job"), Job, "job"))


def encoded(message: AgentMessage | ServerMessage) -> str:
    """A message as it travels."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False)


def encoded_job(body: Job) -> str:
    """What is signed of a job."""
    return json.dumps(body, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an artifact. `total` is the size of the whole."""

    job: str
    name: str
    offset: int
    total: int
    data: bytes

    def encoded(self) -> bytes:
        """The binary message."""
        head = {
            "job": self.job,
            "name": self.name,
            "offset": self.offset,
            "sha256": hashlib.sha256(self.data).hexdigest(),
            "total": self.total,
        }
        facts = json.dumps(head, separators=(",", ":")).encode()
        return _HEAD.pack(len(facts)) + facts + self.data

    @classmethod
    def parse(cls, message: bytes) -> Piece:
        """Raises MessageError, also where the digest is not that of the data."""
        if len(message) < _HEAD.size:
            raise MessageError("a piece of an artifact: cut short")
        (length,) = _HEAD.unpack_from(message)
        end = _HEAD.size + length
        if len(message) < end:
            raise MessageError("a piece of an artifact: cut short")
        head = cast("_PieceHead", _checked(_object(message[_HEAD.size : end], "a piece"), _PieceHead, "piece"))
        data = message[end:]
        if len(data) > MAX_PIECE_BYTES:
            raise MessageError(f"a piece of {len(data)} bytes; the most is {MAX_PIECE_BYTES}")
        if head["offset"] + len(data) > head["total"]:
            raise MessageError(f"a piece of {head['name']} reaches past its end")
        if hashlib.sha256(data).hexdigest() != head["sha256"]:
            raise MessageError(f"a piece of {head['name']} at {head['offset']} is damaged")
        return cls(head["job"], head["name"], head["offset"], head["total"], data)


class _PieceHead(TypedDict):
    job: Id
    name: FileName
    offset: Count
    sha256: Sha256
    total: Count


def moment(time: datetime) -> str:
    """An aware datetime as it travels."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parsed_moment(text: str) -> datetime:
    """The datetime that a checked Moment stands for. Raises MessageError for one that no calendar has."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise MessageError(f"{text!r} is no moment") from None


def _message(text: str, kinds: dict[str, type]) -> object:
    facts = _object(text, "a message")
    word = facts.get("type")
    kind = kinds.get(word) if isinstance(word, str) else None
    if kind is None:
        raise MessageError(f"no message of this protocol: type {str(word)[:40]!r}")
    return _checked(facts, kind, cast("str", word))


def _checked(facts: dict[str, Any], kind: type, place: str) -> object:
    try:
        return checked(facts, kind, place)
    except WrongShapeError as error:
        raise MessageError(str(error)) from None


def _object(raw: str | bytes, what: str) -> dict[str, Any]:
    """The JSON object in `raw`; in its texts, halves of surrogate pairs are replaced: nobody could write them down."""
    try:
        facts = json.loads(raw, parse_float=_finite, parse_constant=_no_number)
        if (b"\\u" if isinstance(raw, bytes) else "\\u") in raw:  # type: ignore[operator]  # both of one kind
            facts = _whole(facts)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"{what}: not JSON: {error}") from None
    if not isinstance(facts, dict):
        raise MessageError(f"{what}: not a JSON object")
    return facts


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:20]} is too large")
    return number


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(entry) for entry in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(entry) for name, entry in value.items()}
    return value
