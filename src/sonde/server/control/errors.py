"""What the control plane refuses.

ControlError
├── TooManyJobsError     so many are open on that node already
├── NoAnswerError        the node or its process did not answer in time
├── NotConnectedError    no agent of that node is there
├── RefusedByNodeError   the node said no; carries its word
└── ArtifactError        a file cannot be kept; carries the word for the job's failure
"""

from __future__ import annotations


class ControlError(Exception):
    """The message says what was refused and why, fit for a user's eyes."""


class TooManyJobsError(ControlError):
    """Jobs of a node are bounded."""


class NoAnswerError(ControlError):
    """Time is over."""


class NotConnectedError(ControlError):
    """Nobody could carry it out."""


class RefusedByNodeError(ControlError):
    """`reason` is a word of docs/debugger.md."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ArtifactError(ControlError):
    """`reason` is a word of docs/debugger.md."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
