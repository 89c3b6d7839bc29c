"""A timer an hour ahead per request holds the request."""

import asyncio


class Request:
    def __init__(self, i):
        self.body = "b" * 300 + str(i)  # leak: str


def expire(request):
    return request


async def handler(i):
    request = Request(i)  # leak: Request
    asyncio.get_running_loop().call_later(3600, expire, request)  # leak: TimerHandle tuple
