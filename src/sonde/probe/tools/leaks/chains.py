"""Who holds an object: from a module's name or a frame's variable down to it."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_OBJECTS = 4_000_000
"""That are looked at; some 100 ns each, in one go."""
MOST_STEPS = 12
_MOST_TEXT = 60


class Chain:
    """A way from a root to what is held."""

    def __init__(self, root: str, objects: list[Any]) -> None:
        self.steps = list(_steps(root, objects))
        """One text per step, the root first: `shop.cache`, `dict['a']`, `list[3]`."""
        self.bound = next((bound for bound in map(_bound, objects) if bound is not None), None)
        """The most that the first holder with such a limit takes; None: none says so."""
        self.holder = type(objects[-1]).__qualname__
        """Of what was looked for, or of what it belongs to."""

    def __str__(self) -> str:
        steps = self.steps
        if len(steps) > MOST_STEPS:
            steps = [*steps[: MOST_STEPS - 3], "…", *steps[-2:]]
        return " → ".join(steps)


def chains(native: Any, addresses: list[int]) -> list[Chain | None]:
    """For each address who holds it; None where nobody was found: a C library, or a frame that is at work."""
    names, roots = [], []
    for name, module in list(sys.modules.items()):
        if isinstance(module, types.ModuleType) and not name.startswith("sonde.probe.tools"):
            names.append(name)
            roots.append(module.__dict__)
    mine = sys._getframe()  # noqa: SLF001 - our own frames hold nothing of the application's
    for frame in sys._current_frames().values():  # noqa: SLF001
        for at in _stack(frame):
            if at is mine or "sonde/probe/" in at.f_code.co_filename:
                continue
            names.append(f"variables of {at.f_code.co_qualname} ({at.f_code.co_filename}:{at.f_lineno})")
            roots.append(dict(at.f_locals))
    found = native.paths(addresses, roots, MOST_OBJECTS)
    by_id = {id(root): name for root, name in zip(roots, names, strict=True)}
    return [Chain(by_id.get(id(way[0]), "?"), way) if way else None for way in found]


def _stack(frame: types.FrameType | None) -> Iterator[types.FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _steps(root: str, objects: list[Any]) -> Iterator[str]:
    """Joins what is one thing to a reader: a module's dict and its name, an object and its attributes' dict."""
    at = 0
    text: str = root
    first = _key(objects[0], objects[1]) if len(objects) > 1 else None
    if first is not None:
        if root.startswith("variables of"):
            yield root
            text = first
        else:
            text = f"{root}.{first}"
    yield text
    at = 1
    while at < len(objects) - 1:
        held, holder = objects[at + 1], objects[at]
        name = type(holder).__qualname__
        if type(held) is dict and getattr(holder, "__dict__", None) is held and at + 2 < len(objects):
            key = _key(held, objects[at + 2])
            yield f"{name}.{key}" if key is not None else name
            at += 2
            continue
        yield _step(holder, held)
        at += 1
    if len(objects) > 1:
        yield type(objects[-1]).__qualname__


def _step(holder: Any, held: Any) -> str:
    name = type(holder).__qualname__
    if isinstance(holder, dict):
        key = _key(holder, held)
        return f"{name}[{key!r:.{_MOST_TEXT}}]" if isinstance(key, str) else name
    if type(holder) in {list, tuple}:
        for index, item in enumerate(holder):
            if item is held:
                return f"{name}[{index}]"
        return name
    if isinstance(holder, types.FunctionType):
        return f"function {holder.__qualname__}"
    if isinstance(holder, type):
        return f"class {holder.__qualname__}"
    if isinstance(holder, types.FrameType):
        return f"frame of {holder.f_code.co_qualname}"
    if isinstance(holder, types.MethodType):
        return f"method {holder.__func__.__qualname__}"
    return _attribute(holder, held, name)


def _attribute(holder: Any, held: Any, name: str) -> str:
    """The attribute by which an instance holds it, looked up in places that run none of the application's code."""
    for kind in type(holder).__mro__:
        for name_of_slot, slot in list(vars(kind).items()):
            if isinstance(slot, types.MemberDescriptorType):
                try:
                    if slot.__get__(holder, kind) is held:
                        return f"{name}.{name_of_slot}"
                except (AttributeError, TypeError):
                    continue
    try:
        attributes = object.__getattribute__(holder, "__dict__")
    except (AttributeError, TypeError):
        return name
    key = _key(attributes, held) if isinstance(attributes, dict) else None
    return f"{name}.{key}" if key is not None else name


def _key(holder: Any, held: Any) -> str | None:
    """The key it is held under; None where that is no text, or it is a key itself."""
    if not isinstance(holder, dict):
        return None
    try:
        for key, value in list(dict.items(holder)):
            if value is held:
                return key if isinstance(key, str) else f"{key!r:.{_MOST_TEXT}}"
    except Exception:  # whatever a key's repr does
        return None
    return None


def _bound(holder: Any) -> int | None:
    """How many entries it takes at most, where it is of a kind that says so."""
    kind = type(holder)
    if kind.__name__ == "_lru_cache_wrapper" and kind.__module__ == "functools":
        most: int | None = holder.cache_info().maxsize
        return most
    if kind.__name__ == "deque" and kind.__module__ == "collections":
        length: int | None = holder.maxlen
        return length
    if kind.__module__.split(".")[0] == "cachetools":
        return int(holder.maxsize)
    return None
