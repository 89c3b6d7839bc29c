"""The tools there are, for those who look before any process was asked: made of the probe's own declarations."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from sonde.server.reports.jobs import Tool

CATALOGUE = TypeAdapter(list[Tool]).validate_json(Path(__file__).with_name("tools.json").read_bytes())
"""`scripts/tool-catalogue` writes the file; the server does not know the probe."""
