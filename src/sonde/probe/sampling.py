"""Which traces this process records: as it was configured, or as the server says while it runs."""

from __future__ import annotations

from sonde.probe import core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Sampling:
    """There is one, `sampling`."""

    def __init__(self) -> None:
        self._own: dict[str, float] = {"sampling_rate": 100.0, "slow_ms": 0.0, "sampling_follows_parent": True}
        self._services: Mapping[str, Any] = {}

    def begin(self, rate: float, slow_ms: float, *, follows_parent: bool) -> None:
        """The process's own settings. `rate`: 0 to 100."""
        self._own = {"sampling_rate": rate, "slow_ms": slow_ms, "sampling_follows_parent": follows_parent}
        self._services = {}
        self._apply({})

    def said(self, payload: bytes, service: str) -> None:
        """The agent's SETTINGS frame, see `wire.frames`. Raises ValueError for another form."""
        import json

        document = json.loads(payload)
        services = document.get("services") if isinstance(document, dict) else None
        if not isinstance(services, dict):
            raise ValueError("settings without services")  # noqa: TRY004 - of what came over the wire, not of a caller's
        self._services = services
        wanted = services.get(service)
        self._apply(wanted if isinstance(wanted, dict) else {})

    def named(self, service: str) -> None:
        """This process is part of that service: now, or from now on."""
        if not self._services:
            return
        wanted = self._services.get(service)
        self._apply(wanted if isinstance(wanted, dict) else {})

    def _apply(self, wanted: Mapping[str, Any]) -> None:
        values = {**self._own, **{key: value for key, value in wanted.items() if _is_number(key, value)}}
        core.sample(values["sampling_rate"] / 100, values["slow_ms"], bool(values["sampling_follows_parent"]))


def _is_number(key: str, value: object) -> bool:
    """Whether this may stand in place of a setting of the process's own. A bool is a number, too."""
    most = {"sampling_rate": 100.0, "slow_ms": 1e9, "sampling_follows_parent": 1.0}.get(key, -1.0)
    return isinstance(value, int | float) and 0 <= value <= most


sampling = Sampling()
