"""Which sites may show a shared dashboard in a frame."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sonde.settings import EMBED_ORIGINS, SettingError

if TYPE_CHECKING:
    from sonde.settings import Settings

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.*-]+(:[0-9]{1,5})?")


def embed_origins(values: Settings) -> str:
    """As CSP writes them, empty for none. Raises SettingError for what is no origin: it would end up in a header."""
    origins = values[EMBED_ORIGINS].split()
    wrong = next((origin for origin in origins if not _ORIGIN.fullmatch(origin)), None)
    if wrong is not None:
        raise SettingError(f"embed_origins: {wrong!r} is no origin such as https://wiki.example.org")
    return " ".join(origins)
