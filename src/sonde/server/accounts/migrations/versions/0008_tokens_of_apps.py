"""Tokens that may see some apps alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """A column: ids as JSON; NULL: every app."""
    op.add_column("api_tokens", sa.Column("apps", sa.Text, nullable=True))
