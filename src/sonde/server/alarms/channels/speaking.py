"""Any kind of receiver: what would be sent, sending it, and whether it was taken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from sonde.server.alarms import wording
from sonde.server.alarms.channels import dingtalk, email, feishu, slack, webhook, wecom
from sonde.server.alarms.outgoing import Answer, post

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sonde.server.alarms.outgoing import Request
    from sonde.server.alarms.wording import Message
    from sonde.server.reports.alarms import AlarmNotifierDocument, NotifierKind

_REQUESTS: dict[NotifierKind, Callable[[AlarmNotifierDocument, Message, datetime], Request]] = {
    "webhook": webhook.request,
    "dingtalk": dingtalk.request,
    "feishu": feishu.request,
    "wecom": wecom.request,
    "slack": slack.request,
}
_CODES: dict[NotifierKind, str] = {"dingtalk": "errcode", "wecom": "errcode", "feishu": "code"}
"""These answer 200 to everything, and say in the body whether they took it: 0 means so."""
_ANSWER_CHARS = 500


class Outcome(NamedTuple):
    """Of one try."""

    delivered: bool
    answer: str


class Shown(NamedTuple):
    """What would be sent."""

    media_type: str
    title: str
    body: str


def show(notifier: AlarmNotifierDocument, message: Message, now: datetime) -> Shown:
    """Without sending it."""
    title = wording.title(message)
    if notifier.kind == "email":
        return Shown("text/plain", title, email.mail(notifier, message, now).get_content())
    request = _REQUESTS[notifier.kind](notifier, message, now)
    return Shown(request.media_type, title, json.dumps(json.loads(request.body), ensure_ascii=False, indent=2))


def send(notifier: AlarmNotifierDocument, message: Message, now: datetime, *, local_allowed: bool) -> Outcome:
    """Once, within some seconds. Raises nothing."""
    if notifier.kind == "email":
        answer = email.send(notifier, message, now, local_allowed=local_allowed)
        return _outcome(answer, taken=200 <= answer.status < 300)
    answer = post(_REQUESTS[notifier.kind](notifier, message, now), local_allowed=local_allowed)
    taken = 200 <= answer.status < 300
    if taken and (code := _CODES.get(notifier.kind)):
        taken = _says_zero(answer.text, code)
    return _outcome(answer, taken=taken)


def _says_zero(text: str, code: str) -> bool:
    try:
        said = json.loads(text)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get(code) == 0


def _outcome(answer: Answer, *, taken: bool) -> Outcome:
    told = f"{answer.status}: {answer.text}" if answer.status else answer.text
    return Outcome(taken, told.strip()[:_ANSWER_CHARS])
