"""A password is hashed."""

import asyncio
import hashlib

CAUSES = {"c_call_without_gil"}


async def main():
    await asyncio.sleep(0.005)
    hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 120_000)  # stalls
    await asyncio.sleep(0.005)
