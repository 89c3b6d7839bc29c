"""Where the agent of a process is; and an agent's place, taken for as long as somebody debugs where there is none."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sonde import settings as rows
from sonde.settings import SettingError, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROC = Path("/proc")
CONNECTS_WITHIN_S = 2.0
MAX_QUEUE_BYTES = 64 << 20


def environment_of(pid: int) -> dict[str, str] | None:
    """What the process was started with. None where it may not be read; FileNotFoundError where there is no process."""
    try:
        raw = (PROC / str(pid) / "environ").read_bytes()
    except PermissionError:
        return None
    except ProcessLookupError:
        raise FileNotFoundError(pid) from None
    pairs = (entry.partition(b"=") for entry in raw.split(b"\0") if b"=" in entry)
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}


def socket_of(pid: int) -> str:
    """Where the process looks for its agent, as far as its environment and its settings file say."""
    environment = environment_of(pid) or {}
    if chosen := environment.get(rows.SOCKET.variable):
        return chosen
    try:
        folder = (PROC / str(pid) / "cwd").readlink()
        file = folder / environment.get("SONDE_CONFIG", "sonde.toml")
        if file.is_file() and (chosen := Settings(environ=environment, file=file)[rows.SOCKET]):
            return chosen
    except (OSError, SettingError):
        pass  # then it has not found a socket there, either
    return _default_of(user_of(pid), environment)


def user_of(pid: int) -> int:
    """The user id that the process runs as."""
    return (PROC / str(pid)).stat().st_uid


def _default_of(uid: int, environment: Mapping[str, str]) -> str:
    if uid == os.geteuid():
        return rows.default_agent_socket(environment)
    if uid == 0:
        return "/run/sonde/agent.sock"
    runtime = environment.get("XDG_RUNTIME_DIR")
    return f"{runtime}/sonde/agent.sock" if runtime else f"/tmp/sonde-{uid}/agent.sock"  # noqa: S108 - as the probe says


def sockets() -> dict[str, list[int]]:
    """Every place where processes of this host look for an agent, and those that have the probe switched on."""
    found: dict[str, list[int]] = {rows.default_agent_socket(): []}
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            environment = environment_of(int(entry.name))
            if environment and environment.get(rows.ENABLED.variable) and _is_python(entry):
                found.setdefault(socket_of(int(entry.name)), []).append(int(entry.name))
        except OSError:  # it has gone meanwhile
            continue
    return found


def _is_python(entry: Path) -> bool:
    try:
        return "python" in (entry / "exe").readlink().name
    except OSError:
        return False


def has_probe(pid: int) -> bool:
    """Whether the process looks like one with a probe in it. One that switches it on in code, and has no native core,
    does not.
    """
    if (environment_of(pid) or {}).get(rows.ENABLED.variable):
        return True
    try:
        return "/sonde/probe/core/_core." in (PROC / str(pid) / "maps").read_text()
    except OSError:
        return False


def connected(path: str) -> socket.socket | None:
    """A connection to the agent there. None: there is none. Raises PermissionError."""
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(CONNECTS_WITHIN_S)
    try:
        made.connect(path)
    except PermissionError:
        made.close()
        raise
    except OSError:
        made.close()
        return None
    return made


@contextmanager
def place_of_agent(path: str) -> Iterator[Path]:
    """Listen where the agent would; gives the folder where the spans go that arrive meanwhile.

    Those are kept as an agent keeps them, on disk: the next agent of this host sends them. Refusing them would not keep
    them, for a probe whose connection is closed drops what it has no room for. Raises AgentError.
    """
    from sonde.agent.counters import Counters
    from sonde.agent.disk_queue import queue_folder
    from sonde.agent.disk_queue.queue import BatchQueue
    from sonde.agent.receiving.probe_settings import ProbeSettings
    from sonde.agent.receiving.probes import Probes
    from sonde.agent.receiving.receive import Receiver
    from sonde.agent.tools.runs import Runs

    settings = Settings()
    counters = Counters()
    probes = Probes(counters)
    token = settings[rows.AGENT_TOKEN]
    base = Path(settings[rows.QUEUE_DIR] or rows.state_home() / "queue")
    with ExitStack() as running:
        others = queue_folder.companion_folders(base, settings[rows.SERVER_URL], token)
        folder = running.enter_context(queue_folder.claimed([base, *others]))
        queue = running.enter_context(
            BatchQueue(
                folder,
                max_bytes=min(settings[rows.QUEUE_MAX_BYTES], MAX_QUEUE_BYTES),
                batch_max_bytes=settings[rows.BATCH_MAX_BYTES],
                batch_max_age_s=settings[rows.BATCH_MAX_AGE_MS] / 1000,
                counters=counters,
            )
        )
        told = running.enter_context(ProbeSettings(token))
        runs = running.enter_context(Runs(probes, counters))
        most = settings[rows.AGENT_MAX_CONNECTIONS]
        running.enter_context(Receiver(Path(path), queue, probes, told, runs, max_connections=most, counters=counters))
        yield folder
