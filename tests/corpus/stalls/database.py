"""A query of SQLite that counts for long."""

import asyncio
import sqlite3

CAUSES = {"c_call_without_gil"}

connection = sqlite3.connect(":memory:")
QUERY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000) SELECT sum(i) FROM n"


async def main():
    await asyncio.sleep(0.005)
    connection.execute(QUERY).fetchone()  # stalls
    await asyncio.sleep(0.005)
