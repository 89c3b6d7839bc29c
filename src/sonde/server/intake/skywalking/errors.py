"""What SkyWalking's agents are refused with.

SkywalkingError
├── UnknownSenderError   no app is behind it; carries the word for the counter
├── AwayError            a part of the server does not answer: the same may be right later
└── BadMessageError      it cannot be understood; carries the word for the counter
"""

from __future__ import annotations


class SkywalkingError(Exception):
    """The message says what is wrong, fit for the sender's log."""


class UnknownSenderError(SkywalkingError):
    """`reason`: no_token, wrong_token, no_such_app."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class AwayError(SkywalkingError):
    """Come again."""


class BadMessageError(SkywalkingError):
    """`reason`: bad_protobuf, bad_json, bad_meter, no_service, too_large."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
