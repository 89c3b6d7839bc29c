"""A long page is rendered."""

import asyncio

from jinja2 import Template

CAUSES = {"python"}

PAGE = Template("{% for row in rows %}<td>{{ row * 2 }} {{ row|string|upper }}</td>{% endfor %}")


async def main():
    await asyncio.sleep(0.005)
    PAGE.render(rows=range(150_000))  # stalls
    await asyncio.sleep(0.005)
