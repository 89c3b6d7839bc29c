"""A profile in the forms that other programs read: pprof, collapsed stacks, speedscope's JSON."""

from __future__ import annotations

import gzip
import json
import os.path
from typing import TYPE_CHECKING

from sonde.wire.profile import NO_PARENT
from sonde.wire.protobuf import integer, message, text, varint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sonde.wire.profile import Frame, Profile

MEDIA_TYPES = {
    "pprof": "application/octet-stream",
    "collapsed": "text/plain; charset=utf-8",
    "speedscope": "application/json",
}
FILE_NAMES = {"pprof": "profile.pb.gz", "collapsed": "profile.collapsed.txt", "speedscope": "profile.speedscope.json"}


def exported(profile: Profile, form: str) -> bytes:
    """`form` is one of MEDIA_TYPES. KeyError: there is no such form."""
    return {"pprof": pprof, "collapsed": collapsed, "speedscope": speedscope}[form](profile)


# -- pprof: https://github.com/google/pprof/blob/main/proto/profile.proto --


class _Strings:
    def __init__(self) -> None:
        self.known = {"": 0}

    def __getitem__(self, value: str) -> int:
        return self.known.setdefault(value, len(self.known))


def _packed(field: int, values: Iterable[int]) -> bytes:
    return message(field, b"".join(map(varint, values)))


def _value_types(profile: Profile) -> list[tuple[str, str]]:
    if profile.unit == "nanoseconds":
        return [("samples", "count"), ("cpu" if profile.tool == "cpu" else "wall", "nanoseconds")]
    if profile.unit == "bytes":
        return [("objects", "count"), ("space", "bytes")]
    return [("samples", "count"), ("weight", "count")]


def pprof(profile: Profile) -> bytes:
    """Gzipped. Each sample has its count and its weight; a location is a function and a line that ran."""
    strings = _Strings()
    out: list[bytes] = []
    for kind, unit in _value_types(profile):
        out.append(message(1, integer(1, strings[kind]) + integer(2, strings[unit])))
    locations: dict[tuple[int, int], int] = {}
    of_node = [locations.setdefault((node.frame, node.line), len(locations) + 1) for node in profile.nodes]
    for at, weight, count in profile.samples:
        stack = (of_node[node] for node in _inwards_out(profile, at))
        out.append(message(2, _packed(1, stack) + _packed(2, (count, weight))))
    for (function, line), number in locations.items():
        out.append(message(4, integer(1, number) + message(4, integer(1, function + 1) + integer(2, line))))
    for number, frame in enumerate(profile.frames, start=1):
        name = strings[frame.name]
        body = integer(1, number) + integer(2, name) + integer(3, name) + integer(4, strings[frame.file])
        out.append(message(5, body + integer(5, frame.first_line)))
    kind, unit = _value_types(profile)[1]
    period = message(11, integer(1, strings[kind]) + integer(2, strings[unit])) + integer(12, profile.period_ns)
    out += [integer(10, profile.duration_ns), period, integer(14, strings[kind])]
    out += [text(6, value) for value in strings.known]
    return gzip.compress(b"".join(out), mtime=0)


def _inwards_out(profile: Profile, node: int) -> Iterable[int]:
    while node != NO_PARENT:
        yield node
        node = profile.nodes[node].parent


# -- text --


def _label(frame: Frame, line: int) -> str:
    """As flame graph programs have it; what separates frames and lines in the format is replaced."""
    place = f" ({os.path.basename(frame.file)}:{line or frame.first_line})" if frame.file else ""  # noqa: PTH119
    return (frame.name + place).replace(";", ":").replace("\n", " ").replace("\r", " ") or "?"


def collapsed(profile: Profile) -> bytes:
    """A line per stack: frames from the outermost on, with `;` between, a space and the weight."""
    names = [_label(profile.frames[node.frame], node.line) for node in profile.nodes]
    weights: dict[str, int] = {}
    for at, weight, _ in profile.samples:
        stack = ";".join(names[node] for node in reversed(list(_inwards_out(profile, at))))
        weights[stack] = weights.get(stack, 0) + weight
    return "".join(f"{stack} {weight}\n" for stack, weight in weights.items()).encode("utf-8", "replace")


# -- https://github.com/jlfwong/speedscope/wiki/Importing-from-custom-sources --


def speedscope(profile: Profile) -> bytes:
    """One sampled profile; frames are functions, as its sandwich view wants them."""
    frames = [{"name": frame.name, "file": frame.file, "line": frame.first_line} for frame in profile.frames]
    stacks = [
        [profile.nodes[node].frame for node in reversed(list(_inwards_out(profile, at)))]
        for at, _, _ in profile.samples
    ]
    weights = [weight for _, weight, _ in profile.samples]
    document = {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "name": f"sonde {profile.tool}",
        "exporter": "sonde",
        "shared": {"frames": frames},
        "profiles": [
            {
                "type": "sampled",
                "name": profile.tool,
                "unit": "none" if profile.unit == "count" else profile.unit,
                "startValue": 0,
                "endValue": sum(weights),
                "samples": stacks,
                "weights": weights,
            }
        ],
    }
    return json.dumps(document, separators=(",", ":")).encode("utf-8", "replace")
