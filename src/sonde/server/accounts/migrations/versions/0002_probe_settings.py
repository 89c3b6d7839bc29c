"""What holds for a service instead of what its processes were configured with."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    """Make the table. Bytes where MySQL would compare names without the spaces at their ends."""
    op.create_table(
        "probe_settings",
        sa.Column("app_id", sa.String(32), nullable=False),
        sa.Column("service", sa.String(255).with_variant(sa.VARBINARY(1020), "mysql", "mariadb"), nullable=False),
        sa.Column("sampling_rate", sa.Double, nullable=True),
        sa.Column("slow_ms", sa.Double, nullable=True),
        sa.Column("follows_parent", sa.Boolean, nullable=True),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("app_id", "service", name="pk_probe_settings"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], ondelete="CASCADE", name="fk_probe_settings_app_id_apps"),
        **_MYSQL,
    )
