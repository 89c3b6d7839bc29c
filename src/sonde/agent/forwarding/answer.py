"""What a collector's answer to a batch means.

Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response. It says to retry 429, 502, 503 and 504 and nothing
else. We add one kindness: an answer that says our address or our token is wrong can be put right by a person, so those
batches are kept and tried again slowly.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum

from sonde.agent.protobuf_fields import fields

MAX_RETRY_AFTER_S = 300.0
_BUSY = frozenset({408, 429, 502, 503, 504})
_WRONG_ADDRESS_OR_TOKEN = frozenset({300, 301, 302, 303, 307, 308, 401, 403, 404, 405, 407})
_MALFORMED = 400


class Verdict(Enum):
    """What to do with the batch."""

    STORED = "remove it"
    BUSY = "send nothing for a while, then it again"
    MISCONFIGURED = "send nothing under this token for a long while"
    MALFORMED = "some of it is no telemetry: send its halves"
    REFUSED = "drop it"


@dataclass(frozen=True, slots=True)
class Answer:
    """`reason` is a word for a counter, `message` a sentence for the log."""

    verdict: Verdict
    reason: str = ""
    message: str = ""
    retry_after_s: float | None = None


def of_status(status: int, retry_after: str | None, body: bytes, now_unix_s: float) -> Answer:
    """The answer that came over HTTP."""
    if 200 <= status < 300:
        message = _partial_success(body)
        return Answer(Verdict.STORED, "partial_success" if message else "", message)
    message = f"the server answered {status}: {_first_line(body)}"
    if status in _BUSY:
        verdict = Verdict.BUSY
    elif status in _WRONG_ADDRESS_OR_TOKEN:
        verdict = Verdict.MISCONFIGURED
    else:
        verdict = Verdict.MALFORMED if status == _MALFORMED else Verdict.REFUSED
    return Answer(verdict, f"http_{status}", message, _seconds(retry_after, now_unix_s))


def unreachable(reason: str, error: Exception) -> Answer:
    """No answer came."""
    return Answer(Verdict.BUSY, reason, f"the server cannot be reached: {error}")


def _seconds(retry_after: str | None, now_unix_s: float) -> float | None:
    """Retry-After as seconds from now: given as seconds or as a date (RFC 9110 §10.2.3). Nonsense counts as absent."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isdecimal():
        seconds = float(text[:9])
    else:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now_unix_s
        except (ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def _partial_success(body: bytes) -> str:
    """What the server says where it stored only part of the batch, or stored it with a warning; else empty.

    Source: Export*ServiceResponse.partial_success, field 1 in all three; in it, 1 is the number of rejected items and 2
    a message.
    """
    try:
        partial = next((value for number, value in fields(body) if number == 1 and isinstance(value, bytes)), b"")
        facts = dict(fields(partial))
    except ValueError:
        return ""  # no protobuf, but a 2xx: stored is stored
    rejected, said = facts.get(1, 0), facts.get(2, b"")
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else ""
    return f"the server did not take {rejected!r} items of a batch: {text}" if rejected or text else ""


def _first_line(body: bytes) -> str:
    text = body[:300].decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else " " for letter in text).strip() or "(no text)"
