"""How much memory this process may still take, before the system or its container ends somebody for it."""

from __future__ import annotations

_CGROUP = "/proc/self/cgroup"
_MOUNT = "/sys/fs/cgroup"
_UNLIMITED = 1 << 62


def headroom_bytes() -> int | None:
    """The least of what the host and each group around us have left. None where neither says."""
    known = [left for left in (_of_the_host(), *_of_the_groups()) if left is not None]
    return min(known, default=None)


def _of_the_host() -> int | None:
    text = _read("/proc/meminfo")
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    return None


def _of_the_groups() -> list[int | None]:
    """Of version 2 and of version 1; within a container its own group is the root of what is mounted."""
    found: list[int | None] = []
    for line in _read(_CGROUP).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            most, used, cache = "memory.max", "memory.current", "inactive_file"
            root = _MOUNT
        elif "memory" in controllers.split(","):
            most, used, cache = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
            root = f"{_MOUNT}/memory"
        else:
            continue
        parts = [part for part in path.split("/") if part and part != ".."]
        for depth in range(len(parts), -1, -1):
            folder = "/".join((root, *parts[:depth]))
            found.append(_left(f"{folder}/{most}", f"{folder}/{used}", f"{folder}/memory.stat", cache))
    return found


def _left(most: str, used: str, stat: str, cache: str) -> int | None:
    limit, now = _read(most).strip(), _read(used).strip()
    if not limit.isdigit() or not now.isdigit() or int(limit) >= _UNLIMITED:
        return None
    # What was read from files makes room by itself.
    given_back = next((int(line.split()[1]) for line in _read(stat).splitlines() if line.startswith(f"{cache} ")), 0)
    return max(0, int(limit) - int(now) + given_back)


def _read(path: str) -> str:
    """Empty where it cannot be read."""
    try:
        with open(path) as opened:  # noqa: PTH123 - the probe imports no pathlib
            return opened.read()
    except OSError:
        return ""
