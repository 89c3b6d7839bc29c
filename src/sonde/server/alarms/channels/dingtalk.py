"""DingTalk's group robots: Markdown.

Source: https://open.dingtalk.com/document/orgapp/custom-robot-access, with signing as in
https://open.dingtalk.com/document/robots/customize-robot-security-settings: the sign is the base64 of the HMAC-SHA256
with the secret as key over the time in milliseconds, a line feed, and the secret; both go into the address.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from sonde.server.alarms import wording
from sonde.server.alarms.channels.cutting import text_of
from sonde.server.alarms.outgoing import Request

if TYPE_CHECKING:
    from datetime import datetime

    from sonde.server.alarms.telling import Told
    from sonde.server.alarms.wording import Message
    from sonde.server.reports.alarms import AlarmNotifierDocument

MOST_BYTES = 18_000


def request(notifier: AlarmNotifierDocument, message: Message, now: datetime) -> Request:
    """`mentions` are telephone numbers, or `all`; those that are written with @ in the text are told."""

    def paragraph(told: Told) -> str:
        link = message.link(told)
        name = wording.name_of(message, told)
        lines = [f"#### [{name}]({link})" if link else f"#### {name}", *wording.lines(message, told)]
        return "\n\n".join(lines)

    title = wording.title(message)
    numbers = [name for name in notifier.mentions if name != "all"]
    text = "\n\n".join([f"### {title}", text_of(message, paragraph, MOST_BYTES), " ".join(f"@{it}" for it in numbers)])
    body = {
        "msgtype": "markdown",
        "markdown": {"title": title, "text": text.rstrip()},
        "at": {"atMobiles": numbers, "isAtAll": "all" in notifier.mentions},
    }
    url = notifier.url
    if notifier.secret:
        timestamp = str(int(now.timestamp() * 1000))
        signed = urlencode({"timestamp": timestamp, "sign": sign(notifier.secret, timestamp)})
        url += ("&" if "?" in url else "?") + signed
    return Request(url, json.dumps(body, ensure_ascii=False).encode())


def sign(secret: str, timestamp: str) -> str:
    """In base64."""
    return base64.b64encode(
        hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    ).decode()
