"""Form fields of a multipart/form-data body: how clients send statements and parameters too long for an address."""

from __future__ import annotations

import re

from sonde.server.store.errors import StoreError

_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^\s;]+))', re.IGNORECASE)
_NAME = re.compile(r'[;\s]name="([^"]*)"', re.IGNORECASE)
_FILENAME = re.compile(r"[;\s]filename\*?=", re.IGNORECASE)
_MOST_FIELDS = 1000


def form_fields(content_type: str, body: bytes) -> dict[str, str]:
    """Name → text. Raises StoreError for a damaged form and for files (external tables)."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise _damaged("Content-Type names no boundary")
    edge = b"--" + (found[1] or found[2]).encode("latin-1")
    parts = (b"\r\n" + body).split(b"\r\n" + edge)
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise _damaged("the closing boundary is missing")
    if len(parts) > _MOST_FIELDS:
        raise _damaged(f"it has more than {_MOST_FIELDS} fields")
    return dict(_field(part) for part in parts[1:-1])


def _field(part: bytes) -> tuple[str, str]:
    head, blank_line, value = part.partition(b"\r\n\r\n")
    header = head.decode("utf-8", "replace")
    name = _NAME.search(header)
    if not blank_line or name is None:
        raise _damaged("a field has no name")
    if _FILENAME.search(header):
        raise StoreError(48, "NOT_IMPLEMENTED", f"external tables are not supported; {name[1]} was sent as a file")
    try:
        return name[1], value.decode()
    except UnicodeDecodeError:
        raise _damaged(f"the field {name[1]} is no UTF-8") from None


def _damaged(why: str) -> StoreError:
    return StoreError(36, "BAD_ARGUMENTS", f"the multipart form cannot be read: {why}")
