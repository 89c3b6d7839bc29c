"""What is seen of each process, what is not, why, and how to mend it. Looks at what was gathered; gathers nothing."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Mapping

    from sonde.cli.checkup.processes import Process
    from sonde.cli.checkup.visits import Visit

    Report = dict[str, Any]

Cause = Literal["", "refused", "failed", "off", "no call", "not imported"]

_SERVERS = frozenset(
    {
        "aiohttp_server",
        "granian",
        "grpc",
        "gunicorn",
        "hypercorn",
        "jsonrpclib",
        "tornado",
        "uvicorn",
        "waitress",
        "werkzeug",
        "wsgiref",
    }
)
_SIGNALS = dict.fromkeys(_SERVERS, "requests") | {
    **dict.fromkeys(("django", "fastapi", "flask", "starlette"), "routes"),
    **dict.fromkeys(("aio_pika", "aiormq", "celery", "confluent_kafka", "kafka", "pika", "rq"), "messages"),
    "logging": "log records",
    "sqlalchemy": "pool waits",
}
_KINDS = {"requests": ("server",), "messages": ("producer", "consumer"), "calls": ("client", "internal")}
"""Signal → the kinds of spans without which it was not seen. Routes and log records have none of their own."""
_BOOKKEEPERS = ("multiprocessing.resource_tracker",)
_PYTHON = re.compile(r"(python|pypy)\d*(\.\d+)*[a-z]*(-\w+)?")
_WITH_A_VALUE = frozenset("WX")
_OLDEST_PYTHON = (3, 11)
_ORDER = ("refused", "failed", "", "off", "no call", "not imported")
_MIN_LOOKS = 4
"""A process of fewer looks may be one that was only about to run a program."""


@dataclass
class Row:
    """One library in one process."""

    library: str
    version: str
    signal: str
    seen: bool = False
    cause: Cause = ""
    """Why it is not seen, in a word; `why` says it in full."""
    why: str = ""
    mend: str = ""


@dataclass
class Finding:
    """One process."""

    pid: int
    parent: int
    command: list[str]
    made: str
    requests: int
    """Answered by it."""
    probe: Literal["running", "off", "none"]
    core: str = ""
    why: str = ""
    mend: str = ""
    spans: dict[str, int] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    not_imported: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """What is wrong with it, a sentence each."""


def findings(
    processes: Mapping[int, Process],
    reports: Iterable[Report],
    spans: Mapping[int, Counter[str]],
    visits: Iterable[Visit],
    *,
    root: int,
    boot: str,
    said: str = "",
) -> list[Finding]:
    """One for each process. `boot`: the folder that starts the probe; `said`: what the command wrote."""
    answered = [made.pid for made in visits if made.status is not None]
    by_pid: dict[int, list[Report]] = {}
    for report in reports:
        by_pid.setdefault(report["pid"], []).append(report)
    found = []
    for pid in sorted(processes.keys() | by_pid.keys()):
        process = processes.get(pid)
        words = process.command if process else by_pid[pid][0].get("command", [])
        requests = answered.count(pid)
        if any(name in word for word in words for name in _BOOKKEEPERS):
            continue
        own = sorted(by_pid.get(pid, ()), key=lambda report: report.get("interpreter", 0))
        if not own and process is not None and process.looks < _MIN_LOOKS and not requests and pid != root:
            continue
        parent = own[0]["ppid"] if own else process.parent if process else 0
        made = "the command" if pid == root else _made(words, own, processes.get(parent), parent)
        finding = Finding(pid, parent, words, made, requests, "none", spans=dict(spans.get(pid, {})))
        if not own and process is not None:
            _without_probe(finding, process, boot)
        for report in own:
            _with_report(finding, report, said)
        found.append(finding)
    return found


def _made(words: list[str], reports: list[Report], parent: Process | None, ppid: int) -> str:
    line = " ".join(words)
    if reports and reports[0].get("made") == "fork":
        return f"forked by {ppid}"
    if "multiprocessing.forkserver" in line:
        return f"fork server of {ppid}"
    if "--multiprocessing-fork" in line or "multiprocessing.spawn" in line:
        return f"spawned by {ppid}"
    if not reports and parent is not None and words == parent.command:
        return f"forked by {ppid}"
    return f"started by {ppid}"


# -- processes without a probe ----------------------------------------------------------------------------------------


def _without_probe(finding: Finding, process: Process, boot: str) -> None:
    finding.why, finding.mend = why_no_probe(process, boot)
    python = is_python(process)
    if finding.requests:
        finding.missing.append(f"it answered {finding.requests} requests and has no probe: {finding.why}")
    elif python:
        finding.missing.append(f"no probe: {finding.why}")


def is_python(process: Process) -> bool:
    """Whether an interpreter runs in it."""
    return process.libpython or _PYTHON.fullmatch(os.path.basename(process.executable)) is not None  # noqa: PTH119


def why_no_probe(process: Process, boot: str) -> tuple[str, str]:
    """Why the process has none, and how to mend it."""
    flags = interpreter_flags(process.command)
    environment = process.environment
    for flag, what in (("I", "leaves out PYTHONPATH"), ("E", "leaves out PYTHONPATH"), ("S", "leaves out `site`")):
        if is_python(process) and flag in flags:
            return (
                f"`python -{flag}` {what}, by which the probe is started",
                f"start it without -{flag}, or call `sonde.start()` first thing in the program",
            )
    if not is_python(process):
        if is_static(process.executable):
            return "a static binary, in which no Python can be found", "call `sonde.start()` in it, if it holds Python"
        return "no Python program", "nothing to be done: its own children are seen where they are Python"
    if environment is not None:
        if environment.get("SONDE_ENABLED", "").lower() in {"0", "false", "no", "off"}:
            return "SONDE_ENABLED switches it off", "do not set SONDE_ENABLED for it"
        lost = [name for name in ("PYTHONPATH", "SONDE_ENABLED", "SONDE_SOCKET") if not environment.get(name)]
        if lost:
            return (
                f"its environment was cleared: there is no {', '.join(lost)}",
                "let whatever starts it hand on PYTHONPATH and SONDE_*, or call `sonde.start()` in the program",
            )
        folders = environment["PYTHONPATH"].split(os.pathsep)
        if boot not in folders:
            return "its PYTHONPATH was replaced", "let whatever starts it add to PYTHONPATH instead"
        hiding = [folder for folder in folders[: folders.index(boot)] if _has_sitecustomize(folder)]
        if hiding:
            return f"the sitecustomize in {hiding[0]} hides ours", "put that folder behind ours in PYTHONPATH"
    name = os.path.basename(process.executable)  # noqa: PTH119
    if (version := re.search(r"(\d+)\.(\d+)", name)) and (int(version[1]), int(version[2])) < _OLDEST_PYTHON:
        return f"{name} is older than 3.11", "run it with Python 3.11 or newer"
    if process.libpython and not _PYTHON.fullmatch(name):
        return f"{name} has Python built in, with a path of its own", "call `sonde.start()` first thing in the program"
    return (
        "another interpreter, or one that ended before it got to the probe",
        "call `sonde.start()` first thing in the program, and see what it says on standard error",
    )


def interpreter_flags(command: list[str]) -> str:
    """The letters of Python's own options: `-Im app` has I and m."""
    letters = ""
    words = iter(command[1:])
    for word in words:
        if not word.startswith("-") or word in {"-", "--"}:
            break
        if word.startswith("--"):
            continue
        for at, letter in enumerate(word[1:], 2):
            letters += letter
            if letter in "cm":  # what follows is the program
                return letters
            if letter in _WITH_A_VALUE:
                if at == len(word):
                    next(words, None)
                break
    return letters


