"""2,000 xtransit agents on one web process: how long a heartbeat takes, and what memory they cost.

Each agent sends what the real one does, each minute: a heartbeat, figures of two Node.js processes (one with a worker
thread), its host's, errors and core files. First they all come within a minute, as real ones come back when the server
was away; then there is ordinary traffic. The protocol answers nothing, so one more agent asks: it sends a heartbeat
with a wrong signature, which goes all the way of a good one but the last step, and is answered with `shutdown`. The
server's own figures, from having read a heartbeat to having heeded it, stand beside.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from bench import report
from bench.idle import NO_SECOND_PORTS, SONDE, free_port, running, wait_ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

AGENTS = int(os.environ.get("BENCH_XTRANSIT_AGENTS", "2000"))
SECONDS = int(os.environ.get("BENCH_XTRANSIT_SECONDS", "120"))
EVERY_S = 60.0
ASK_EVERY_S = 0.05
P99_MS, MEMORY_MIB = 20.0, 300.0
_CAPTURE = Path(__file__).parents[1] / "tests" / "nodejs" / "data" / "xtransit-capture.jsonl"


def recorded() -> dict[str, Any]:
    """The data of a real agent's logs, the longest of each kind."""
    found: dict[str, Any] = {}
    for line in _CAPTURE.read_text().splitlines():
        record = json.loads(line)
        if record["dir"] == "c2s" and record["kind"].startswith("log/"):
            data = json.loads(record["raw"])["data"]
            if len(json.dumps(data)) > len(json.dumps(found.get(record["kind"], ""))):
                found[record["kind"]] = data
    found["log/core_files"]["data"]["list"] = []  # as in nearly every minute
    return found


def frame(app: str, secret: bytes, agent: str, client: str, kind: str, data: dict[str, Any]) -> str:
    """As an agent writes it."""
    envelope = {"appId": app, "agentId": agent, "traceId": str(uuid.uuid4()), "clientId": client}
    envelope |= {"timestamp": int(time.time() * 1000), "type": kind, "data": data}  # type: ignore[dict-item]
    text = json.dumps(envelope, separators=(",", ":"))
    return f'{text[:-1]},"signature":"{hmac.new(secret, text.encode(), hashlib.sha1).hexdigest()}"}}'


async def agent(
    url: str,
    app: dict[str, str],
    number: int,
    logs: dict[str, Any],
    joined: Callable[[int], None],
) -> None:
    """One agent, until cancelled. Commands are answered as an agent without processes would."""
    name, client, secret = f"host-{number:04d}", uuid.uuid4().hex, app["secret"].encode()
    socket = None
    while socket is None:  # as the real one: after a random pause, again and again
        await asyncio.sleep(random.uniform(0, EVERY_S))
        try:
            socket = await connect(url, compression=None, ping_interval=None, max_queue=4).__aenter__()
        except (InvalidHandshake, OSError) as error:
            print(f"{name} comes again: {error}", file=sys.stderr)
    joined(number)

    async def say(kind: str, data: dict[str, Any]) -> None:
        await socket.send(frame(app["id"], secret, name, client, kind, data))

    async def minute(kinds: Iterable[str]) -> None:
        await say("heartbeat", {})
        for data in (logs[kind] for kind in kinds):
            now = {"log_timestamp": int(time.time() * 1000)}
            inner = data["data"] | (now if "log_timestamp" in data["data"] else {})
            await say("log", {"type": data["type"], "data": inner})

    async def answer() -> None:
        async for text in socket:
            asked = json.loads(text)
            envelope = {"ok": True, "data": {"stdout": "9\0node app.js\n", "stderr": ""}}
            answered = json.loads(frame(app["id"], secret, name, client, "response", envelope))
            answered["traceId"] = asked["traceId"]
            del answered["signature"]
            said = json.dumps(answered, separators=(",", ":"))
            signature = hmac.new(secret, said.encode(), hashlib.sha1).hexdigest()
            await socket.send(f'{said[:-1]},"signature":"{signature}"}}')

    answering = asyncio.create_task(answer())
    try:
        await minute(logs)
        while True:
            await asyncio.sleep(EVERY_S)
            await minute(logs.keys() - {"log/package"})  # once an hour
    finally:
        answering.cancel()


async def ask(url: str, app: dict[str, str], taken: list[float]) -> None:
    """Times from a wrong heartbeat to its answer, until cancelled."""
    while True:
        async with connect(url, compression=None) as socket:
            try:
                while True:
                    text = frame(app["id"], b"wrong", "asks", "c" * 32, "heartbeat", {})
                    began = time.perf_counter()
                    await socket.send(text)
                    await socket.recv()
                    taken.append((time.perf_counter() - began) * 1000)
                    await asyncio.sleep(ASK_EVERY_S)
            except ConnectionClosed:
                continue


