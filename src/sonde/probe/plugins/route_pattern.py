"""Routes that frameworks keep as regular expressions, as templates: `^orders/(?P<pk>[0-9]+)/$` is `orders/<pk>/`."""

from __future__ import annotations


def template_of(pattern: str) -> str:
    """Groups become `<name>`, or `<var>` without one; anchors go, and so does the escaping of literal characters."""
    out: list[str] = []
    at, end = 0, len(pattern)
    while at < end:
        character = pattern[at]
        if character == "\\" and at + 1 < end:
            escaped = pattern[at + 1]
            if not escaped.isalnum():
                out.append(escaped)
            elif escaped not in "AbBZ":
                out.append(f"\\{escaped}")
            at += 2
        elif character == "(":
            after = _group_end(pattern, at)
            out.append(_group(pattern[at:after]))
            at = after
        else:
            if character not in "^$":
                out.append(character)
            at += 1
    return "".join(out).replace("?", "")


def _group(group: str) -> str:
    if group.startswith("(?P<"):
        return f"<{group[4:].partition('>')[0]}>"
    if group.startswith("(?:"):
        return template_of(group[3:-1])
    return "" if group.startswith("(?") else "<var>"


def _group_end(pattern: str, start: int) -> int:
    """Behind the bracket that closes the one at `start`. Brackets in a character set are characters."""
    depth, at, in_set = 0, start, False
    while at < len(pattern):
        character = pattern[at]
        if character == "\\":
            at += 1
        elif in_set:
            in_set = character != "]" or pattern[at - 1] in "[^"
        elif character == "[":
            in_set = True
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return len(pattern)
