"""A job that queries."""

import sqlite3


def query() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("select 1")
    connection.close()
