"""What statistics are told: settings of apps, rules about names."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    """Make the tables. An app without settings has the defaults."""
    given_name = sa.String(255).with_variant(sa.VARBINARY(1020), "mysql", "mariadb")
    op.create_table(
        "app_settings",
        sa.Column("app_id", sa.String(32), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("apdex_t_ms", sa.Double, nullable=True),
        sa.Column("normal_ms", sa.Double, nullable=False),
        sa.Column("slow_ms", sa.Double, nullable=False),
        sa.Column("timeout_ms", sa.Double, nullable=False),
        sa.Column("late_max_s", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("app_id", name="pk_app_settings"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], ondelete="CASCADE", name="fk_app_settings_app_id_apps"),
        **_MYSQL,
    )
    op.create_table(
        "name_rules",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("app_id", sa.String(32), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("service", given_name, nullable=False),
        sa.Column("pattern", sa.Text, nullable=False),
        sa.Column("name", given_name, nullable=False),
        sa.Column("target_app_id", sa.String(32), nullable=True),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_name_rules"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], ondelete="CASCADE", name="fk_name_rules_app_id_apps"),
        sa.ForeignKeyConstraint(
            ["target_app_id"], ["apps.id"], ondelete="CASCADE", name="fk_name_rules_target_app_id_apps"
        ),
        **_MYSQL,
    )
    op.create_index("ix_name_rules_app_id", "name_rules", ["app_id"])
    op.create_index("ix_name_rules_target_app_id", "name_rules", ["target_app_id"])
