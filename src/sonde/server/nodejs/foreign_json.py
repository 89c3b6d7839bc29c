"""JSON as JavaScript writes it, with texts that have a form in UTF-8."""

from __future__ import annotations

import json
import re
from typing import Any

_ESCAPED = re.compile(r"\\ud[89a-f]", re.IGNORECASE)
_HALF = re.compile("[\ud800-\udfff]")


def loads(text: str) -> Any:
    """What `text` says, with `?` for each half of a character: JavaScript has them in texts, as where a message was cut
    in the middle of an emoji, and nobody else can store them.

    Raises ValueError, and RecursionError for what is nested too deeply.
    """
    said = json.loads(text)
    return _whole(said) if _ESCAPED.search(text) else said


def _whole(said: Any) -> Any:
    if isinstance(said, str):
        return _HALF.sub("?", said)
    if isinstance(said, list):
        return [_whole(it) for it in said]
    if isinstance(said, dict):
        return {_HALF.sub("?", key): _whole(it) for key, it in said.items()}
    return said
