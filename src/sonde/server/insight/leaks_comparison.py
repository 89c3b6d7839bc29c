"""Two runs of `leaks` beside each other: lines that are new, have gone, keep more or less of each request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.server.reports.comparisons import LeakChange, LeaksComparison

if TYPE_CHECKING:
    from sonde.server.insight.run_files import LeaksFile, LeakSite
    from sonde.server.reports.comparisons import ChangeState

MOST_SITES = 2000
"""So many lines are in a file at most; see docs/tools/leaks.md."""
SAME_SHARE = 0.05
"""A line that keeps of each request as much as before, but for so much of the larger one, is the same,"""
SAME_BYTES = 1.0
"""and so is one that differs by less than so many bytes."""
_ORDER: tuple[ChangeState, ...] = ("new", "grown", "shrunk", "gone", "same")

_Key = tuple[str, int, str, str]


def compared(before: LeaksFile, now: LeaksFile) -> LeaksComparison:
    """What changed from `before` to `now`. A line is known by file, number, type, and its place in a library."""
    then, here = _sites(before), _sites(now)
    lines = [_change(key, then.get(key), here.get(key)) for key in then.keys() | here.keys()]
    lines.sort(key=_urgency)
    return LeaksComparison(
        before_requests=before.loops,
        now_requests=now.loops,
        before_leaked_bytes=before.leaked_bytes,
        now_leaked_bytes=now.leaked_bytes,
        lines=lines,
        cut=max(len(before.sites), len(now.sites)) >= MOST_SITES,
    )


def _urgency(row: LeakChange) -> tuple[bool, int, float, str, int]:
    """What leaks, or did, comes first."""
    leaks = "leak" in {row.before_verdict, row.now_verdict}
    return not leaks, _ORDER.index(row.state), -abs(row.change_bytes_per_request), row.file, row.line


def _sites(leaks: LeaksFile) -> dict[_Key, LeakSite]:
    """The first one of each, which is the most urgent one."""
    found: dict[_Key, LeakSite] = {}
    for site in leaks.sites:
        via = f"{site.via.file}:{site.via.line}" if site.via else ""
        found.setdefault((site.file, site.line, site.type, via), site)
    return found


def _change(key: _Key, then: LeakSite | None, here: LeakSite | None) -> LeakChange:
    file, line, kind, via = key
    was, is_ = then.bytes_per_loop if then else None, here.bytes_per_loop if here else None
    change = (is_ or 0.0) - (was or 0.0)
    last = here or then
    return LeakChange(
        file=file,
        line=line,
        type=kind,
        via=via,
        state=_state(was, is_),
        before_verdict=then.verdict if then else None,
        now_verdict=here.verdict if here else None,
        before_bytes=then.bytes if then else None,
        now_bytes=here.bytes if here else None,
        before_blocks=then.blocks if then else None,
        now_blocks=here.blocks if here else None,
        before_bytes_per_request=was,
        now_bytes_per_request=is_,
        change_bytes_per_request=round(change, 1),
        approximate=any(site.approximate for site in (then, here) if site),
        held_by=last.held_by if last else "",
    )


def _state(was: float | None, is_: float | None) -> ChangeState:
    if was is None:
        return "new"
    if is_ is None:
        return "gone"
    change = is_ - was
    if abs(change) < SAME_BYTES or abs(change) <= SAME_SHARE * max(abs(was), abs(is_)):
        return "same"
    return "grown" if change > 0 else "shrunk"
