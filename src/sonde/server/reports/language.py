"""Languages of what the server itself says to people."""

from __future__ import annotations

from typing import Literal

Language = Literal["en", "zh"]
