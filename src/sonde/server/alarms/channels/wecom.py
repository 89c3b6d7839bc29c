"""WeCom's group robots: Markdown. The key in the address is all there is to signing.

Source: https://developer.work.weixin.qq.com/document/path/91770; a text has at most 4096 bytes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sonde.server.alarms import wording
from sonde.server.alarms.channels.cutting import text_of
from sonde.server.alarms.outgoing import Request

if TYPE_CHECKING:
    from datetime import datetime

    from sonde.server.alarms.telling import Told
    from sonde.server.alarms.wording import Message
    from sonde.server.reports.alarms import AlarmNotifierDocument

MOST_BYTES = 4096


def request(notifier: AlarmNotifierDocument, message: Message, now: datetime) -> Request:  # noqa: ARG001 - as the others
    """`mentions` are ids of people, or `all`."""

    def paragraph(told: Told) -> str:
        link = message.link(told)
        name = wording.name_of(message, told)
        lines = [f"**[{name}]({link})**" if link else f"**{name}**"]
        return "\n".join([*lines, *(f"> {line}" for line in wording.lines(message, told))])

    title = f"## {wording.title(message)}\n"
    mentions = "".join(f"\n<@{name}>" for name in notifier.mentions)
    room = MOST_BYTES - len((title + mentions).encode())
    content = title + text_of(message, paragraph, room, "\n\n") + mentions
    return Request(
        notifier.url, json.dumps({"msgtype": "markdown", "markdown": {"content": content}}, ensure_ascii=False).encode()
    )
