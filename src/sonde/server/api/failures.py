"""How the API says no: one shape for every error, `{"error": {"code": …, "message": …}}`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from sonde.server.accounts.errors import (
    BadAppsError,
    BadNameError,
    NameTakenError,
    TooManyAttemptsError,
    TooManySettingsError,
)
from sonde.server.store.errors import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI
    from starlette.requests import Request

log = logging.getLogger(__name__)

RETRY_AFTER_S = 2
_TOO_SLOW = 159  # ClickHouse's TIMEOUT_EXCEEDED
_TOO_MUCH_MEMORY = 241  # MEMORY_LIMIT_EXCEEDED


class ErrorBody(BaseModel):
    """`code` is for programs and does not change; `message` is for people."""

    code: str
    message: str


class ErrorAnswer(BaseModel):
    """What every status of 400 and more carries."""

    error: ErrorBody


class RefusedError(Exception):
    """An answer other than the one asked for."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers


def not_found(what: str) -> RefusedError:
    """404 for a thing that is not there."""
    return RefusedError(404, "not_found", f"there is no {what}")


def bad_parameter(name: str, problem: str) -> RefusedError:
    """400 for a parameter that cannot be used."""
    return RefusedError(400, "bad_request", f"{name}: {problem}")


def busy(message: str) -> RefusedError:
    """503: come again."""
    return RefusedError(503, "unavailable", message, {"Retry-After": str(RETRY_AFTER_S)})


def error_response(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """The shape itself."""
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


async def _refused(_: Request, error: RefusedError) -> JSONResponse:
    return error_response(error.status, error.code, str(error), error.headers)


_WORDS = {
    404: ("not_found", "there is nothing at this address"),
    405: ("method_not_allowed", "this address does not take this method; the header Allow says which"),
    413: ("too_large", "the body is too large"),
}


async def _http(_: Request, error: HTTPException) -> JSONResponse:
    headers = dict(error.headers) if error.headers else None
    code, message = _WORDS.get(error.status_code, ("bad_request", error.detail))
    return error_response(error.status_code, code, message, headers)


async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
    first: dict[str, Any] = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    return error_response(400, "bad_request", f"{place}: {first['msg'].removeprefix('Value error, ')}")


async def _store_away(_: Request, error: StoreUnavailable) -> JSONResponse:
    log.warning("the store does not answer: %s", error)
    refusal = busy("the store does not answer; it may be starting")
    return error_response(refusal.status, refusal.code, str(refusal), refusal.headers)


async def _store_failed(_: Request, error: StoreError) -> JSONResponse:
    if error.code == _TOO_SLOW:
        return error_response(503, "query_too_slow", "the query took too long; ask for a shorter span of time")
    if error.code == _TOO_MUCH_MEMORY:
        return error_response(503, "query_too_large", "the query took too much memory; ask for a shorter span of time")
    log.error("the store refused a query of ours: %s", error)
    return error_response(500, "store_error", "the store refused the query; the server's log says why")


async def _metadata_away(_: Request, error: Exception) -> JSONResponse:
    log.error("the metadata database does not answer: %s", error)
    refusal = busy("the metadata database does not answer")
    return error_response(refusal.status, refusal.code, str(refusal), refusal.headers)


async def _bad_name(_: Request, error: BadNameError) -> JSONResponse:
    return error_response(400, "bad_request", f"name: {error}")


async def _bad_apps(_: Request, error: BadAppsError) -> JSONResponse:
    return error_response(400, "bad_request", f"apps: {error}")


async def _name_taken(_: Request, error: NameTakenError) -> JSONResponse:
    return error_response(409, "name_taken", str(error))


async def _too_many_settings(_: Request, error: TooManySettingsError) -> JSONResponse:
    return error_response(409, "too_many_settings", str(error))


async def _too_many_attempts(_: Request, error: TooManyAttemptsError) -> JSONResponse:
    return error_response(429, "too_many_attempts", str(error), {"Retry-After": str(error.retry_after_s)})


async def _fault(_: Request, __: Exception) -> JSONResponse:
    # Raised again when this is sent: the HTTP server writes it to the log.
    return error_response(500, "internal", "a fault of the server; its log says more")


_HANDLERS: dict[type[Exception], Callable[..., Any]] = {
    RefusedError: _refused,
    HTTPException: _http,
    RequestValidationError: _invalid,
    StoreUnavailable: _store_away,
    StoreError: _store_failed,
    DBAPIError: _metadata_away,
    PoolTimeoutError: _metadata_away,
    BadNameError: _bad_name,
    BadAppsError: _bad_apps,
    NameTakenError: _name_taken,
    TooManySettingsError: _too_many_settings,
    TooManyAttemptsError: _too_many_attempts,
    Exception: _fault,
}


def answer_errors(application: FastAPI) -> None:
    """Let every error of `application` leave in the one shape."""
    for kind, handler in _HANDLERS.items():
        application.add_exception_handler(kind, handler)
