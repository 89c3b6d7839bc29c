"""What a plugin declares. The engine does the rest."""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own would cost an import of typing
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Wrapper = Callable[[Callable[..., Any]], Callable[..., Any]]
    """Takes what stands at a point, returns what shall stand there."""


class Plugin:
    """One library: which versions, and what stands around which of its functions."""

    __slots__ = ("also", "library", "optional", "points", "supports")

    def __init__(
        self,
        library: str,
        supports: str,
        points: Mapping[str, Wrapper],
        optional: frozenset[str] = frozenset(),
        also: tuple[str, ...] = (),
    ) -> None:
        self.library = library
        """Name of the distribution, as `pip install` knows it. For the standard library: `python`."""
        self.supports = supports
        """Versions of it this plugin is tested on, e.g. `>=4.2,<9`."""
        self.points = points
        """`module:Class.method` or `module:function` → wrapper."""
        self.optional = optional
        """Points that some supported versions do not have, or have from a class that another plugin wraps."""
        self.also = also
        """Other distributions that bring the same library: `psycopg2-binary`."""

    def modules(self) -> frozenset[str]:
        """Modules that hold a point."""
        return frozenset(point.partition(":")[0] for point in self.points)
