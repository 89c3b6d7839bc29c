"""cpu: where time goes. Looks at the stacks of all threads some hundred times a second, and counts.

The looking is done in C by a thread without the GIL (native/tools/cpu), which stops nobody. Where that is not possible,
a thread of Python's does it, worse: see cpu_in_python.py.
"""

from __future__ import annotations

import threading
from array import array
from time import monotonic_ns

from sonde.probe.tools.cpu_in_python import PythonSampler
from sonde.probe.tools.thread_names import chosen, thread_names
from sonde.probe.tools.tool import Artifact, Option, Result, State, ToolError
from sonde.wire.profile import MEDIA_TYPE, NO_PARENT, Frame, Node, Profile, Sample, shares, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType
    from typing import Any, ClassVar

ROWS = 100
"""Of the tables in the summary."""
MAX_HZ = 1000
_OTHER = 0
"""The native sampler's number for functions that found no room; as a root, it stands for a thread."""
_TRACE_DIGITS = 32
_BYTES_A_NODE = 160


def _native() -> tuple[ModuleType | None, str]:
    """The C part, or why it cannot be used here."""
    try:
        from sonde.probe.tools import _cpu
    except ImportError:
        return None, "the native sampler was not built for this Python"
    why_not = _cpu.init()
    return (None, why_not) if why_not else (_cpu, "")


