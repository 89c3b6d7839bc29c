"""Webhooks: our own JSON, or what Prometheus' Alertmanager sends (version 4), for receivers that know it.

Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. With a secret the headers
`X-Sonde-Timestamp` (seconds since the epoch) and `X-Sonde-Signature` are sent: `sha256=` and, in hex, the HMAC-SHA256
with the secret as key over timestamp, a dot, and the body.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from sonde.server.alarms import wording
from sonde.server.alarms.outgoing import Request

if TYPE_CHECKING:
    from datetime import datetime

    from sonde.server.alarms.telling import Told
    from sonde.server.alarms.wording import Message
    from sonde.server.reports.alarms import AlarmNotifierDocument

_NOT_YET = "0001-01-01T00:00:00Z"
"""Go's zero time: what Alertmanager says of an alert that has not ended."""


def request(notifier: AlarmNotifierDocument, message: Message, now: datetime) -> Request:
    """What is posted."""
    document = _as_alertmanager(message) if notifier.format == "alertmanager" else _as_sonde(message)
    body = json.dumps(document, ensure_ascii=False).encode()
    headers = dict(notifier.headers)
    if notifier.secret:
        timestamp = str(int(now.timestamp()))
        headers["X-Sonde-Timestamp"] = timestamp
        headers["X-Sonde-Signature"] = f"sha256={signature(notifier.secret, timestamp, body)}"
    return Request(notifier.url, body, headers=headers)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """In hex."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def _as_sonde(message: Message) -> dict[str, Any]:
    return {
        "version": 1,
        "test": message.is_test,
        "status": "firing" if message.firing else "test" if message.is_test else "recovered",
        "severity": None if message.is_test else message.severity,
        "title": wording.title(message),
        "notifier": message.notifier,
        "url": message.link(),
        "alarms": [
            {
                "status": "firing" if told.event == "fired" else "recovered",
                "id": told.alarm_id,
                "rule_id": told.rule_id,
                "rule": told.rule,
                "app": told.app,
                "severity": told.severity,
                "description": told.description,
                "group": told.group,
                "labels": told.labels,
                "measures": told.measures,
                "value": told.value,
                "op": told.op,
                "threshold": told.threshold,
                "unit": told.unit,
                "started_at": told.started_at,
                "ended_at": told.ended_at,
                "ended_by": told.ended_by,
                "flapping": told.flapping,
                "reminder": told.reminder,
                "url": message.link(told),
            }
            for told in message.alarms
        ],
    }


def _as_alertmanager(message: Message) -> dict[str, Any]:
    alerts = [_alert(message, told) for told in message.alarms] or [_test_alert(message)]
    return {
        "version": "4",
        "groupKey": f'{{}}:{{notifier="{message.notifier}"}}',
        "truncatedAlerts": 0,
        "status": "resolved" if message.alarms and not message.firing else "firing",
        "receiver": message.notifier,
        "groupLabels": {},
        "commonLabels": _common([alert["labels"] for alert in alerts]),
        "commonAnnotations": _common([alert["annotations"] for alert in alerts]),
        "externalURL": message.link(),
        "alerts": alerts,
    }


def _alert(message: Message, told: Told) -> dict[str, Any]:
    labels = {**told.labels, **told.group, "alertname": told.rule, "severity": told.severity, "app": told.app}
    return {
        "status": "firing" if told.event == "fired" else "resolved",
        "labels": labels,
        "annotations": {
            "summary": f"{wording.name_of(message, told)}: {wording.lines(message, told)[0]}",
            "description": told.description,
            "value": "" if told.value is None else repr(told.value),
        },
        "startsAt": told.started_at,
        "endsAt": told.ended_at or _NOT_YET,
        "generatorURL": message.link(told),
        "fingerprint": hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16],
    }


def _test_alert(message: Message) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": "SondeTest", "severity": "info"},
        "annotations": {"summary": wording.test_line(message)},
        "startsAt": _NOT_YET,
        "endsAt": _NOT_YET,
        "generatorURL": message.link(),
        "fingerprint": "0" * 16,
    }


def _common(said: list[dict[str, str]]) -> dict[str, str]:
    return {key: value for key, value in said[0].items() if all(other.get(key) == value for other in said)}
