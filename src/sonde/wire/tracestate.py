"""W3C `tracestate`, as far as it is passed on. Source: https://www.w3.org/TR/trace-context/#tracestate-header."""

from __future__ import annotations

import re

MAX_MEMBERS = 32
_MEMBER = re.compile(
    r"(?:[a-z][_0-9a-z\-*/]{0,255}|[a-z0-9][_0-9a-z\-*/]{0,240}@[a-z][_0-9a-z\-*/]{0,13})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)


def passed_on(header: str) -> str:
    """The header as it may be passed on; empty where a member breaks a rule, for then all of it is to be dropped."""
    members = [member.strip(" \t") for member in header.split(",")]
    kept = [member for member in members if member]
    keys = {member.partition("=")[0] for member in kept}
    if len(kept) > MAX_MEMBERS or len(keys) < len(kept):
        return ""
    return ",".join(kept) if all(_MEMBER.fullmatch(member) for member in kept) else ""
