"""What the host is doing: one function a subject, each a reading of this moment as metrics.

Names and attributes follow OpenTelemetry's semantic conventions for system metrics.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from sonde.agent.host_metrics.otlp_metrics import Metric, Point

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from psutil._ntuples import sdiskpart

_BLOCK_DEVICES = Path("/sys/block")
_FILE_HANDLES = Path("/proc/sys/fs/file-nr")
_MOST_HANDLES = (1 << 63) - 1  # "as many as you like" is the largest unsigned number on some kernels
# What stands on other devices is left out: its bytes are counted there already.
_STACKED_DEVICES = ("loop", "ram", "zram", "dm-", "md")
_INNER_INTERFACES = ("lo", "veth", "ifb", "dummy")
_IMAGES = frozenset({"squashfs", "iso9660", "erofs"})  # read-only images are always full


class CpuClock:
    """CPU time between two readings."""

    def __init__(self) -> None:
        self._busy_s, self._total_s = self._read()

    def utilization(self) -> float:
        """Busy share of all cores since the last call, 0..1."""
        busy_s, total_s = self._read()
        busy, total = busy_s - self._busy_s, total_s - self._total_s
        self._busy_s, self._total_s = busy_s, total_s
        return min(max(busy / total, 0.0), 1.0) if total > 0 else 0.0

    @staticmethod
    def _read() -> tuple[float, float]:
        times = psutil.cpu_times()
        # The kernel counts guests in `user` and `nice` already.
        total_s = sum(times) - times.guest - times.guest_nice
        return total_s - times.idle - times.iowait, total_s


def cpu(clock: CpuClock) -> Iterator[Metric]:
    """Utilization, what the time went into, load and number of cores."""
    yield _gauge("system.cpu.utilization", "1", clock.utilization())
    yield Metric("system.cpu.time", "s", _by("cpu.mode", _cpu_modes()), _boot_unix_ns())
    for window, load in zip(("1m", "5m", "15m"), os.getloadavg(), strict=True):
        yield _gauge(f"system.cpu.load_average.{window}", "{thread}", load)
    yield _gauge("system.cpu.logical.count", "{cpu}", psutil.cpu_count() or 1)


def _cpu_modes() -> dict[str, float]:
    """Seconds since boot, of all cores together. Modes that a system does not tell apart are not there."""
    now = psutil.cpu_times()
    names = {"user": "user", "nice": "nice", "system": "system", "idle": "idle", "iowait": "iowait", "steal": "steal"}
    modes = {mode: getattr(now, name) for mode, name in names.items() if hasattr(now, name)}
    if hasattr(now, "irq"):
        modes["interrupt"] = now.irq + now.softirq
    return modes


def memory() -> Iterator[Metric]:
    """Memory and swap. The states of memory add up to the limit."""
    now = psutil.virtual_memory()
    states = {"free": now.free, "cached": now.cached, "buffers": now.buffers}
    states["used"] = max(0, now.total - sum(states.values()))
    yield Metric("system.memory.usage", "By", _by("system.memory.state", states))
    yield _gauge("system.memory.limit", "By", now.total)
    swap = psutil.swap_memory()
    yield Metric("system.paging.usage", "By", _by("system.paging.state", {"used": swap.used, "free": swap.free}))


def filesystems() -> Iterator[Metric]:
    """Bytes and inodes of what is mounted from a disk, and of the root whatever it is (a container's overlay)."""
    usage, inodes = [], []
    for part in _disk_partitions():
        facts = {
            "system.device": part.device,
            "system.filesystem.mountpoint": part.mountpoint,
            "system.filesystem.type": part.fstype,
        }
        now = os.statvfs(part.mountpoint)
        # `free` is what an ordinary user may still write; what is kept for root counts as neither, as in df.
        states = {"used": (now.f_blocks - now.f_bfree) * now.f_frsize, "free": now.f_bavail * now.f_frsize}
        usage += _by("system.filesystem.state", states, facts)
        if now.f_files:  # btrfs and others have no fixed number
            inode_states = {"used": now.f_files - now.f_ffree, "free": now.f_favail}
            inodes += _by("system.filesystem.state", inode_states, facts)
    yield Metric("system.filesystem.usage", "By", usage)
    yield Metric("system.filesystem.inodes.usage", "{inode}", inodes)


def _disk_partitions() -> Iterable[sdiskpart]:
    """One for each device, where it is mounted highest. No network filesystems: a dead server hangs whoever asks."""
    parts: dict[str, sdiskpart] = {}
    candidates = [part for part in psutil.disk_partitions(all=True) if part.mountpoint == "/"]
    candidates += psutil.disk_partitions(all=False)
    for part in sorted(candidates, key=lambda part: len(part.mountpoint)):
        if part.fstype not in _IMAGES and os.path.isdir(part.mountpoint):  # noqa: PTH112 - a name, not a path of ours
            parts.setdefault(part.device, part)
    return parts.values()


def disks() -> Iterator[Metric]:
    """Bytes read and written since boot, by physical device."""
    devices = {path.name for path in _BLOCK_DEVICES.iterdir()} if _BLOCK_DEVICES.is_dir() else set()
    points: list[Point] = []
    for name, now in psutil.disk_io_counters(perdisk=True).items():
        if name in devices and not name.startswith(_STACKED_DEVICES):
            directions = {"read": now.read_bytes, "write": now.write_bytes}
            points += _by("disk.io.direction", directions, {"system.device": name})
    yield Metric("system.disk.io", "By", points, _boot_unix_ns())


def network() -> Iterator[Metric]:
    """Bytes and errors since boot, by interface to the outside."""
    traffic, errors = [], []
    for name, now in psutil.net_io_counters(pernic=True).items():
        if not name.startswith(_INNER_INTERFACES):
            facts = {"network.interface.name": name}
            directions = {"receive": now.bytes_recv, "transmit": now.bytes_sent}
            traffic += _by("network.io.direction", directions, facts)
            errors += _by("network.io.direction", {"receive": now.errin, "transmit": now.errout}, facts)
    yield Metric("system.network.io", "By", traffic, _boot_unix_ns())
    yield Metric("system.network.errors", "{error}", errors, _boot_unix_ns())


def file_handles() -> Iterator[Metric]:
    """Open files of the whole system, and how many there may be. Linux alone tells."""
    if not _FILE_HANDLES.exists():
        return
    allocated, free, limit = map(int, _FILE_HANDLES.read_text().split())
    yield _gauge("system.file_handles.usage", "{handle}", allocated - free)
    yield _gauge("system.file_handles.limit", "{handle}", min(limit, _MOST_HANDLES))


def process_count() -> Iterator[Metric]:
    """How many processes there are."""
    yield _gauge("system.process.count", "{process}", len(psutil.pids()))


def _boot_unix_ns() -> int:
    return int(psutil.boot_time()) * 1_000_000_000


def _gauge(name: str, unit: str, value: float) -> Metric:
    return Metric(name, unit, [Point(value, {})])


def _by(key: str, values: Mapping[str, float], more: dict[str, str] | None = None) -> list[Point]:
    return [Point(value, {key: state, **(more or {})}) for state, value in values.items()]
