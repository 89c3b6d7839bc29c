"""Alarms: rules, their states, whom to tell, what was sent."""

from __future__ import annotations

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables."""
