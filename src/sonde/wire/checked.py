"""What came over the wire, held against the type it should have: TypedDict, list, Literal, union, Annotated.

A bound in Annotated is a number (the most characters of a text or entries of a list), a pair (the least and the most of
a number) or a pattern, which a text has to match whole. Members that a TypedDict does not name are let through: the
other side may be newer.
"""

from __future__ import annotations

import math
import re
from functools import cache
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

T = TypeVar("T")

_MOST_INT = 1 << 63
_SHOWN_CHARS = 60


class WrongShapeError(ValueError):
    """A value has not the type it should have. The message names its place, and what was expected."""


def checked(value: object, kind: type[T], place: str) -> T:
    """`value` itself, which is a `kind` (a TypedDict). Raises WrongShapeError, naming the place below `place`."""
    _check(value, kind, place)
    return cast("T", value)


@cache
def _members(kind: type) -> dict[str, tuple[Any, bool]]:
    """Type of each member of a TypedDict, and whether it may be missing."""
    hints = get_type_hints(kind, include_extras=True)
    optional = {name for name, hint in hints.items() if get_origin(hint) is NotRequired}
    return {name: (get_args(hint)[0] if name in optional else hint, name in optional) for name, hint in hints.items()}


def _check(value: object, kind: Any, place: str) -> None:
    if kind is Any:
        return
    origin = get_origin(kind)
    if is_typeddict(kind):
        _check_members(value, kind, place)
    elif origin is Annotated:
        base, *bounds = get_args(kind)
        _check(value, base, place)
        for bound in bounds:
            _check_bound(value, bound, place)
    elif origin is Literal:
        if not any(value is word or (type(value) is type(word) and value == word) for word in get_args(kind)):
            raise WrongShapeError(f"{place}: one of {', '.join(map(str, get_args(kind)))}, not {_shown(value)}")
    elif origin in (Union, UnionType):
        _check_any(value, get_args(kind), place)
    elif origin is list:
        _need(isinstance(value, list), place, "a list", value)
        for number, entry in enumerate(cast("list[object]", value)):
            _check(entry, get_args(kind)[0], f"{place}[{number}]")
    elif origin is dict:
        _need(isinstance(value, dict), place, "an object", value)
        for name, entry in cast("dict[str, object]", value).items():
            _check(entry, get_args(kind)[1], f"{place}.{name[:_SHOWN_CHARS]}")
    else:
        _check_plain(value, kind, place)


def _check_members(value: object, kind: type, place: str) -> None:
    _need(isinstance(value, dict), place, "an object", value)
    facts = cast("dict[str, object]", value)
    for name, (member, optional) in _members(kind).items():
        if name in facts:
            _check(facts[name], member, f"{place}.{name}")
        elif not optional:
            raise WrongShapeError(f"{place}.{name}: missing")


def _check_any(value: object, kinds: tuple[Any, ...], place: str) -> None:
    if value is None and NoneType in kinds:
        return
    others = [kind for kind in kinds if kind is not NoneType]
    # Of several TypedDicts, the one whose words it carries is meant; so a fault in it is named, and not the last one's.
    meant = next((kind for kind in others if is_typeddict(kind) and _carries_words_of(value, kind)), None)
    if meant is not None:
        _check(value, meant, place)
        return
    for kind in others[:-1]:
        try:
            _check(value, kind, place)
        except WrongShapeError:
            continue
        return
    _check(value, others[-1], place)


def _carries_words_of(value: object, kind: type) -> bool:
    words = [(name, get_args(hint)) for name, (hint, _) in _members(kind).items() if get_origin(hint) is Literal]
    return isinstance(value, dict) and bool(words) and all(value.get(name) in known for name, known in words)


def _check_plain(value: object, kind: type, place: str) -> None:
    if kind is float:
        fits = type(value) in (int, float) and math.isfinite(cast("float", value))
        _need(fits, place, "a number", value)
    elif kind is int:
        _need(type(value) is int and abs(value) < _MOST_INT, place, "a whole number", value)
    else:
        words = {str: "a text", bool: "true or false", NoneType: "null"}
        _need(type(value) is kind, place, words[kind], value)


def _check_bound(value: object, bound: object, place: str) -> None:
    if isinstance(bound, re.Pattern):
        _need(bound.fullmatch(cast("str", value)) is not None, place, f"a text like {bound.pattern}", value)
    elif isinstance(bound, tuple):
        least, most = bound
        _need(least <= cast("float", value) <= most, place, f"a number from {least} to {most}", value)
    else:
        size, most = len(cast("str", value)), cast("int", bound)
        if size > most:
            raise WrongShapeError(f"{place}: at most {most} long, not {size}")
        if isinstance(value, str) and "\0" in value:
            raise WrongShapeError(f"{place}: a text without zero characters")


def _need(fits: bool, place: str, expected: str, value: object) -> None:
    if not fits:
        raise WrongShapeError(f"{place}: {expected}, not {_shown(value)}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
