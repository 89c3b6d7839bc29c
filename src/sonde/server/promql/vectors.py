"""What expressions are worth: at every step of the query at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

NAME = "__name__"


@dataclass(frozen=True, slots=True)
class Series:
    """Values step by step; None where there is none."""

    labels: Mapping[str, str]
    values: list[float | None]

    def mapped(self, work: Callable[[float], float]) -> Series:
        """Without its name, each value as `work` makes it."""
        return Series(without(self.labels, (NAME,)), [None if value is None else work(value) for value in self.values])


Vector = list[Series]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number a step."""

    values: list[float]


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    text: str


Value = Vector | Scalar | Text
Key = tuple[tuple[str, str], ...]


def key_of(labels: Mapping[str, str]) -> Key:
    """Equal for equal labels."""
    return tuple(sorted(labels.items()))


def without(labels: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """All labels but these."""
    left = dict(labels)
    for name in names:
        left.pop(name, None)
    return left


def only(labels: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """These labels, where they are there."""
    return {name: labels[name] for name in names if name in labels}