def is_static(executable: str) -> bool:
    """Whether an ELF file asks for no dynamic linker."""
    try:
        with Path(executable).open("rb") as file:
            head = file.read(1 << 12)
    except OSError:
        return False
    if head[:5] != b"\x7fELF\x02":
        return False
    order: Literal["little", "big"] = "little" if head[5] == 1 else "big"
    table, size, count = (int.from_bytes(head[at:end], order) for at, end in ((32, 40), (54, 56), (56, 58)))
    interpreter = 3
    return all(
        int.from_bytes(head[at : at + 4], order) != interpreter for at in range(table, table + size * count, size or 1)
    )


def _has_sitecustomize(folder: str) -> bool:
    return any((Path(folder or ".") / name).exists() for name in ("sitecustomize.py", "sitecustomize"))


# -- processes with one -----------------------------------------------------------------------------------------------


def _with_report(finding: Finding, report: Report, said: str) -> None:
    interpreter = report.get("interpreter", 0)
    if report["state"] != "running":
        why = report.get("reason") or _reason_said(said)
        text = f"the probe is off{f' in sub-interpreter {interpreter}' if interpreter else ''}: {why}"
        if finding.probe == "none":
            finding.probe, finding.why, finding.mend = "off", text, "mend what it says"
        finding.missing.append(text)
        return
    finding.probe = "running"
    if not interpreter:
        finding.core = f"{report['core']} core, Python {report['python']}"
    before = f"{interpreter}:" if interpreter else ""
    for plugin in report["plugins"]:
        if plugin["state"] == "waiting" and not plugin["modules"]:
            if not interpreter:
                finding.not_imported.append(plugin["name"])
            continue
        row = _row(plugin, finding, early=_package(plugin) in report["early"])
        row.library = before + row.library
        finding.rows.append(row)
        if plugin["state"] == "refused":
            finding.missing.append(f"{row.library} is not seen: {row.why}")
    finding.rows.sort(key=lambda row: (_ORDER.index(row.cause), row.library))
    for place, fault in report["faults"].items():
        finding.missing.append(f"{fault['times']} faults of the probe at {place}, the last: {fault['last']}")
    if finding.requests and not finding.spans.get("server") and not interpreter:
        finding.missing.append(f"it answered {finding.requests} requests, and none is seen: {_why_no_entry(finding)}")


