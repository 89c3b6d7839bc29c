"""PromqlError: what a query can end with, in the words of Prometheus' HTTP API.

PromqlError
├── BadQueryError      bad_data, 400: it cannot be read
├── ExecutionError     execution, 422: it cannot be computed, or would be too much
└── TooSlowError       timeout, 503
"""

from __future__ import annotations


class PromqlError(Exception):
    """No result. `error_type` is Prometheus' word for it."""

    status = 500
    error_type = "internal"


class BadQueryError(PromqlError):
    """The query or a parameter cannot be read."""

    status = 400
    error_type = "bad_data"


class ExecutionError(PromqlError):
    """The query is readable and has no answer: it is not supported, ambiguous, or too large."""

    status = 422
    error_type = "execution"


class TooSlowError(PromqlError):
    """It took longer than it may."""

    status = 503
    error_type = "timeout"


def not_supported(what: str) -> ExecutionError:
    """A part of PromQL that is not there."""
    return ExecutionError(f"{what} is not supported")
