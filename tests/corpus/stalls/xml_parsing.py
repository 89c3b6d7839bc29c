"""A large document is parsed."""

import asyncio
import gc
from xml.etree import ElementTree as ET

CAUSES = {"c_call"}

gc.disable()  # which would have its share
TEXT = "<a>" + "<b x='1'>text</b>" * 120_000 + "</a>"


async def main():
    await asyncio.sleep(0.005)
    ET.fromstring(TEXT)  # noqa: S314 # stalls
    await asyncio.sleep(0.005)
