"""/mcp: the Model Context Protocol over streamable HTTP.

Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports. An answer is one JSON document: the
server has nothing to say by itself, so it opens no stream and keeps no session.
"""

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from sonde.server.api.access import Caller
from sonde.server.api.failures import RefusedError
from sonde.server.api.parts import Parts
from sonde.server.mcp import protocol
from sonde.server.mcp.links import Links
from sonde.server.mcp.protocol import ProtocolError
from sonde.server.mcp.tool import Asker, failed
from sonde.server.mcp.tools import TOOLS
from sonde.server.store.errors import StoreError, StoreUnavailable

MCP = "/mcp"


def routes(parts: Parts) -> APIRouter:
    """What programs ask that read for people."""
    router = APIRouter(include_in_schema=False)
    reader = parts.access.needs("read")

    @router.post(MCP)
    async def ask(request: Request, caller: Annotated[Caller, Depends(reader)]) -> Response:
        """One message."""
        _same_origin(request)
        try:
            message = protocol.read(await request.body())
        except ProtocolError as error:
            return _answer(protocol.error(None, error.code, str(error)), 400)
        if message is None or message.id is None:
            return Response(status_code=202)
        version = request.headers.get("mcp-protocol-version", protocol.VERSIONS[0])
        if message.method != "initialize" and version not in protocol.VERSIONS:
            problem = f"version {version[:40]!r} of the protocol is not one of {', '.join(protocol.VERSIONS)}"
            return _answer(protocol.error(message.id, protocol.INVALID_REQUEST, problem), 400)
        asker = Asker(parts, caller.apps, Links(parts.alarms.console_url or str(request.base_url)), datetime.now(UTC))
        try:
            return _answer(protocol.result(message.id, await _result(asker, message)))
        except ProtocolError as error:
            return _answer(protocol.error(message.id, error.code, str(error)))

    @router.api_route(MCP, methods=["GET", "DELETE"])
    async def no_stream() -> Response:
        """There is none, and no session to end."""
        raise RefusedError(405, "method_not_allowed", "this address takes POST only", {"Allow": "POST"})

    return router


async def _result(asker: Asker, message: protocol.Message) -> dict[str, Any]:
    """Raises ProtocolError."""
    match message.method:
        case "initialize":
            return protocol.hello(message.params)
        case "ping":
            return {}
        case "tools/list":
            return {"tools": [tool.described() for tool in TOOLS.values()]}
        case "tools/call":
            return await _call(asker, message.params)
        case unknown:
            raise ProtocolError(protocol.METHOD_NOT_FOUND, f"there is no method {unknown[:100]!r}")


async def _call(asker: Asker, params: Any) -> dict[str, Any]:
    name, arguments = params.get("name"), params.get("arguments", {})
    if not isinstance(name, str) or name not in TOOLS:
        raise ProtocolError(protocol.INVALID_PARAMS, f"there is no tool {str(name)[:100]!r}")
    if not isinstance(arguments, dict):
        raise ProtocolError(protocol.INVALID_PARAMS, "`arguments` is an object")
    try:
        return await TOOLS[name](asker, arguments)
    except RefusedError as error:
        return failed(str(error))
    except StoreUnavailable:
        return failed("the store does not answer; it may be starting, ask again")
    except StoreError as error:
        return failed(f"the store refused the query: {error}")


def _same_origin(request: Request) -> None:
    """A page of another site must not ask by somebody's browser: DNS rebinding would make it one of this machine."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise RefusedError(403, "forbidden", "pages of other sites may not ask")


def _answer(content: bytes, status: int = 200) -> Response:
    return Response(content, status, media_type="application/json")
