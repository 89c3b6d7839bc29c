"""One message of an xtransit agent: a JSON object in a text frame, which carries its own signature.

    {"appId":1,"agentId":"host","traceId":"…","clientId":"…","timestamp":ms,"type":"…","data":{…},"signature":"…"}

The signature is HMAC-SHA1 with the app's secret over the text as it would be without the member `signature`, which
is always the last. So it is cut off the bytes as they came: JSON written again in Python is not always the same text
(1e-7 becomes 1e-07).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Any

from sonde.server.intake.xtransit.process_metrics import figure
from sonde.server.nodejs import foreign_json

LONGEST_AGENT = 255
LONGEST_ID = 64
_SIGNATURE = b',"signature":"'
_TAIL = re.compile(rb'([0-9a-f]{40})"}\s*')
_APP = re.compile(r"[0-9a-f]{1,32}")
_APP_CHARS = 12
"""Of the ids that this program makes."""


class BadFrameError(Exception):
    """Not a message of an agent. `reason` is a word for the counter."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class NameMissingError(BadFrameError):
    """It does not say whose it is: the protocol answers that with `shutdown`."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A message whose signature is not yet verified."""

    app: str
    """As the agent has it; a number is its digits."""
    agent: str
    client: str
    trace: str
    timestamp_ms: float | None
    type: str
    data: dict[str, Any]
    raw: bytes

    def is_signed_with(self, secret: str) -> bool:
        """Whether somebody who knows `secret` wrote it."""
        cut = self.raw.rfind(_SIGNATURE)
        tail = _TAIL.fullmatch(self.raw, cut + len(_SIGNATURE)) if cut >= 0 else None
        if tail is None:
            return False
        signed = hmac.new(secret.encode(), self.raw[:cut], hashlib.sha1)
        signed.update(b"}")
        return hmac.compare_digest(signed.hexdigest().encode(), tail[1])


def parse(raw: bytes) -> Frame:
    """The message in `raw`. Raises BadFrameError, NameMissingError."""
    try:
        said = foreign_json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise BadFrameError("bad_json", f"not JSON: {error}") from None
    if not isinstance(said, dict):
        raise BadFrameError("bad_json", "not a JSON object")
    app, client = _app_id(said.get("appId")), said.get("clientId")
    if not app or not isinstance(client, str) or not 0 < len(client) <= LONGEST_ID:
        raise NameMissingError("no_client", "without appId or clientId")
    agent, trace = said.get("agentId"), said.get("traceId")
    if not isinstance(agent, str) or not 0 < len(agent) <= LONGEST_AGENT or not agent.isprintable():
        raise BadFrameError("bad_agent", f"agentId is no name of at most {LONGEST_AGENT} visible characters")
    data, kind = said.get("data"), said.get("type")
    if not isinstance(kind, str) or not isinstance(data, dict):
        raise BadFrameError("bad_shape", "without type or data")
    return Frame(
        app=app,
        agent=agent,
        client=client,
        trace=trace if isinstance(trace, str) and len(trace) <= LONGEST_ID else "",
        timestamp_ms=figure(said.get("timestamp")),
        type=kind,
        data=data,
        raw=raw,
    )


def _app_id(said: object) -> str:
    """Empty where nothing is said. A number may have lost the zeros in front of it."""
    if isinstance(said, bool) or not isinstance(said, int | str):
        return ""
    return str(said).zfill(_APP_CHARS) if isinstance(said, int) else said.strip()


def may_be_app(app: str) -> bool:
    """Whether it is worth a look into the database."""
    return _APP.fullmatch(app) is not None
