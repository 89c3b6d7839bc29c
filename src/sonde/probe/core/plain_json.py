"""JSON of flat objects, as `json.dumps` writes them, without an import of `json`.

That brings `re` and all that it stands on, more than the rest of a start together; many a process needs neither.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own would cost an import of typing
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def dumps(values: Mapping[str, object]) -> str:
    """Raises TypeError for what is no JSON, ValueError for what contains itself."""
    try:
        from _json import encode_basestring_ascii as quoted  # what json itself quotes with, in CPython
    except ImportError:
        return _dumps(values)
    pairs = []
    for key, value in values.items():
        text = _scalar(value, quoted)
        if type(key) is not str or text is None:
            return _dumps(values)
        pairs.append(f"{quoted(key)}: {text}")
    return f"{{{', '.join(pairs)}}}"


def _scalar(value: object, quoted: Callable[[str], str]) -> str | None:
    if type(value) is str:
        return quoted(value)
    if type(value) is bool:
        return "true" if value else "false"
    return int.__repr__(value) if type(value) is int else None


def _dumps(values: Mapping[str, object]) -> str:
    import json

    return json.dumps(values)
