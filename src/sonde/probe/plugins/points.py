"""Puts a wrapper at a point and takes it away again, leaving no trace."""

from __future__ import annotations

import functools
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from sonde.probe.plugins.plugin import Wrapper

_MARK = "__sonde_wrapper__"
_NOTHING: Any = object()
_CO_COROUTINE = 0x80  # inspect's


class PointError(Exception):
    """There is no such point: the library is not what the plugin takes it for."""


class Patch:
    """One wrapper in place: what to put back, and where."""

    __slots__ = ("after", "before", "name", "owner")

    def __init__(self, owner: Any, name: str, before: Any, after: Any) -> None:
        self.owner = owner
        self.name = name
        self.before = before
        """What stood in the owner's own `__dict__`; _NOTHING where the name was inherited."""
        self.after = after

    def undo(self) -> bool:
        """Put back what was there. False when somebody wrapped it after us: then it must stay."""
        if self.owner.__dict__.get(self.name, _NOTHING) is not self.after:
            return False
        if self.before is _NOTHING:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self.before)
        return True


def patch(module: ModuleType, path: str, wrapper: Wrapper, *, inherited: bool = True) -> Patch | None:
    """Put `wrapper` around `path` (`function` or `Class.method`) of `module`. Raises PointError, also for what a class
    has from another where that is not `inherited`.

    A second name of a function that is wrapped already (`sqlite3.connect` is `sqlite3.dbapi2.connect`) is not wrapped
    again, but gets the plain function back with the first. None where somebody else's wrapper hides one of ours.
    """
    owner: Any = module
    *classes, name = path.split(".")
    for part in classes:
        owner = getattr(owner, part, _NOTHING)
        if owner is _NOTHING:
            raise PointError(f"{module.__name__} has no {path}")
    before = owner.__dict__.get(name, _NOTHING)
    found = getattr(owner, name, _NOTHING) if before is _NOTHING else before
    if found is _NOTHING or (before is _NOTHING and not inherited):
        raise PointError(f"{module.__name__} has no {path}")
    plain: Any = found.__func__ if isinstance(found, staticmethod | classmethod) else found
    if not callable(plain):
        raise PointError(f"{module.__name__}:{path} is not callable")
    innermost = getattr(plain, _MARK, None)
    if innermost is not None:
        return Patch(owner, name, plain.__wrapped__, plain) if innermost is found and before is found else None
    after: Any = dressed(plain, wrapper)
    if isinstance(found, staticmethod | classmethod):
        after = type(found)(after)
    setattr(owner, name, after)
    return Patch(owner, name, before, after)


def dressed(plain: Any, wrapper: Wrapper) -> Any:
    """`wrapper(plain)` that looks like `plain`: name, module, doc, signature, annotations, own attributes."""
    outer = wrapper(plain)
    if isinstance(outer, type):  # a subclass in the place of a C type: it is made with a name and a doc
        outer.__wrapped__ = plain  # type: ignore[attr-defined]
    else:
        functools.update_wrapper(outer, plain)
    # Itself, because functools.wraps copies attributes: on somebody's wrapper around ours, the mark names ours.
    setattr(outer, _MARK, outer)
    stay_coroutine_function(plain, outer)
    return outer


def stay_coroutine_function(plain: Any, outer: Any) -> None:
    """Who asks whether `outer` is a coroutine function gets the answer for `plain`."""
    # Nobody who could ask or mark functions has imported inspect, as asyncio does: their kind is all there is to know.
    if "inspect" not in sys.modules and not getattr(getattr(plain, "__code__", None), "co_flags", 0) & _CO_COROUTINE:
        return
    import inspect

    if inspect.iscoroutinefunction(plain) and not inspect.iscoroutinefunction(outer):
        if hasattr(inspect, "markcoroutinefunction"):
            inspect.markcoroutinefunction(outer)
        if coroutines := sys.modules.get("asyncio.coroutines"):
            outer._is_coroutine = getattr(coroutines, "_is_coroutine", None)  # noqa: SLF001 - until 3.11 the only way
