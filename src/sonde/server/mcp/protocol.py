"""What is said: JSON-RPC 2.0 requests of the Model Context Protocol, each answered by itself.

Source: https://modelcontextprotocol.io/specification/2025-11-25/basic. No session is kept, which its streamable HTTP
allows, so every web process can answer every request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from sonde import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26")
"""Of the protocol, the newest first. What is used of it is the same in all."""
INSTRUCTIONS = (
    "Sonde watches running services: their statistics, traces, errors, hosts, alarms and what its debugger found. "
    "Begin with list_services. Times are RFC 3339, without them the last hour is meant; durations are in ms. "
    "Every answer has a link to the same view for people: pass it on."
)

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32601, -32602, -32603


class ProtocolError(Exception):
    """What is said back as an error of JSON-RPC."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Message:
    """A request, or a notification (`id` is None), which gets no answer."""

    id: int | str | None
    method: str
    params: Mapping[str, Any]


def read(body: bytes) -> Message | None:
    """What was sent; None for an answer, which nobody here waits for. Raises ProtocolError."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProtocolError(PARSE_ERROR, "the body is no JSON") from None
    if isinstance(said, list):
        raise ProtocolError(INVALID_REQUEST, "one message at a time: batches are no part of the protocol any more")
    if not isinstance(said, dict) or said.get("jsonrpc") != "2.0":
        raise ProtocolError(INVALID_REQUEST, 'a message is an object with "jsonrpc": "2.0"')
    if "method" not in said and ("result" in said or "error" in said):
        return None
    method, number, params = said.get("method"), said.get("id"), said.get("params", {})
    if not isinstance(method, str) or not isinstance(params, dict):
        raise ProtocolError(INVALID_REQUEST, "`method` is a text and `params` an object")
    if isinstance(number, bool) or not isinstance(number, int | str | None) or ("id" in said and number is None):
        raise ProtocolError(INVALID_REQUEST, "`id` is a text or a whole number")
    return Message(number, method, params)


def hello(params: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to `initialize`: the version asked for where we speak it, else our newest."""
    asked = params.get("protocolVersion")
    return {
        "protocolVersion": asked if asked in VERSIONS else VERSIONS[0],
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": {"name": "sonde", "title": "Sonde", "version": __version__},
        "instructions": INSTRUCTIONS,
    }


def result(number: int | str | None, value: Mapping[str, Any]) -> bytes:
    """An answer."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": number, "result": value})


def error(number: int | str | None, code: int, message: str) -> bytes:
    """A refusal. `number`: None where the request's could not be read."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}})
