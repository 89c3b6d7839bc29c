"""What a caller said of a tool's options, held against what the tool declares."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sonde.probe.tools.tool import ToolError
from sonde.wire.tools import MAX_SECONDS, seconds_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sonde.probe.tools.tool import Option, Tool

DEFAULT_SECONDS = 10.0
_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def seconds(tool: type[Tool], said: object, chosen: Mapping[str, Any]) -> float:
    """How long to run. A tool that is done at once may say by `seconds_of` what it takes with these options. Raises
    ToolError.
    """
    if tool.at_once:
        seconds_of_options = getattr(tool, "seconds_of", None)
        return float(seconds_of_options(chosen)) if seconds_of_options is not None else 0.0
    if said is None:
        return DEFAULT_SECONDS
    found = seconds_of(said)
    if not found:
        raise ToolError("bad_options", f"seconds: a number above 0, at most {MAX_SECONDS:.0f}")
    return found


def options(tool: type[Tool], said: object) -> dict[str, Any]:
    """All options of the tool: what was said, else the defaults. Values may be texts. Raises ToolError."""
    if said is not None and not isinstance(said, dict):
        raise ToolError("bad_options", "options: an object of names and values")
    unknown = [str(name)[:60] for name in said or {} if name not in tool.options]
    if unknown:
        known = ", ".join(tool.options) or "none"
        raise ToolError("bad_options", f"{tool.name} has no option {unknown[0]}; it has: {known}")
    return {name: _value(name, option, said or {}) for name, option in tool.options.items()}


def _value(name: str, option: Option, said: Mapping[str, object]) -> bool | int | float | str:
    if name not in said:
        return option.default
    value = _typed(option.default, said[name])
    if value is None:
        raise ToolError("bad_options", f"{name}: {str(said[name])[:60]!r} is no {type(option.default).__name__}")
    if option.choices and value not in option.choices:
        raise ToolError("bad_options", f"{name}: one of {', '.join(option.choices)}")
    if not isinstance(value, str):
        if option.at_least is not None and value < option.at_least:
            raise ToolError("bad_options", f"{name}: the least is {option.at_least:g}")
        if option.at_most is not None and value > option.at_most:
            raise ToolError("bad_options", f"{name}: the most is {option.at_most:g}")
    return value


def _typed(default: bool | float | str, said: object) -> bool | int | float | str | None:
    """As the default's type; None where it is not one."""
    if isinstance(default, bool):
        return said if isinstance(said, bool) else _WORDS.get(str(said).lower())
    if isinstance(default, str):
        return said if isinstance(said, str) else None
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        return None
    try:
        number = float(said)
        if not math.isfinite(number) or (isinstance(default, int) and number != int(number)):
            return None
        return int(said) if isinstance(default, int) else number
    except (ValueError, OverflowError):
        return None
