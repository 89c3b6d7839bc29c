"""Bodies of the last minutes, by digest, to know one that is sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Seen:
    """A set that forgets: each digest is known at least `keep_s` and at most twice that, in two generations.

    `at_most` bounds the memory, about 130 bytes a digest; when it is reached the older generation goes early.
    Not thread-safe.
    """

    def __init__(self, keep_s: float, at_most: int, clock: Callable[[], float]) -> None:
        self._keep_s = keep_s
        self._generation_max = max(at_most // 2, 1)
        self._clock = clock
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()
        self._turned_at = clock()

    def add(self, digest: bytes) -> None:
        """Know `digest` from now on."""
        self._turn()
        self._young.add(digest)

    def __contains__(self, digest: bytes) -> bool:
        self._turn()
        return digest in self._young or digest in self._old

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def _turn(self) -> None:
        now = self._clock()
        if now - self._turned_at >= 2 * self._keep_s:
            self._young = set()
        elif now - self._turned_at < self._keep_s and len(self._young) < self._generation_max:
            return
        self._old, self._young, self._turned_at = self._young, set(), now
