"""A report as lines for a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of(rows: Sequence[BaseModel], columns: Sequence[str]) -> str:
    """A header and a line for each row, as RFC 4180 has them. `columns` are names of fields, `a.b` of one inside of
    another. None is nothing. Texts that a spreadsheet would compute get an apostrophe in front: anybody gives names.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row, column.split(".")) for column in columns])
    return out.getvalue()


def _cell(found: Any, path: Sequence[str]) -> Any:
    for name in path:
        found = getattr(found, name, None)
    return f"'{found}" if isinstance(found, str) and found.startswith(_FORMULA) else found
