"""SkyWalking's propagation headers, version 3: `sw8` and `sw8-correlation`.

Source: https://skywalking.apache.org/docs/main/next/en/api/x-process-propagation-headers-v3/. Their ids are texts of
any form, ours are 16 and 8 bytes. A trace id of 32 hex digits is taken as it is, any other becomes its MD5; a segment
id of 16 hex digits with span 0 is a span id of ours, any other becomes the first half of the MD5 of
`instance:segment:span`, for segment ids of two PHP hosts can be the same (docs/decisions/0010). The same is said in SQL
where SkyWalking's segments are read, server/store/schema/150_intake_segments.sql.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

_OUR_TRACE = re.compile(r"[0-9a-f]{32}")
_OUR_SEGMENT = re.compile(r"[0-9a-f]{16}")
_MAX_SPAN = (1 << 31) - 1
_FIELDS = 8
MAX_BYTES = 2048
MAX_CORRELATIONS, MAX_CORRELATION_CHARS = 3, 128
MAX_NAME_CHARS = 50


class Sw8(NamedTuple):
    """A caller, as it calls itself."""

    sampled: bool
    trace_id: str
    segment_id: str
    parent_span: int
    service: str
    instance: str
    endpoint: str
    address: str

    def ids(self) -> tuple[bytes, bytes]:
        """Trace and parent span as ours: 16 and 8 bytes."""
        return trace_id_of(self.trace_id), span_id_of(self.instance, self.segment_id, self.parent_span)


def trace_id_of(text: str) -> bytes:
    """The 16 bytes of a trace id of theirs."""
    return bytes.fromhex(text) if _OUR_TRACE.fullmatch(text) else _md5(text)


def span_id_of(instance: str, segment_id: str, span: int) -> bytes:
    """The 8 bytes of a span of theirs. `instance`: the service instance whose segment it is, as it calls itself."""
    if span == 0 and _OUR_SEGMENT.fullmatch(segment_id):
        return bytes.fromhex(segment_id)
    return _md5(f"{instance}:{segment_id}:{span}")[:8]


def _md5(text: str) -> bytes:
    import hashlib  # noqa: PLC0415 - not for every process: only callers that are not ours need it

    return hashlib.md5(text.encode(), usedforsecurity=False).digest()


def encoded(text: str) -> str:
    """A field: standard base64 of UTF-8."""
    return base64.b64encode(text.encode("utf-8", "replace")).decode()


def _decoded(field: str) -> str:
    """Raises ValueError. Padding is optional."""
    return base64.b64decode(field + "=" * (-len(field) % 4), validate=True).decode()


def parse(header: str) -> Sw8 | None:
    """What the header says; None where it breaks a rule, and a fresh trace has to be started."""
    fields = header.strip().split("-")
    if len(fields) != _FIELDS or fields[0] not in {"0", "1"} or not (fields[3].isascii() and fields[3].isdecimal()):
        return None
    span = int(fields[3]) if len(fields[3]) <= 10 else _MAX_SPAN + 1
    try:
        trace, segment, service, instance, endpoint, address = map(_decoded, fields[1:3] + fields[4:])
    except (ValueError, binascii.Error):
        return None
    if span > _MAX_SPAN or not (trace and segment and service and instance) or trace == "0" * 32:
        return None
    return Sw8(fields[0] == "1", trace, segment, span, service, instance, endpoint, address)


def written(caller: Sw8) -> str:
    """The header; empty where it would be longer than agents read."""
    texts = (caller.service[:MAX_NAME_CHARS], caller.instance[:MAX_NAME_CHARS], caller.endpoint[:150], caller.address)
    head = (str(int(caller.sampled)), encoded(caller.trace_id), encoded(caller.segment_id), str(caller.parent_span))
    header = "-".join((*head, *map(encoded, texts)))
    return header if len(header) < MAX_BYTES else ""


def parse_correlation(header: str) -> dict[str, str]:
    """`sw8-correlation`. What is no pair, or too much, is left out; an empty value is none."""
    found: dict[str, str] = {}
    for pair in header.split(","):
        key, colon, value = pair.strip().partition(":")
        if not colon or ":" in value:
            continue
        try:
            name, text = _decoded(key), _decoded(value)
        except (ValueError, binascii.Error):
            continue
        if name and text and len(text) <= MAX_CORRELATION_CHARS and (name in found or len(found) < MAX_CORRELATIONS):
            found[name] = text
    return found


def written_correlation(values: dict[str, str]) -> str:
    """The header of the first few values that fit; empty without any."""
    fitting = [(key, value) for key, value in values.items() if value and len(value) <= MAX_CORRELATION_CHARS]
    return ",".join(f"{encoded(key)}:{encoded(value)}" for key, value in fitting[:MAX_CORRELATIONS])
