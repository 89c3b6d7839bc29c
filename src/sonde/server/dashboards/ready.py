"""Dashboards that come with Sonde. They belong to nobody: to change one is to keep a copy of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sonde.server.dashboards.chinese import CHINESE
from sonde.server.reports.dashboards import DashboardDocument

if TYPE_CHECKING:
    from sonde.server.reports.language import Language

FOLDER = Path(__file__).with_name("ready")


@cache
def ready(language: Language = "en") -> dict[str, DashboardDocument]:
    """By id, the name of its file, in order."""
    found = {
        file.stem: DashboardDocument.model_validate_json(file.read_bytes()) for file in sorted(FOLDER.glob("*.json"))
    }
    return found if language == "en" else {name: _in_chinese(document) for name, document in found.items()}


def _in_chinese(document: DashboardDocument) -> DashboardDocument:
    def said(text: str) -> str:
        return CHINESE.get(text, text)

    panels = [panel.model_copy(update={"title": said(panel.title)}) for panel in document.panels]
    words = {"title": said(document.title), "description": said(document.description)}
    return document.model_copy(update={**words, "panels": panels})
