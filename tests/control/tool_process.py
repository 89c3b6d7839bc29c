"""`python tool_process.py SOCKET SERVICE`: a process whose tools are the tests' own. It speaks frames as a probe does.

Prints `ready`. Tools: `quick` (an artifact of `bytes`), `slow` (until its time is over, or `stop`), `endless` (an
artifact that has no end), `dies`, `mute` (never a word), `nonsense` (an end that nobody can understand), `torn` (less
than it says).
"""

import hashlib
import json
import os
import random
import select
import socket
import sys
import time

from sonde.wire import tools
from sonde.wire.frames import FrameReader, Kind, frame, hello

STATE = {"available": True, "why_not": "", "unlock": "", "exact": "all of it", "approximate": "", "options": {}}
NAMES = ("quick", "slow", "endless", "dies", "mute", "nonsense", "torn")


class Process:
    def __init__(self, path, service, token):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        facts = {"language": "python", "command": "tool_process.py"}
        self.socket.sendall(hello(pid=os.getpid(), token=token, service=service, probe_version="9", **facts))
        self.reader = FrameReader()
        self.running = {}  # run -> until when
        self.growing = {}  # run -> offset

    def reply(self, run, event, **more):
        self.socket.sendall(frame(Kind.REPLY, json.dumps({"id": run, "event": event, **more}).encode()))

    def chunk(self, run, name, offset, data):
        self.socket.sendall(frame(Kind.CHUNK, tools.chunk(run, name, offset, data)))

    def result(self, run, files=(), **summary):
        document = {"format": "sonde.result.v1", "pid": os.getpid(), "notes": [], "summary": summary}
        self.reply(run, "result", document=document, artifacts=list(files))

    def artifact(self, run, name, data, **wrong):
        for offset in range(0, len(data), tools.MAX_PIECE_BYTES):
            self.chunk(run, name, offset, data[offset : offset + tools.MAX_PIECE_BYTES])
        digest = hashlib.sha256(data).hexdigest()
        facts = {"name": name, "media_type": "application/octet-stream", "bytes": len(data), "sha256": digest}
        return {**facts, **wrong}

    def command(self, command):
        run, todo, tool = command["id"], command["do"], command.get("tool")
        if todo == "tools":
            self.reply(run, "tools", tools=[{"name": name, **STATE} for name in NAMES])
        elif todo in ("stop", "abort"):
            self.growing.pop(run, None)
            if self.running.pop(run, None) and todo == "stop":
                self.result(run, stopped=True)
            elif todo == "abort":
                self.reply(run, "failed", reason="aborted", message="as asked")
        elif tool not in NAMES:
            self.reply(run, "failed", reason="unknown_tool", message=f"there is no {tool}")
        else:
            getattr(self, tool)(run, command)

    def quick(self, run, command):
        options = command["options"]
        self.reply(run, "started", tool="quick", pid=os.getpid(), seconds=command["seconds"])
        data = random.Random(7).randbytes(int(options.get("bytes", 1000)))
        files = [self.artifact(run, "data.bin", data)]
        if options.get("empty"):
            files += [self.artifact(run, "empty.json", b"", media_type="application/json")]
        self.result(run, files, said=options.get("say", ""))

    def slow(self, run, command):
        self.reply(run, "started", tool="slow", pid=os.getpid(), seconds=command["seconds"])
        self.running[run] = time.monotonic() + command["seconds"], command["seconds"]

    def endless(self, run, command):
        self.reply(run, "started", tool="endless", pid=os.getpid(), seconds=command["seconds"])
        self.growing[run] = 0

    def dies(self, run, command):
        self.reply(run, "started", tool="dies", pid=os.getpid(), seconds=command["seconds"])
        self.chunk(run, "half.bin", 0, b"half")
        os._exit(9)

    def mute(self, run, command):
        """Not a word."""

    def nonsense(self, run, command):
        self.reply(run, "result", document="a\0b", artifacts=[{"name": "../../etc/passwd"}])

    def torn(self, run, command):
        self.result(run, [self.artifact(run, "torn.bin", b"half", bytes=8)])

    def work(self):
        while True:
            patience = 0 if self.growing else 0.1 if self.running else None
            if select.select([self.socket], [], [], patience)[0]:
                data = self.socket.recv(1 << 18)
                if not data:
                    return
                for kind, payload in self.reader.feed(data):
                    if kind == Kind.COMMAND:
                        self.command(json.loads(payload))
            for run, (until, of) in list(self.running.items()):
                left = until - time.monotonic()
                if left <= 0:
                    del self.running[run]
                    self.result(run, stopped=False)
                else:
                    self.reply(run, "progress", seconds=of - left, of=of, note=f"{left:.1f} s to go")
            for run, offset in list(self.growing.items()):
                self.chunk(run, "endless.bin", offset, bytes(tools.MAX_PIECE_BYTES))
                self.growing[run] += tools.MAX_PIECE_BYTES


process = Process(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "")
sys.stdout.write("ready\n")
sys.stdout.flush()
process.work()
