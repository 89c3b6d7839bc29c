"""A process's command line as it may be shown: without what looks like a secret, and not too long."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 200
HIDDEN = "***"
_SECRET = re.compile(r"pass(word|wd|phrase)?|secret|token|credential|api[-_]?key|private[-_]?key|auth", re.IGNORECASE)
_USER_IN_URL = re.compile(r"(://)[^/@\s]+@")


def shown(words: Sequence[str]) -> str:
    """`words` with spaces between. The value of an option whose name says that it is secret is hidden, be it in the
    same word (`--token=x`, `PASSWORD=x`) or in the next one (`--token x`), and so is who logs in in a URL.
    """
    said: list[str] = []
    hide_next = False
    for word in words:
        name, equals, _ = word.partition("=")
        if hide_next and not word.startswith("-"):
            said.append(HIDDEN)
        elif equals and _SECRET.search(name):
            said.append(f"{name}={HIDDEN}")
        else:
            said.append(_USER_IN_URL.sub(rf"\1{HIDDEN}@", word))
        hide_next = word.startswith("-") and not equals and _SECRET.search(name) is not None
    text = readable(" ".join(said))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def readable(text: str) -> str:
    """`text` without bytes that are no UTF-8, which a process may have in its name and its arguments."""
    return text.encode("utf-8", "replace").decode()
