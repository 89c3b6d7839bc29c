"""A process that has no probe, or that is not heard of, looked at from outside by py-spy, where that is installed."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonde.cli import CommandError
from sonde.wire.profile import Frame, Tree, shares, written

if TYPE_CHECKING:
    from sonde.cli.debugging.conversation import Interrupts
    from sonde.cli.debugging.files import Files
    from sonde.cli.debugging.progress import Progress

CAN = ("stacks", "cpu")
HZ = 100
MAX_NODES = 200_000
DUMPS_WITHIN_S = 30.0
ENDS_WITHIN_S = 30.0
_ROWS = 100
_NOTE = "Seen from outside, by py-spy: the process has no probe, or has not been heard of."


def py_spy() -> str | None:
    """The program."""
    beside = Path(sys.executable).with_name("py-spy")
    return str(beside) if beside.is_file() else shutil.which("py-spy")


def look(
    pid: int, tool: str, seconds: float, files: Files, progress: Progress, interrupts: Interrupts
) -> dict[str, Any]:
    """The event `result`. Raises CommandError."""
    program = py_spy()
    if program is None:
        raise CommandError("py-spy is not installed: pip install 'sonde[debug]' brings it")
    began, started_at = time.monotonic(), datetime.now(UTC)
    if tool == "stacks":
        progress.say(f"py-spy looks at process {pid}")
        summary, artifacts = _stacks(program, pid)
    else:
        summary, artifacts = _cpu(program, pid, seconds, progress, interrupts)
    listed = []
    for name, content in artifacts.items():
        files.add(name, 0, content)
        listed.append({"name": name, "media_type": "application/json", **_facts(content)})
    document = {
        "format": "sonde.result.v1",
        "tool": tool,
        "pid": pid,
        "service": "",
        "instance": "",
        "python": "",
        "started_at": started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "seconds": round(time.monotonic() - began, 3),
        "notes": [_NOTE],
        "summary": summary,
    }
    return {"event": "result", "document": document, "artifacts": listed}


def _facts(content: bytes) -> dict[str, Any]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _stacks(program: str, pid: int) -> tuple[dict[str, Any], dict[str, bytes]]:
    try:
        ended = subprocess.run(
            [program, "dump", "--json", "--pid", str(pid)],
            capture_output=True,
            text=True,
            timeout=DUMPS_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CommandError(f"py-spy has not answered within {DUMPS_WITHIN_S:.0f} s") from None
    if ended.returncode:
        raise CommandError(_why(ended.stderr))
    threads = json.loads(ended.stdout)
    texts = {}
    for thread in threads:
        name = f"{thread.get('thread_name') or 'thread'} {thread.get('os_thread_id') or thread.get('thread_id')}"
        state = "active" if thread.get("active") else "idle"
        lines = [f"{frame.get('filename')}:{frame.get('line')} {frame.get('name')}" for frame in thread["frames"]]
        texts[f"{name} ({state})"] = "\n".join(lines) + "\n \n"
    return {"threads": len(threads), "stacks": texts}, {"stacks-py-spy.json": ended.stdout.encode()}


def _cpu(
    program: str, pid: int, seconds: float, progress: Progress, interrupts: Interrupts
) -> tuple[dict[str, Any], dict[str, bytes]]:
    with tempfile.TemporaryDirectory(prefix="sonde-debug-") as folder:
        raw = Path(folder) / "raw"
        command = [program, "record", "--pid", str(pid), "--format", "raw", "--rate", str(HZ), "--output", str(raw)]
        command += ["--duration", str(max(1, round(seconds))), "--threads", "--full-filenames"]
        began = time.monotonic()
        # A session of its own: Ctrl-C reaches it through us.
        spy = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )
        try:
            said = _watched(spy, seconds, progress, interrupts)
        finally:
            if spy.poll() is None:
                spy.kill()
            spy.wait()
        if not raw.is_file():
            raise CommandError(_why(said))
        tree = Tree(MAX_NODES)
        for line in raw.read_text(errors="replace").splitlines():
            stack, _, count = line.rpartition(" ")
            if count.isdigit():
                frames = [_frame(text) for text in stack.split(";")]
                tree.add(frames, int(count) * (1_000_000_000 // HZ), int(count))
    profile = tree.profile("cpu", "nanoseconds", 1_000_000_000 // HZ, int((time.monotonic() - began) * 1e9))
    functions = [
        {
            "name": share.frame.name,
            "file": share.frame.file,
            "self_ns": share.self_weight,
            "total_ns": share.total_weight,
        }
        for share in shares(profile)[:_ROWS]
    ]
    return {"hz": HZ, "functions": functions}, {"profile.json": written(profile)}


def _watched(spy: subprocess.Popen[bytes], seconds: float, progress: Progress, interrupts: Interrupts) -> str:
    """What it said to standard error, once it has ended."""
    began, asked = time.monotonic(), interrupts.count
    while True:
        try:
            _, error = spy.communicate(timeout=0.2)
        except subprocess.TimeoutExpired:
            passed_s = time.monotonic() - began
            progress.say(f"{passed_s:.0f} of {seconds:.0f} s · py-spy looks {HZ} times a second")
            if interrupts.count > asked:
                asked = interrupts.count
                spy.send_signal(signal.SIGINT)  # it writes what it has
            if passed_s > seconds + ENDS_WITHIN_S:
                raise CommandError("py-spy does not end") from None
        else:
            return error.decode(errors="replace")


def _frame(text: str) -> tuple[Frame, int]:
    """Of `name (file:line)`."""
    name, _, place = text.rpartition(" (")
    file, _, line = place.rstrip(")").rpartition(":")
    if not name or not file or not line.isdigit():
        return Frame(text, "", 0), 0
    return Frame(name, file, 0), int(line)


def _why(said: str) -> str:
    """py-spy's own words, and what to do."""
    words = " ".join(said.split())[:400] or "it said nothing"
    if "ermission" in words or "root" in words:
        return f"py-spy may not look into the process; try as root, or allow ptrace ({words})"
    return f"py-spy failed: {words}"
