"""What would only be in the way: nothing of a block is recorded, and nothing is told to those it calls."""

import sqlite3

import sonde

connection = sqlite3.connect(":memory:")

with sonde.span("order"):
    connection.execute("select 1")
    with sonde.ignore():
        connection.execute("select 2")

connection.close()
