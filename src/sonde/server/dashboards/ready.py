"""Dashboards that come with Sonde. They belong to nobody: to change one is to keep a copy of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sonde.server.reports.dashboards import DashboardDocument

FOLDER = Path(__file__).with_name("ready")


@cache
def ready() -> dict[str, DashboardDocument]:
    """By id, the name of its file, in order."""
    return {
        file.stem: DashboardDocument.model_validate_json(file.read_bytes()) for file in sorted(FOLDER.glob("*.json"))
    }
