"""As much of a MongoDB as the plugin's tests need: the wire protocol, a list of documents, and an error.

Source: https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/.
"""

from __future__ import annotations

import socketserver
import struct
import threading

import bson

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
HELLO = {
    "ok": 1.0,
    "helloOk": True,
    "isWritablePrimary": True,
    "ismaster": True,
    "maxBsonObjectSize": 1 << 24,
    "maxMessageSizeBytes": 48_000_000,
    "maxWriteBatchSize": 100_000,
    "minWireVersion": 0,
    "maxWireVersion": 21,
    "logicalSessionTimeoutMinutes": 30,
}


def answered(command: dict, documents: list) -> dict:
    """What the server says to a command; `documents` are all it has, in one collection."""
    name = next(iter(command))
    where = f"{command['$db']}.{command[name]}"
    if name in {"hello", "ismaster", "isMaster"}:
        return HELLO
    if name == "insert":
        new = command["documents"]
        if any(one["_id"] == other["_id"] for one in new for other in documents):
            error = {"index": 0, "code": 11000, "errmsg": "E11000 duplicate key: { _id: 'secret' }"}
            return {"ok": 1.0, "n": 0, "writeErrors": [error]}
        documents += new
        return {"ok": 1.0, "n": len(new)}
    if name == "find":  # two documents at a time
        return {"ok": 1.0, "cursor": {"id": 7 if len(documents) > 2 else 0, "ns": where, "firstBatch": documents[:2]}}
    if name == "getMore":
        return {
            "ok": 1.0,
            "cursor": {"id": 0, "ns": f"{command['$db']}.{command['collection']}", "nextBatch": documents[2:]},
        }
    if name == "aggregate":
        return {"ok": 1.0, "cursor": {"id": 0, "ns": where, "firstBatch": []}}
    if name == "update":
        return {"ok": 1.0, "n": 1, "nModified": 1}
    if name in {"ping", "endSessions"}:
        return {"ok": 1.0}
    return {"ok": 0.0, "code": 59, "codeName": "CommandNotFound", "errmsg": "no such command: 'secret'"}


class Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while len(header := self.rfile.read(16)) == 16:
            length, request, _, kind = struct.unpack("<iiii", header)
            body = self.rfile.read(length - 16)
            if kind == OP_QUERY:  # the first hello; flags, name and two numbers come before the document
                command = bson.decode(body[body.index(b"\0", 4) + 9 :])
                reply = struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(answered({**command, "$db": "admin"}, []))
                self._send(request, OP_REPLY, reply)
            else:
                flags, command = self._message(body)
                reply = answered(command, self.server.documents)
                if not flags & 2:  # more to come: nobody waits for an answer
                    self._send(request, OP_MSG, struct.pack("<iB", 0, 0) + bson.encode(reply))

    @staticmethod
    def _message(body: bytes) -> tuple[int, dict]:
        (flags,) = struct.unpack_from("<i", body)
        command: dict = {}
        at = 4
        while at < len(body):
            kind = body[at]
            (size,) = struct.unpack_from("<i", body, at + 1)
            section = body[at + 1 : at + 1 + size]
            if kind == 0:
                command.update(bson.decode(section))
            else:
                name, _, documents = section[4:].partition(b"\0")
                command[name.decode()] = bson.decode_all(documents)
            at += 1 + size
        return flags, command

    def _send(self, request: int, kind: int, body: bytes) -> None:
        self.wfile.write(struct.pack("<iiii", 16 + len(body), 1, request, kind) + body)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.documents: list = []
        threading.Thread(target=self.serve_forever, daemon=True).start()
