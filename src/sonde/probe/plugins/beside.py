"""What plugins keep with an object of a library, beside the object's own attributes.

Not by its `__dict__`: in Python 3.11 and 3.12, each access of an attribute of an object whose `__dict__` somebody has
asked for takes three times as long from then on: the interpreter no longer finds its values by their place. And not by
`getattr` and `setattr`, which a class may have made its own: nothing of theirs runs in here.
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


def taken(holder: Any, name: str) -> Any:
    """What stood there under `name`, which is None from now on; None without."""
    found = kept(holder, name)
    if found is not None:
        keep(holder, name, None)
    return found
