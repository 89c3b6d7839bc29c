"""What the kernel and the allocators say of this process's memory, beside what the objects in it take up."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

_ROLLUP = "/proc/self/smaps_rollup"
_STATUS = "/proc/self/status"
_ROWS = {
    "arena_bytes": re.compile(r"arenas \* \d+ bytes/arena += +([\d,]+)"),
    "used_bytes": re.compile(r"# bytes in allocated blocks += +([\d,]+)"),
    "free_bytes": re.compile(r"# bytes in available blocks += +([\d,]+)"),
    "unused_pool_bytes": re.compile(r"unused pools \* \d+ bytes += +([\d,]+)"),
}
"""Of the text that the allocator of objects writes for people; the same from 3.11 to 3.13."""


def kernel_memory() -> dict[str, int]:
    """Bytes: `rss`, `private` (USS: what would be free if the process ended), `shared`, `swapped`. What the kernel does
    not say is missing.
    """
    sizes: dict[str, int] = {}
    for line in _lines(_ROLLUP):
        name, _, value = line.partition(":")
        words = value.split()
        if len(words) == 2 and words[1] == "kB":
            sizes[name] = int(words[0]) * 1024
    if not sizes:
        return {"rss": resident()}
    return {
        "rss": sizes.get("Rss", 0),
        "private": sizes.get("Private_Clean", 0) + sizes.get("Private_Dirty", 0),
        "shared": sizes.get("Shared_Clean", 0) + sizes.get("Shared_Dirty", 0),
        "swapped": sizes.get("Swap", 0),
    }


def resident() -> int:
    """Bytes, quickly."""
    return _status("VmRSS:")


def copied() -> int:
    """Bytes that a copy of the process has to have pages listed for: what is of files is listed when it is read."""
    return _status("RssAnon:") or resident()


def _status(name: str) -> int:
    return next((int(line.split()[1]) * 1024 for line in _lines(_STATUS) if line.startswith(name)), 0)


def object_allocator(native: ModuleType) -> dict[str, int]:
    """Bytes: `arena_bytes` taken from the system for objects up to 512 bytes, of which so many are used, free between
    used ones, or in pools that nobody uses. Empty where another allocator is in its place (PYTHONMALLOC).
    """
    text = native.objects()
    found = {name: row.search(text) for name, row in _ROWS.items()}
    return {name: int(match[1].replace(",", "")) for name, match in found.items() if match}


def _lines(path: str) -> list[str]:
    try:
        with open(path) as opened:  # noqa: PTH123 - the probe imports no pathlib
            return opened.read().splitlines()
    except OSError:
        return []
