"""What plugins keep with an object of a library, beside the object's own attributes.

Not by its `__dict__`: until Python 3.12, an object whose `__dict__` somebody has asked for is slower from then on, at
each access of an attribute, because the interpreter no longer finds its values by their place. And not by `getattr`
and `setattr`, which a class may have made its own: nothing of theirs runs in here.
"""

from __future__ import annotations

from typing import Any

keep = object.__setattr__
"""`keep(holder, name, value)`. Raises AttributeError for an object that has no room."""


def kept(holder: Any, name: str) -> Any:
    """What stands there under `name`; None without."""
    try:
        return object.__getattribute__(holder, name)
    except AttributeError:
        return None
