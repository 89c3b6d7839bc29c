"""When somebody was last told of what fires: it is told again where it goes on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """A column; NULL of what fires already: from the next reading on it counts as told at its start."""
    op.add_column("alarm_states", sa.Column("told_at", sa.BigInteger, nullable=True))
