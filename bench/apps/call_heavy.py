"""Code that does nothing but tiny calls: recursion, methods, generators, comprehensions, built-in functions.

The worst there is for whatever watches calls: a call takes some 80 ns by itself.
`python -m bench.apps.call_heavy ROUNDS` measures by turns what watching costs, and prints the figures as JSON.
"""

from __future__ import annotations

import cProfile
import json
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCALE = 250


class Point:
    """Two numbers."""

    __slots__ = ("x", "y")

    def __init__(self, x: int, y: int) -> None:
        self.x = x
        self.y = y

    def plus(self, other: Point) -> Point:
        """The sum."""
        return Point(self.x + other.x, self.y + other.y)

    def norm(self) -> int:
        """Of the first kind."""
        return abs(self.x) + abs(self.y)


def fib(n: int) -> int:
    """Slowly."""
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def doubles(n: int) -> Iterator[int]:
    """One resumption each."""
    for i in range(n):
        yield i * 2


def tokens(text: str) -> list[str]:
    """Three calls of C a word."""
    found = []
    for word in text.split():
        found.append(word.strip(",.").lower())  # noqa: PERF401 - the call of append is wanted
    return found


def count(counts: dict[str, int], key: str) -> None:
    """Once more."""
    counts[key] = counts.get(key, 0) + 1


def work(scale: int) -> None:
    """Some 4 calls deep."""
    for _ in range(scale):
        fib(16)
        point = Point(0, 0)
        for i in range(400):
            point = point.plus(Point(i, -i))
            point.norm()
        sum(doubles(1500))
        counts: dict[str, int] = {}
        for token in tokens("The quick brown fox, jumps over the lazy dog. " * 20):
            count(counts, token)
        sorted(counts.items(), key=lambda item: item[1])
        "".join([chr(65 + i % 26) for i in range(500)])


def watched(options: dict[str, Any]) -> Callable[[], Callable[[], int]]:
    """Switch our tool on; what is returned ends it, and says how many calls there were."""
    from sonde.probe.tools.calls import Calls

    def begin() -> Callable[[], int]:
        tool, on, done = Calls(), threading.Event(), threading.Event()
        calls: list[int] = []
        failed: list[Exception] = []

        def host() -> None:
            defaults = {name: option.default for name, option in Calls.options.items()}
            try:
                tool.start(defaults | options, 60)
            except Exception as error:
                failed.append(error)
                return
            finally:
                on.set()
            done.wait()
            calls.append(int(tool.stop().summary["calls"]))

        thread = threading.Thread(target=host)
        thread.start()
        on.wait()
        if failed:
            raise failed[0]

        def end() -> int:
            done.set()
            thread.join()
            return calls[0]

        return end

    return begin


def profiled() -> Callable[[], int]:
    """Likewise, cProfile."""
    profile = cProfile.Profile()
    profile.enable()

    def end() -> int:
        profile.disable()
        return sum(entry.callcount for entry in profile.getstats())

    return end


def bare() -> Callable[[], int]:
    """Nobody watches."""
    return lambda: 0


WAYS: dict[str, Callable[[], Callable[[], int]]] = {
    "nobody": bare,
    "calls, Python functions": watched({"c_functions": False}),
    "calls, C functions too": watched({"c_functions": True}),
    "calls, other endpoint": watched({"endpoint": "GET /nothing"}),
    "cProfile": profiled,
    "nobody, afterwards": bare,
}


def main(rounds: int) -> None:
    """CPU seconds of this thread for each way, by turns."""
    figures: dict[str, dict[str, Any]] = {name: {"cpu_s": [], "calls": 0} for name in WAYS}
    work(SCALE // 5)
    for _ in range(rounds):
        for name, begin in WAYS.items():
            try:
                end = begin()
            except Exception as error:
                figures[name]["failed"] = str(error)
                continue
            before = time.thread_time()
            work(SCALE)
            figures[name]["cpu_s"].append(time.thread_time() - before)
            figures[name]["calls"] = end()
    print(json.dumps(figures))


if __name__ == "__main__":
    main(int(sys.argv[1]))
