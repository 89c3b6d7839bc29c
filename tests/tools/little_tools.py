"""Real tools, small enough to be seen through: they note what is done with them, in this module."""

from __future__ import annotations

import os
import time
from typing import ClassVar

from sonde.probe.tools.tool import Artifact, Option, Result, State, ToolError

done: list[tuple[str, int]] = []
"""What was called, and in which process."""


def note(word):
    done.append((word, os.getpid()))


def words():
    return [word for word, _ in done]


class Little:
    """Keeps nothing on, and counts how often it is asked how far it is."""

    name = "little"
    heavy = False
    at_once = False
    options: ClassVar = {
        "size": Option(0, "bytes of an artifact", at_least=0, at_most=1 << 27),
        "share": Option(0.5, "a part", at_least=0, at_most=1),
        "loud": Option(False, "say more"),
        "kind": Option("a", "which", choices=("a", "b")),
    }
    on = 0

    @classmethod
    def state(cls):
        return State(exact="everything")

    def start(self, options, seconds):
        note("start")
        type(self).on += 1
        self.given = options

    def progress(self):
        return "going"

    def cpu_s(self):
        return 0.0

    def stop(self):
        note("stop")
        type(self).on -= 1
        content = b"x" * self.given["size"]
        artifacts = [Artifact("a.bin", "application/octet-stream", content)] if content else []
        return Result({"given": self.given}, ["nothing special"], artifacts)

    def abort(self):
        note("abort")
        type(self).on -= 1

    def after_fork(self):
        note("after_fork")


class Heavy(Little):
    name = "heavy"
    heavy = True
    on = 0


class AtOnce(Little):
    name = "at_once"
    at_once = True
    on = 0


class Greedy(Little):
    """Uses a core."""

    name = "greedy"
    cpu_share = 0.1
    on = 0

    def start(self, options, seconds):
        super().start(options, seconds)
        self.began = time.monotonic()

    def cpu_s(self):
        return 60 + time.monotonic() - self.began


class Hungry(Heavy):
    """Needs more memory than there is."""

    name = "hungry"
    on = 0

    @classmethod
    def needs_bytes(cls, options):
        return 1 << 50


class Starving(Little):
    """Finds out when it is too late."""

    name = "starving"
    on = 0

    def stop(self):
        raise MemoryError


class Locked(Little):
    """Cannot be used here."""

    name = "locked"

    @classmethod
    def state(cls):
        return State(available=False, why_not="the kernel says no", unlock="sysctl kernel.yes=1")


class Speechless(Little):
    name = "speechless"

    @classmethod
    def state(cls):
        raise RuntimeError("what am I")


class Refusing(Little):
    name = "refusing"

    def start(self, options, seconds):
        raise ToolError("unavailable", "not today")


class BadStart(Little):
    name = "bad_start"

    def start(self, options, seconds):
        super().start(options, seconds)
        raise ValueError("start is broken")


class BadProgress(Little):
    name = "bad_progress"

    def progress(self):
        raise ValueError("progress is broken")


class BadCpu(Little):
    name = "bad_cpu"

    def cpu_s(self):
        raise ValueError("cpu_s is broken")


class BadStop(Little):
    name = "bad_stop"

    def stop(self):
        raise ValueError("stop is broken")


class BadAbort(Little):
    name = "bad_abort"

    def stop(self):
        raise ValueError("stop is broken")

    def abort(self):
        super().abort()
        raise ValueError("abort is broken")


class BadMaking(Little):
    name = "bad_making"

    def __init__(self):
        raise ValueError("making is broken")


class BadSummary(Little):
    name = "bad_summary"

    def stop(self):
        super().stop()
        return Result({"it": object()})


class BadName(Little):
    name = "bad_name"

    def stop(self):
        super().stop()
        return Result({}, [], [Artifact("../../etc/passwd", "text/plain", b"x")])


class LongSummary(Little):
    name = "long_summary"

    def stop(self):
        super().stop()
        return Result({"rows": ["x" * 1000] * 2000})


_KINDS = [kind for kind in list(globals().values()) if isinstance(kind, type) and issubclass(kind, Little)]
TOOLS = {kind.name: f"little_tools:{kind.__name__}" for kind in _KINDS} | {
    "missing": "little_tools:Missing",
    "nowhere": "no_such_module:Nowhere",
}
