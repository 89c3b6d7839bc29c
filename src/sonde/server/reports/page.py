"""A list of anything."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """A list, and the cursor of what follows."""

    items: list[T]
    next: str | None = None
