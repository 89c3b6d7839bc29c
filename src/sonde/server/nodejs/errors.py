"""What cannot be had of a Node.js process.

NodejsError
├── AgentAwayError      its agent is not connected
├── NoAnswerError       the agent said nothing in time: it never says why
├── RefusedByAgentError the agent, or the addon in the process, said no
├── BadWishError        nobody could do that
└── UploadError         a file cannot be taken; the agent hears the message
"""

from __future__ import annotations


class NodejsError(Exception):
    """The message says what was refused and why, fit for a user's eyes."""


class AgentAwayError(NodejsError):
    """Nobody could carry it out."""


class NoAnswerError(NodejsError):
    """Time is over."""


class RefusedByAgentError(NodejsError):
    """In the agent's own words."""


class BadWishError(NodejsError):
    """What was asked for cannot be."""


class UploadError(NodejsError):
    """`reason` is a word for the counter."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
