"""weakref.finalize is given the object itself, so that it never dies."""

import weakref


class Connection:
    def __init__(self, i):
        self.buffer = bytearray(256)  # leak: bytearray


def close(connection):
    return connection


def handler(i):
    connection = Connection(i)  # leak: Connection
    weakref.finalize(connection, close, connection)  # leak: finalize
