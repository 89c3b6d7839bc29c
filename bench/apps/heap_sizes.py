"""A process with so many dicts and so many MiB of plain bytes, looked at by `heap`: what that took, as JSON."""

from __future__ import annotations

import json
import sys
import threading
import time

PAUSE_S = 0.0005


def main(dicts: int, mib: int) -> None:
    """A thread sleeps for half a millisecond again and again: what it oversleeps is what an application feels."""
    from sonde.probe.tools.heap import Heap

    kept = [{"id": number, "name": f"name {number}"} for number in range(dicts)]
    plain = [b"x" * (1 << 20) for _ in range(mib)]
    options = {name: option.default for name, option in Heap.options.items()} | {"max_pause_ms": 10_000.0}
    stop = threading.Event()
    felt_s = [0.0]

    def feel() -> None:
        last = time.perf_counter()
        while not stop.is_set():
            time.sleep(PAUSE_S)
            now = time.perf_counter()
            felt_s[0] = max(felt_s[0], now - last - PAUSE_S)
            last = now

    thread = threading.Thread(target=feel)
    thread.start()
    time.sleep(0.2)
    felt_before_s, felt_s[0] = felt_s[0], 0.0
    tool = Heap()
    began = time.perf_counter()
    tool.start(options, 0)
    looked_s = time.perf_counter() - began
    summary = tool.stop().summary
    stop.set()
    thread.join()
    found = {name: summary[name] for name in ("objects", "longest_pause_ms", "cpu_ms")}
    found |= {"rss": summary["memory"]["kernel"]["rss"], "looked_s": looked_s, "needs": Heap.needs_bytes(options)}
    found |= {"felt_ms": felt_s[0] * 1000, "felt_before_ms": felt_before_s * 1000, "kept": len(kept) + len(plain)}
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
