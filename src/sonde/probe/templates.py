"""Templates of paths, learned, for requests whose framework tells no route: `/user/1` and `/user/2` are `/user/{id}`.

A part that looks like a value is one: a number, a date, an id in hex or of random letters, an address. Where many
different words follow the same beginning, they are values as well. Templates have a hard limit; what is beyond goes
into OTHER, which is there to be seen.
"""

from __future__ import annotations

import re
from functools import cache

MOST = 1000
"""Templates of one process."""
MOST_WORDS = 40
"""Different words at one place; one more, and they are values."""
MOST_PARTS = 12
"""Parts of a path that are looked at."""
LONGEST_PATH = 1024
OTHER = "{other}"

_VALUES = (
    ("{id}", r"\d+"),
    ("{uuid}", r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"),
    ("{date}", r"\d{4}-\d\d(?:-\d\d)?(?:T.*)?"),
    ("{hex}", r"(?=.*\d)[0-9a-fA-F]{8,}"),
    ("{email}", r"[^@]+@[^@]+\.[^@]+"),
    ("{id}", r"(?=(?:.*\d){4})[A-Za-z0-9_.~-]*"),
    ("{token}", r"(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9_-]{16,}"),
)
_WORD = r"[A-Za-z0-9_.~-]{1,64}"


@cache
def _forms() -> tuple[list[tuple[str, re.Pattern[str]]], re.Pattern[str]]:
    """Those of values, and a word's. Compiled for the first path that has no route: most programs have routes."""
    return [(name, re.compile(form)) for name, form in _VALUES], re.compile(_WORD)


class _Place:
    """What followed one beginning."""

    __slots__ = ("words",)

    def __init__(self) -> None:
        self.words: dict[str, _Place] = {}


class Templates:
    """Learns from the paths it is asked for. Not locked: two threads at once may learn a word twice, no more."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._start = _Place()
        self._known: dict[str, str] = {}
        """Path → template, while there is room; a program has few paths that come again and again."""
        self._templates: set[str] = set()

    def limit(self, most: int) -> None:
        """How many templates there may be from now on."""
        self._most = most

    def of(self, path: str) -> str:
        """The template of a path."""
        known = self._known.get(path)
        if known is not None:
            return known
        template = self._learned(path[:LONGEST_PATH])
        if template not in self._templates:
            if len(self._templates) >= self._most:
                return OTHER
            self._templates.add(template)
        if len(self._known) < 2 * self._most:
            self._known[path] = template
        return template

    def _learned(self, path: str) -> str:
        parts = path.split("/")
        place = self._start
        out: list[str] = []
        for number, part in enumerate(parts):
            if number > MOST_PARTS:
                out.append("…")
                break
            word, place = self._next(place, part)
            out.append(word)
        return "/".join(out) or "/"

    def _next(self, place: _Place, part: str) -> tuple[str, _Place]:
        word = _value(part)
        words = place.words
        if word == part and word not in words and len(words) >= MOST_WORDS:
            # Too many: from now on, what is new here is a value. What was a word stays one.
            word = "{name}"
        return word, words.setdefault(word, _Place())


def _value(part: str) -> str:
    """The part itself, or what stands for values of its kind."""
    if not part or (part.isalpha() and part.isascii() and len(part) <= 24):  # the rule
        return part
    values, a_word = _forms()
    for name, form in values:
        if form.fullmatch(part):
            return name
    return part if a_word.fullmatch(part) else "{text}"
