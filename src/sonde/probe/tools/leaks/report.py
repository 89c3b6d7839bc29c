"""What a run says of leaks: the summary, and leaks.json (`sonde.leaks.v1`, see docs/tools/leaks.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe.tools.leaks.chains import chains
from sonde.probe.tools.leaks.ledger import WINDOWS, Account, Spread, Verdict, judge, spread_of, windows

if TYPE_CHECKING:
    from sonde.probe.tools.leaks.chains import Chain
    from sonde.probe.tools.leaks.lines import Growing
    from sonde.probe.tools.leaks.tracker import Tracker

FORMAT = "sonde.leaks.v1"
ROWS = 100
MOST_SITES = 2000
MOST_CHAINS = 40
MOST_ROUTES = 200
_RANK = {"leak": 0, "unsure": 1, "growing": 2, "bounded": 3, "warm-up": 4}


class _Site:
    """An account with what was made of it."""

    def __init__(self, account: Account, spread: Spread, verdict: Verdict) -> None:
        self.account = account
        self.spread = spread
        self.verdict = verdict
        self.chain: Chain | None = None


def report(tracker: Tracker) -> dict[str, Any]:
    """The document. To be called while the hooks are set, after a full collection."""
    native: Any = tracker._native  # noqa: SLF001 - one thing in two files
    bounds = windows(tracker.first_judged + 1, max(tracker.last_judged, tracker.first_judged + 1))
    spreads = native.spread(bounds)
    sites = []
    for account in tracker.ledger.accounts.values():
        spread = spread_of(account, spreads)
        sites.append(_Site(account, spread, judge(account, spread, bounds)))
    _confirmed(sites, tracker)
    kept = [site for site in sites if site.account.size > 0]
    kept.sort(key=lambda site: (_RANK[site.verdict.word], -site.account.size))
    _find_chains(native, kept)
    kept.sort(key=lambda site: (_RANK[site.verdict.word], -site.account.size))
    return {
        "format": FORMAT,
        "tool": "leaks",
        "loops": max(tracker.judged_count - 1, 0),
        "exact": tracker.exact and bool(native.figures()["exact"]),
        "bytes": tracker.ledger.size,
        "leaked_bytes": sum(site.account.size for site in kept if site.verdict.word == "leak"),
        "sites": [_row(site, tracker, bounds) for site in kept[:MOST_SITES]],
        "growing": [
            {"place": one.place, "times": one.times, "bytes": one.size} for one in _growing(tracker, bounds)[:ROWS]
        ],
        "routes": _routes(native, tracker, bounds),
        "memory": [list(point) for point in tracker.resident.points],
    }


def _growing(tracker: Tracker, bounds: list[int]) -> list[Growing]:
    """What still grew in the last part of the run."""
    late = [one for loop, one in tracker.growing.values() if loop >= bounds[-2]]
    return sorted(late, key=lambda one: -one.size)


def _confirmed(sites: list[_Site], tracker: Tracker) -> None:
    """Lines that share their wrong line with another one were seen for a few loops only, and in each of them."""
    judged = {site.account.place: site.verdict for site in sites}
    for first, others in tracker.ledger.shared.items():
        if judged.get(first, Verdict("", "")).word != "leak":
            continue
        for site in sites:
            if site.account.place in others:
                site.verdict = Verdict("leak", "it kept memory in each loop that was looked at closely")


def _find_chains(native: Any, sites: list[_Site]) -> None:
    """Of the largest that may be leaks; who is bounded is none."""
    asked, addresses = [], []
    for site in sites[:MOST_CHAINS]:
        if site.verdict.word not in {"leak", "unsure"}:
            continue
        for group in sorted(site.account.groups, key=lambda group: -site.account.groups[group][0])[:2]:
            samples = native.samples(group, 3)
            if samples:
                asked.append(site)
                addresses.append(samples[len(samples) // 2][0])
    for site, chain in zip(asked, chains(native, addresses) if addresses else [], strict=True):
        if chain is not None and (site.chain is None or len(chain.steps) < len(site.chain.steps)):
            site.chain = chain
    for site in asked:
        if site.chain is not None and site.chain.bound is not None:
            site.verdict = Verdict("bounded", f"it is held by something that takes at most {site.chain.bound} entries")


def _row(site: _Site, tracker: Tracker, bounds: list[int]) -> dict[str, Any]:
    account = site.account
    loops = max(bounds[-1] - bounds[0], 1)
    before = account.at(bounds[0] - 1).size
    return {
        "file": account.place.file,
        "line": account.place.line,
        "type": account.place.kind or (f"memory of {site.chain.holder}" if site.chain is not None else "memory"),
        "via": {"file": account.via[0], "line": account.via[1]} if account.via else None,
        "verdict": site.verdict.word,
        "why": site.verdict.why,
        "bytes": account.size,
        "blocks": account.blocks,
        "bytes_per_loop": round((account.size - before) / loops, 1),
        "windows": list(site.spread.sizes),
        "approximate": account.approximate and account.place not in tracker.ledger.confirmed,
        "chain": site.chain.steps if site.chain is not None else [],
        "held_by": str(site.chain) if site.chain is not None else "",
        "series": [[point.loop, point.size] for point in account.series],
    }


def _routes(native: Any, tracker: Tracker, bounds: list[int]) -> list[dict[str, Any]]:
    """What requests of each route have left, over the time of the run."""
    live = native.by_loop()
    found: dict[str, dict[str, Any]] = {}
    for loop, route in tracker.routes.items():
        row = found.setdefault(
            route,
            {"route": route, "loops": 0, "bytes": 0, "window_bytes": [0] * WINDOWS, "window_loops": [0] * WINDOWS},
        )
        window = next((at for at in range(WINDOWS) if loop < bounds[at + 1]), WINDOWS - 1)
        size = live.get(loop, 0)
        row["loops"] += 1
        row["bytes"] += size
        row["window_bytes"][window] += size
        row["window_loops"][window] += 1
    rows = sorted(found.values(), key=lambda row: -row["bytes"])[:MOST_ROUTES]
    for row in rows:
        row["bytes_per_loop"] = round(row["bytes"] / row["loops"], 1)
    return rows
