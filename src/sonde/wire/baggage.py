"""W3C Baggage: values that travel with a request. Source: https://www.w3.org/TR/baggage/#baggage-http-header-format."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

MAX_BYTES, MAX_MEMBERS = 8192, 64
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")


def parse(header: str) -> dict[str, str]:
    """The values; a member that breaks a rule, and properties behind a value, are left out."""
    found: dict[str, str] = {}
    if len(header) > MAX_BYTES:
        return found
    for member in header.split(","):
        key, equals, value = member.partition(";")[0].partition("=")
        key, value = key.strip(), value.strip()
        if equals and _TOKEN.fullmatch(key) and _VALUE.fullmatch(value) and len(found) < MAX_MEMBERS:
            found[key] = unquote(value, errors="replace")
    return found


def written(values: dict[str, str]) -> str:
    """The header; members that no longer fit are left out."""
    members: list[str] = []
    size = 0
    for key, value in list(values.items())[:MAX_MEMBERS]:
        member = f"{key}={quote(value, safe='!#$&()*+-./:<=>?@[]^_`{|}~' + chr(39))}"
        size += len(member) + 1
        if _TOKEN.fullmatch(key) and size <= MAX_BYTES:
            members.append(member)
    return ",".join(members)
