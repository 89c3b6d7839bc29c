"""An agent's end of the tool host's connections."""

from __future__ import annotations

import json
import queue
import socket
import threading
import time

from sonde.wire import tools
from sonde.wire.frames import FrameReader, Kind, frame

DEADLINE_S = 20.0


class Heard:
    """One connection of the tool host."""

    def __init__(self, connection):
        self.socket = connection
        self._reader = FrameReader()
        self._frames = []

    def next(self):
        """The next frame: an object, or what a piece is and its bytes. None: the host has hung up."""
        while not self._frames:
            data = self.socket.recv(1 << 18)
            if not data:
                return None
            self._frames += self._reader.feed(data)
        kind, payload = self._frames.pop(0)
        return tools.cut(payload) if kind == Kind.CHUNK else json.loads(payload)

    def until_the_end(self):
        """Every event, and the files."""
        events, files = [], {}
        while (said := self.next()) is not None:
            if isinstance(said, tuple):
                head, piece = said
                file = files.setdefault(head["name"], bytearray())
                assert len(file) == head["offset"]
                file += piece
            elif "event" in said:
                events.append(said)
            else:
                assert said["role"] == "tools"
        return events, files

    def last(self):
        return self.until_the_end()[0][-1]

    def command(self, **members):
        self.socket.sendall(frame(Kind.COMMAND, json.dumps(members).encode()))


class AgentSide:
    """Listens where an agent would."""

    def __init__(self, path):
        self.path = str(path)
        self._accepted = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(64)
        self._listener.settimeout(DEADLINE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()
        for heard in self._accepted:
            heard.socket.close()

    def accept(self):
        connection, _ = self._listener.accept()
        connection.settimeout(DEADLINE_S)
        self._accepted.append(Heard(connection))
        return self._accepted[-1]


def command(**members):
    return json.dumps({"id": "r1", "do": "start", "tool": "little", "seconds": 60, **members}).encode()


def eventually(condition, what):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"not in {DEADLINE_S} s: {what}"
        time.sleep(0.005)


def in_background(function):
    """Its result, by `get`."""
    results = queue.Queue()
    threading.Thread(target=lambda: results.put(function()), daemon=True).start()
    return results
