"""Feishu's (Lark's) group robots: a card.

Source: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot. With signing, `sign` is the base64 of the
HMAC-SHA256 of nothing, with the time in seconds, a line feed and the secret as its key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from sonde.server.alarms import wording
from sonde.server.alarms.channels.cutting import text_of
from sonde.server.alarms.outgoing import Request

if TYPE_CHECKING:
    from datetime import datetime

    from sonde.server.alarms.telling import Told
    from sonde.server.alarms.wording import Message
    from sonde.server.reports.alarms import AlarmNotifierDocument

MOST_BYTES = 18_000
"""A whole request has at most 20 KB."""
_COLOURS = {"critical": "red", "warning": "orange", "info": "blue", "recovered": "green"}


def request(notifier: AlarmNotifierDocument, message: Message, now: datetime) -> Request:
    """`mentions` are ids of people (`ou_…`), or `all`."""

    def paragraph(told: Told) -> str:
        link = message.link(told)
        name = wording.name_of(message, told)
        return "\n".join([f"**[{name}]({link})**" if link else f"**{name}**", *wording.lines(message, told)])

    said = text_of(message, paragraph, MOST_BYTES)
    mentions = "".join(f"<at id={name}></at>" for name in notifier.mentions)
    body: dict[str, Any] = {
        "msg_type": "interactive",
        "card": {
            "header": {
                "title": {"tag": "plain_text", "content": wording.title(message)},
                "template": "grey" if message.is_test else _COLOURS[message.severity],
            },
            "elements": [{"tag": "markdown", "content": f"{said}\n{mentions}".rstrip()}],
        },
    }
    if notifier.secret:
        timestamp = str(int(now.timestamp()))
        body |= {"timestamp": timestamp, "sign": sign(notifier.secret, timestamp)}
    return Request(notifier.url, json.dumps(body, ensure_ascii=False).encode())


def sign(secret: str, timestamp: str) -> str:
    """In base64."""
    return base64.b64encode(hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()).decode()