class Cpu:
    """One run."""

    name: ClassVar[str] = "cpu"
    heavy: ClassVar[bool] = True
    at_once: ClassVar[bool] = False
    options: ClassVar[Mapping[str, Option]] = {
        "mode": Option(
            default="cpu",
            doc="cpu: a thread counts for the CPU that it uses; wall: for the time that passes, waiting included",
            choices=("cpu", "wall"),
        ),
        "hz": Option(default=100, doc="looks a second", at_least=1, at_most=MAX_HZ),
        "threads": Option(
            default="", doc="only these: names (* stands for anything) or native ids, with commas between"
        ),
        "endpoint": Option(
            default="",
            doc="only threads that serve a request of this endpoint, as traces name it; * stands for anything",
        ),
        "trace": Option(default="", doc="only threads that are in a span of this trace: 32 hex digits"),
        "idle": Option(default=False, doc="with mode wall: also threads that wait for work"),
        "by_thread": Option(default=False, doc="a tree for each thread, instead of one for all"),
        "max_nodes": Option(
            default=50_000, doc="places in the tree; stacks beyond are counted only", at_least=100, at_most=500_000
        ),
    }

    def __init__(self) -> None:
        self._options: Mapping[str, Any] = {}
        self._names: dict[int, str] = {}
        self._own_tid = 0
        self._began_ns = 0
        self._native: ModuleType | None = None
        self._python: PythonSampler | None = None
        self._why_python = ""

    @classmethod
    def state(cls) -> State:
        """It always can; how well depends."""
        native, why_not = _native()
        if native is None:
            return State(
                unlock="a wheel of sonde for CPython 3.11 to 3.13",
                exact="what is seen was so at that moment",
                approximate=f"the sampler takes the GIL ({why_not}): fewer looks than asked for, and more of them at "
                "places that let go of the GIL; no filter by endpoint or trace",
            )
        return State(
            exact="CPU time per thread; the functions and lines of each stack that was looked at",
            approximate="shares: a function with n samples is known to about 1/sqrt(n); a stack that changes while it "
            "is read may join two moments a microsecond apart; tasks that wait are on no stack, use `stacks`",
        )

    @classmethod
    def needs_bytes(cls, options: Mapping[str, Any]) -> int:
        """Memory of a run at its largest, about."""
        return (8 << 20) + _BYTES_A_NODE * int(options["max_nodes"])

    def start(self, options: Mapping[str, Any], seconds: float) -> None:  # noqa: ARG002 - the host ends it
        """Look at all threads but the calling one."""
        trace_id = _trace_id(options["trace"])
        native, why_not = _native()
        self._options = options
        self._own_tid = threading.get_native_id()
        self._names = thread_names()
        if native is None:
            self._start_in_python(why_not)
        else:
            self._start_native(native, trace_id)
        self._began_ns = monotonic_ns()

    def _start_native(self, native: ModuleType, trace_id: bytes) -> None:
        options = self._options
        if (trace_id or options["endpoint"]) and not native.spans():
            raise ToolError(
                "unavailable",
                "cpu: only the native recorder knows which request a thread serves, and it is not in use here",
            )
        if native.running():
            raise ToolError("busy", "cpu: another run of it is under way in this process")
        native.choose(chosen(options["threads"], self._names), [self._own_tid])
        try:
            native.start(
                hz=options["hz"],
                max_nodes=options["max_nodes"],
                wall=options["mode"] == "wall",
                keep_idle=options["idle"],
                by_thread=options["by_thread"],
                endpoint=options["endpoint"],
                trace_id=trace_id,
            )
        except ValueError as error:
            raise ToolError("bad_options", f"cpu: {error}") from error
        except OSError as error:
            raise ToolError("error", f"cpu: the sampler's thread cannot be started: {error}") from error
        self._native = native

    def _start_in_python(self, why_not: str) -> None:
        if self._options["endpoint"] or self._options["trace"]:
            raise ToolError(
                "unavailable", f"cpu: a filter by endpoint or trace needs the native sampler, and {why_not}"
            )
        sampler = PythonSampler(self._options, self._own_tid)
        sampler.start()
        self._python, self._why_python = sampler, why_not

    def progress(self) -> str:
        """How many samples so far. New threads are learned here."""
        self._names.update(thread_names())
        if self._native is not None:
            if self._options["threads"]:
                self._native.choose(chosen(self._options["threads"], self._names), [self._own_tid])
            return f"{self._native.counts()['samples']:,} samples"
        return f"{self._python.samples:,} samples" if self._python else ""

    def cpu_s(self) -> float:
        """Of the sampler's thread."""
        if self._native is not None:
            return float(self._native.counts()["own_cpu_ns"]) / 1e9
        return self._python.cpu_s() if self._python else 0.0

    def stop(self) -> Result:
        """End it, and say where the time went."""
        native, self._native = self._native, None
        if native is not None:
            return self._native_result(native)
        sampler, self._python = self._python, None
        if sampler is None:
            raise ToolError("error", "cpu: it does not run")
        sampler.stop()
        duration_ns = monotonic_ns() - self._began_ns
        profile = sampler.tree.profile(self.name, "nanoseconds", 10**9 // self._options["hz"], duration_ns)
        summary = self._summary(profile, sampler.counts(), [])
        note = (
            f"Seen by a thread that takes the GIL, since {self._why_python}: it looked {sampler.rounds:,} times of "
            f"{sampler.rounds + sampler.missed:,} asked for, more often where the program lets go of the GIL."
        )
        return Result(summary, [note], [Artifact("profile.json", MEDIA_TYPE, written(profile))])

    def _native_result(self, native: ModuleType) -> Result:
        self._names.update(thread_names())
        try:
            functions, nodes, threads = native.stop()
            duration_ns = monotonic_ns() - self._began_ns
            counts = native.counts()
        finally:
            native.close()
        profile = self._profile(functions, nodes, duration_ns)
        summary = self._summary(profile, counts, self._thread_rows(threads))
        return Result(summary, self._notes(counts), [Artifact("profile.json", MEDIA_TYPE, written(profile))])

    def abort(self) -> None:
        """End it."""
        native, self._native = self._native, None
        sampler, self._python = self._python, None
        if native is not None:
            native.close()
        if sampler is not None:
            sampler.stop()

    def after_fork(self) -> None:
        """The child is looked at by nobody."""
        native, self._native = self._native, None
        self._python = None
        if native is not None:
            native.after_fork()

    def _profile(self, functions: list[tuple[str, str, int]], tree: tuple[bytes, bytes], duration_ns: int) -> Profile:
        profile = Profile(self.name, "nanoseconds", period_ns=10**9 // self._options["hz"], duration_ns=duration_ns)
        profile.frames = [Frame(*function) for function in functions]
        roots: dict[int, int] = {}
        places, seen = array("i"), array("Q")
        places.frombytes(tree[0])
        seen.frombytes(tree[1])
        for at in range(len(places) // 3):
            parent, function, line = places[3 * at : 3 * at + 3]
            if self._options["by_thread"] and parent == NO_PARENT and function == _OTHER:
                if line not in roots:
                    roots[line] = len(profile.frames)
                    profile.frames.append(Frame(self._names.get(line, f"thread {line}"), "", 0))
                function, line = roots[line], 0
            profile.nodes.append(Node(parent, function, line))
            count, weight = seen[2 * at : 2 * at + 2]
            if count:
                profile.samples.append(Sample(at, weight, count))
        return profile

    def _thread_rows(self, threads: list[tuple[int, ...]]) -> list[dict[str, Any]]:
        rows = [
            {
                "name": self._names.get(tid, f"thread {tid}"),
                "tid": tid,
                "cpu_ns": cpu_ns,
                "weight_ns": weight,
                "samples": samples,
                "idle": idle,
                "gil_share": round(gil / looks, 3) if looks else 0.0,
            }
            for tid, _, cpu_ns, weight, samples, idle, looks, gil in threads
            if looks
        ]
        return sorted(rows, key=lambda row: (row["weight_ns"], row["cpu_ns"]), reverse=True)

    def _summary(self, profile: Profile, counts: Mapping[str, int], threads: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "mode": self._options["mode"],
            "hz": self._options["hz"],
            "duration_ns": profile.duration_ns,
            "total_ns": sum(sample.weight for sample in profile.samples),
            **counts,
            "native": self._why_python == "",
            "functions": [
                {
                    "name": share.frame.name,
                    "file": share.frame.file,
                    "line": share.frame.first_line,
                    "self_ns": share.self_weight,
                    "total_ns": share.total_weight,
                    "samples": share.self_count,
                }
                for share in shares(profile)[:ROWS]
            ],
            "threads": threads[:ROWS],
        }

    def _notes(self, counts: Mapping[str, int]) -> list[str]:
        notes = []
        wanted = self._options["endpoint"] or self._options["trace"]
        if wanted and not counts["samples"]:
            notes.append(f"No thread was seen in {wanted}: did a request of it come in that time?")
        if not counts["samples"] and not wanted:
            notes.append("Nothing ran in that time, as far as was looked at.")
        if counts["missed"] * 20 > counts["rounds"]:
            notes.append(
                f"{counts['missed']:,} of {counts['rounds'] + counts['missed']:,} looks did not happen in time: the "
                "machine is busy, or there are very many threads. Weights allow for that."
            )
        if counts["dropped"]:
            notes.append(f"{counts['dropped']:,} samples found no room in the tree: ask for more max_nodes.")
        if counts["torn"] * 100 > counts["samples"]:
            notes.append(f"{counts['torn']:,} stacks moved while they were read, and are not in the profile.")
        if counts["cut"]:
            notes.append(f"{counts['cut']:,} stacks were deeper than 4,096 frames and lack the outermost.")
        if counts["idle"]:
            notes.append(f"{counts['idle']:,} stacks that waited for work are left out; the option `idle` shows them.")
        return notes


def _trace_id(said: str) -> bytes:
    if not said:
        return b""
    try:
        found = bytes.fromhex(said)
    except ValueError:
        found = b""
    if len(found) * 2 != _TRACE_DIGITS:
        raise ToolError("bad_options", f"cpu: trace is 32 hex digits, not {said[:64]!r}")
    return found
