"""Slack's incoming webhooks: a line, and an attachment for each alarm. The address is the secret.

Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sonde.server.alarms import wording
from sonde.server.alarms.outgoing import Request

if TYPE_CHECKING:
    from datetime import datetime

    from sonde.server.alarms.telling import Told
    from sonde.server.alarms.wording import Message
    from sonde.server.reports.alarms import AlarmNotifierDocument

MOST_ATTACHMENTS = 20
_COLOURS = {"critical": "#d92d20", "warning": "#f79009", "info": "#2e90fa"}
_RECOVERED = "#17b26a"


def request(notifier: AlarmNotifierDocument, message: Message, now: datetime) -> Request:  # noqa: ARG001 - as the others
    """`mentions` are ids of people (`U…`), or `channel`."""
    called = "".join(" <!channel>" if name == "channel" else f" <@{name}>" for name in notifier.mentions)
    attachments = [_attachment(message, told) for told in message.alarms[:MOST_ATTACHMENTS]]
    if message.is_test:
        attachments = [{"text": escaped(wording.test_line(message))}]
    elif len(message.alarms) > MOST_ATTACHMENTS:
        attachments.append({"text": wording.more_line(message, len(message.alarms) - MOST_ATTACHMENTS)})
    body = {"text": escaped(wording.title(message)) + called, "attachments": attachments}
    return Request(notifier.url, json.dumps(body, ensure_ascii=False).encode())


def _attachment(message: Message, told: Told) -> dict[str, Any]:
    found = {
        "color": _COLOURS[told.severity] if told.event == "fired" else _RECOVERED,
        "title": escaped(wording.name_of(message, told)),
        "text": escaped("\n".join(wording.lines(message, told))),
    }
    link = message.link(told)
    return found | ({"title_link": link} if link else {})


def escaped(text: str) -> str:
    """Three characters are Slack's own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
