"""Statistics by path: as many keys as there are paths."""

statistics = {}


def handler(i):
    path = f"/path/{i if i < 12 else i % 12}"
    entry = statistics.setdefault(path, {"count": 0, "bytes": 0})
    entry["count"] += 1
    entry["bytes"] += 10**6 + i
