"""Names and patterns: what a filter takes."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Labels = tuple[tuple[str, str], ...]
"""What tells a group of a rule apart: name and value, in order of the names."""


def labels_of(said: Mapping[str, str]) -> Labels:
    """Equal for equal groups."""
    return tuple(sorted(said.items()))


@lru_cache(maxsize=4096)
def pattern(text: str) -> Callable[[str], object]:
    """Takes texts that are `text`, in which `*` stands for anything."""
    if "*" not in text:
        return text.__eq__
    # A star gives back nothing of what it took (?>…): so many of them cost no more than reading the text once for each.
    first, *others = map(re.escape, text.split("*"))
    last = others.pop()
    return re.compile(first + "".join(f"(?>.*?{other})" for other in others) + f".*{last}", re.DOTALL).fullmatch


def takes(wanted: Mapping[str, str], said: Mapping[str, str]) -> bool:
    """Whether a group says all that is wanted of it."""
    return all(name in said and pattern(value)(said[name]) for name, value in wanted.items())
