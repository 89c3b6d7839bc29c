"""By what the requests of an app are judged, as of now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.server.insight.measures import Thresholds

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.server.api.parts import Parts


def thresholds_of(parts: Parts) -> Callable[[str], Thresholds]:
    """Gives those of an app; the server's T where the app has none of its own. May block."""

    def of(app: str) -> Thresholds:
        settings = parts.accounts.app_settings.of(app)
        t_ms = parts.apdex_t_ms if settings.apdex_t_ms is None else settings.apdex_t_ms
        return Thresholds(t_ms, settings.normal_ms, settings.slow_ms, settings.timeout_ms)

    return of


def apdex_t_ms_of(parts: Parts) -> Callable[[str], float]:
    """Gives the T of an app."""
    thresholds = thresholds_of(parts)
    return lambda app: thresholds(app).apdex_t_ms
