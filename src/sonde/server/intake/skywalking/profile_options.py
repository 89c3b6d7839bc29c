"""What a profile task of SkyWalking can be told, as options of the tool `cpu`; the bounds are those of its agents."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sonde.wire.control import ToolState

TOOL = "cpu"
MAX_SECONDS = 900
LONGEST_ENDPOINT = 150
OPTIONS: dict[str, dict[str, Any]] = {
    "endpoint": {
        "default": "",
        "doc": "the request that is looked at, exactly as traces name it, for this agent knows no patterns",
        "at_least": 1,
        "at_most": None,
        "choices": [],
    },
    "period_ms": {
        "default": 20,
        "doc": "pause between two looks, in milliseconds",
        "at_least": 10,
        "at_most": 1000,
        "choices": [],
    },
    "min_duration_ms": {
        "default": 0,
        "doc": "look at a request only after it has taken so many milliseconds",
        "at_least": 0,
        "at_most": 60_000,
        "choices": [],
    },
    "requests": {
        "default": 9,
        "doc": "how many requests are looked at, at most",
        "at_least": 1,
        "at_most": 9,
        "choices": [],
    },
}


class BadOptionsError(ValueError):
    """The message says which, and what it may be."""


class ProfileOptions(NamedTuple):
    """Of one task."""

    endpoint: str
    period_ms: int
    min_duration_ms: int
    requests: int
    minutes: int
    """Theirs are counted in minutes; the run ends when its seconds are over all the same."""


def profile_options(seconds: float, given: Mapping[str, Any]) -> ProfileOptions:
    """What was asked for. Raises BadOptionsError."""
    if unknown := sorted(set(given) - set(OPTIONS)):
        raise BadOptionsError(f"SkyWalking's agents have no option {unknown[0]!r}")
    endpoint = given.get("endpoint", "")
    if not isinstance(endpoint, str) or not endpoint.strip() or len(endpoint) > LONGEST_ENDPOINT:
        raise BadOptionsError(
            "SkyWalking's agents look at requests of one endpoint only: the option endpoint names it, as /orders or "
            "GET:/orders, as traces show it"
        )
    if not 1 <= seconds <= MAX_SECONDS:
        raise BadOptionsError(f"SkyWalking's agents look for 1 to {MAX_SECONDS} seconds")
    return ProfileOptions(
        endpoint.strip(),
        period_ms=_number("period_ms", given),
        min_duration_ms=_number("min_duration_ms", given),
        requests=_number("requests", given),
        minutes=math.ceil(seconds / 60),
    )


def _number(name: str, given: Mapping[str, Any]) -> int:
    option = OPTIONS[name]
    value = given.get(name, option["default"])
    if isinstance(value, bool) or not isinstance(value, int | float) or not float(value).is_integer():
        raise BadOptionsError(f"{name} is a whole number")
    if not option["at_least"] <= value <= option["at_most"]:
        raise BadOptionsError(f"{name} is between {option['at_least']} and {option['at_most']}")
    return int(value)


def tool_states(others: tuple[str, ...], *, running: bool) -> list[ToolState]:
    """What a process with SkyWalking's agent can do. `others`: the tools it cannot run."""
    here: ToolState = {
        "name": TOOL,
        "available": not running,
        "why_not": "a profile task runs in this process; its agent takes one at a time" if running else "",
        "unlock": "",
        "exact": "",
        "approximate": "a look at the threads of some requests each few milliseconds, by SkyWalking's agent",
        "options": OPTIONS,
        "running": running,
    }
    cannot: list[ToolState] = [
        {
            "name": name,
            "available": False,
            "why_not": "SkyWalking's agent can only profile; run the program with Sonde's probe for this tool",
            "unlock": "",
            "exact": "",
            "approximate": "",
            "options": {},
            "running": False,
        }
        for name in others
    ]
    return [here, *cannot]
