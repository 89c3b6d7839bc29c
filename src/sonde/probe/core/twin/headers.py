"""What an outgoing request carries: `traceparent` and `sw8` are written here, everything else by propagation.py."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from sonde.probe.core.twin.encode import cut_text
from sonde.wire import sw8

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sonde.probe.core.twin.span import Span

    More = Callable[[Span, str | None], Iterable[tuple[str, str]]]


MAX_ENDPOINT_BYTES, MAX_PEER_BYTES = 150, 256


class _Written:
    w3c = True
    sw8: bytes | None = None
    """Service and instance as sw8 has them; None: sw8 is not written."""
    sw8_always = False
    more: More | None = None
    """The other headers."""
    always = False
    """Whether there are some of a span that carries nothing."""


_written = _Written()


def propagate(w3c: bool, sw8_self: bytes | None, sw8_always: bool, more: More | None, always: bool, /) -> None:
    """Which headers are written. sw8, if not always, in those traces that came by it."""
    _written.w3c, _written.sw8, _written.sw8_always = w3c, sw8_self, sw8_always
    _written.more, _written.always = more, always


def _field(text: str, max_bytes: int) -> str:
    return base64.b64encode(cut_text(text, max_bytes)).decode()


def written(span: Span, peer: str | None) -> list[tuple[str, str]]:
    """Names and values. In sw8 the segment is named by the span's id, its span is number 0."""
    pairs = [("traceparent", span.traceparent())] if _written.w3c else []
    carried = span.carried
    theirs = getattr(carried, "sw8_trace_id", None)
    if _written.sw8 is not None and (_written.sw8_always or theirs is not None):
        trace = theirs or span.trace_id
        ids = f"{sw8.encoded(trace)}-{sw8.encoded(span.span_id)}-0-{_written.sw8.decode()}"
        names = f"{_field(span.endpoint(), MAX_ENDPOINT_BYTES)}-{_field(peer or '', MAX_PEER_BYTES)}"
        pairs.append(("sw8", f"{int(span.sampled)}-{ids}-{names}"))
    if _written.more is not None and (carried is not None or _written.always):
        pairs += _written.more(span, peer)
    return pairs
