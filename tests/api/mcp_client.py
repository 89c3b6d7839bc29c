"""The protocol's own client for Python: asks what stands on standard input, prints JSON."""

import asyncio
import json
import sys

import httpx2
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client


async def ask(url, token, calls):
    """What the server says of itself, its tools, and the answers of `calls`: pairs of a tool and its arguments."""
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http,
        streamable_http_client(url, http_client=http) as streams,
        ClientSession(streams[0], streams[1]) as session,
    ):
        hello = await session.initialize()
        tools = await session.list_tools()
        answers = [await session.call_tool(name, arguments) for name, arguments in calls]
        return {
            "server": hello.server_info.name,
            "version": hello.protocol_version,
            "tools": [tool.name for tool in tools.tools],
            "answers": [answer.model_dump(mode="json") for answer in answers],
        }


if __name__ == "__main__":
    json.dump(asyncio.run(ask(*json.load(sys.stdin))), sys.stdout)