async def load(url: str, app: dict[str, str]) -> tuple[list[float], list[float], float]:
    """Answer times while they come, and afterwards; and how long the coming took."""
    logs = recorded()
    first: list[float] = []
    later: list[float] = []
    asking = asyncio.create_task(ask(url, app, first))
    missing, everybody = set(range(AGENTS)), asyncio.Event()

    def joined(number: int) -> None:
        missing.discard(number)
        if not missing:
            everybody.set()

    began = time.monotonic()
    agents = [asyncio.create_task(agent(url, app, number, logs, joined)) for number in range(AGENTS)]
    waiting = asyncio.create_task(everybody.wait())
    await asyncio.wait({waiting, *agents}, return_when=asyncio.FIRST_COMPLETED)  # an agent ends only by a fault
    if not everybody.is_set():
        fault = next(it.exception() for it in agents if it.done())
        raise RuntimeError(f"{len(missing)} agents could not connect") from fault
    connecting_s = time.monotonic() - began
    await asyncio.sleep(5)
    asking.cancel()
    asking = asyncio.create_task(ask(url, app, later))
    await asyncio.sleep(SECONDS)
    for task in (asking, *agents):
        task.cancel()
    ended = await asyncio.gather(asking, *agents, return_exceptions=True)
    lost = [it for it in ended if isinstance(it, Exception)]
    if lost:
        raise RuntimeError(f"{len(lost)} agents were lost, the first by {lost[0]!r}")
    return first, later, connecting_s


def sonde(*words: str) -> str:
    """What a command prints."""
    return subprocess.run([*SONDE, *words], check=True, capture_output=True, text=True).stdout


def metrics(port: int, token: str) -> str:
    """The server's figures of itself."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())


def percentile(values: list[float], share: float) -> float:
    """By rank."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def main() -> None:
    """Run it and write the table."""
    with tempfile.TemporaryDirectory() as data:
        port, own = free_port(), free_port()
        app = json.loads(sonde("app", "create", "bench", "--data", data))
        token = sonde("token", "create", "--scope", "read", "--data", data).strip()
        ports = [*NO_SECOND_PORTS, "--xtransit-port", str(own)]
        with running([*SONDE, "up", "--data", data, "--port", str(port), *ports]) as server:
            wait_ready(port)
            web = next(it for it in psutil.Process(server.pid).children() if "sonde.server.web" in it.cmdline())
            before = web.memory_info().rss
            cpu_before = sum(web.cpu_times()[:2])
            began = time.monotonic()
            first, later, connecting_s = asyncio.run(load(f"ws://127.0.0.1:{own}", app))
            after = web.memory_info().rss
            cpu = (sum(web.cpu_times()[:2]) - cpu_before) / (time.monotonic() - began)
            page = metrics(port, token)
    within = {it[0]: int(float(it[1])) for it in re.findall(r'handled_total\{within="([^"]+)"\} (\S+)', page)}
    quick = sum(count for name, count in within.items() if name in {"1 ms", "2 ms", "5 ms", "10 ms", "20 ms"})
    heeded = sum(within.values())
    rows = [
        [
            when,
            str(len(taken)),
            f"{statistics.median(taken):.1f} ms",
            f"{percentile(taken, 0.95):.1f} ms",
            f"{percentile(taken, 0.99):.1f} ms",
            f"{max(taken):.1f} ms",
        ]
        for when, taken in (("they come, within a minute", first), ("each minute, each at its own time", later))
    ]
    load_note = f"{AGENTS} agents connected within {connecting_s:.1f} s; the load comes from the same machine."
    heeded_note = (
        f"Aim: p99 of at most {P99_MS:.0f} ms in ordinary traffic. By its own clock the server heeded "
        f"{100 * quick / heeded:.2f} % of {heeded} heartbeats within 20 ms of having read them."
    )
    memory_note = (
        f"Memory of the web process: {before / 2**20:.0f} MiB before, {after / 2**20:.0f} MiB with them (aim: at most "
        f"{MEMORY_MIB:.0f} MiB), {(after - before) / AGENTS / 1024:.0f} KiB an agent; CPU {100 * cpu:.0f} % of a core."
    )
    notes = [load_note, heeded_note, memory_note]
    report.write(
        "xtransit",
        f"{AGENTS} xtransit agents on one web process",
        ["while", "asked", "median", "p95", "p99", "longest"],
        rows,
        notes,
    )


if __name__ == "__main__":
    sys.exit(main())