def _package(plugin: Report) -> str:
    return str(plugin["modules"][0].partition(".")[0]) if plugin["modules"] else str(plugin["name"])


def _row(plugin: Report, finding: Finding, *, early: bool) -> Row:
    name = plugin["name"]
    row = Row(name, plugin["version"], _SIGNALS.get(name, "calls"))
    if plugin["state"] == "off":
        row.cause, row.why, row.mend = "off", "switched off by a setting", f"take {name} out of plugins_off"
    elif plugin["state"] == "refused":
        row.cause, row.why, row.mend = "refused", plugin["reason"], "this is a fault of ours: please report it"
        if "is not among" in row.why:
            row.mend = "install a version that is supported, see docs/plugins"
    elif plugin["state"] == "waiting":
        row.cause, row.why = "not imported", f"not imported yet: {', '.join(plugin['modules'][:2])}"
    else:
        _judge(row, finding, called=plugin["called"])
    if early and not row.seen and plugin["state"] == "active":
        row.why += "; imported before the probe started, so names taken from it then are not wrapped"
        row.mend = "call `sonde.start()` before that import, or leave out the .pth file that makes it"
    return row


def _judge(row: Row, finding: Finding, *, called: bool) -> None:
    """Of a library that is wrapped. A call is not enough: some points are called when a program is set up."""
    kinds = _KINDS.get(row.signal, ())
    row.seen = called and (not kinds or any(finding.spans.get(kind) for kind in kinds))
    if row.seen:
        return
    row.cause = "no call"
    if row.signal != "requests":
        row.why = f"set up, but no span of its {row.signal} arrived" if called else "wrapped, but no call was made"
        row.mend = "make requests that lead to calls of what is wrapped: --request /path"
    elif called and finding.requests:
        row.cause, row.why = "failed", f"it answered {finding.requests} requests, and no server span arrived"
        row.mend = "see what it says on standard error (--show-output), and report it"
    else:
        row.why = "wrapped, but it served no request" if called else "wrapped, but it serves nothing here"


def _why_no_entry(finding: Finding) -> str:
    refused = [row for row in finding.rows if row.signal == "requests" and row.cause in {"refused", "off"}]
    if refused:
        return f"{refused[0].library}: {refused[0].why}"
    if any(row.signal in {"requests", "routes"} for row in finding.rows):
        return "its servers and frameworks are wrapped, but no span was made"
    return "its server and its framework are none that Sonde knows"


def _reason_said(output: str) -> str:
    reasons = re.findall(r"^sonde: the probe is off: (.*)$", output, re.MULTILINE)
    return reasons[-1] if reasons else "see its standard error (--show-output)"
