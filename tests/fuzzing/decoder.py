"""A decoder as it is fuzzed: bytes go in, and what must hold of whatever becomes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True)
class Decoder:
    """`run` raises for a finding, and only then: the decoder's own refusal is an answer."""

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    """What real senders send, and what has been found."""
    json: bool = False
    """It is JSON behind `head` bytes, which is to be changed as JSON most of the time."""
    head: int = 0
    longest: int = 4096
    """Bytes of an input."""


def chosen(data: bytes, choices: int) -> tuple[int, bytes]:
    """The first byte chooses, the rest is the input."""
    return (data[0] % choices, data[1:]) if data else (0, b"")


def text_of(data: bytes) -> str:
    """Bytes of a header as servers make text of them."""
    return data.decode("latin-1") if data[:1] < b"\xc0" else data.decode("utf-8", "surrogateescape")
