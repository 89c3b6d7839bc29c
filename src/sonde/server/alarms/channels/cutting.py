"""Receivers take messages of a certain length: whole alarms are left out, and the message says how many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.server.alarms import wording

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.server.alarms.telling import Told
    from sonde.server.alarms.wording import Message

_ROOM_FOR_MORE = 80


def text_of(message: Message, paragraph: Callable[[Told], str], most_bytes: int, between: str = "\n\n") -> str:
    """A paragraph for each alarm, at most so many bytes of UTF-8. Of one that alone is too long the end is cut off."""
    if message.is_test:
        return wording.test_line(message)
    text, left = "", most_bytes - _ROOM_FOR_MORE
    for number, told in enumerate(message.alarms):
        said = (between if text else "") + paragraph(told)
        size = len(said.encode())
        if size > left and text:
            return text + between + wording.more_line(message, len(message.alarms) - number)
        if size > left:
            said = said.encode()[:left].decode("utf-8", "ignore") + "…"
        text, left = text + said, left - size
    return text
