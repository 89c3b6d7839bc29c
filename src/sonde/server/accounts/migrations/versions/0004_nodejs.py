"""Apps' secrets, sealed; files, packages and cores of Node.js processes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import MEDIUMTEXT

revision = "0004"
down_revision = "0003"

_MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    """Make the column and the tables. An app made before has no sealed secret until it gets a new one."""
    given_name = sa.String(255).with_variant(sa.VARBINARY(1020), "mysql", "mariadb")
    long_text = sa.Text().with_variant(MEDIUMTEXT, "mysql", "mariadb")
    op.add_column("apps", sa.Column("secret_sealed", sa.Text, nullable=True))
    op.create_table(
        "nodejs_files",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False, autoincrement=True),
        sa.Column("app_id", sa.String(32), nullable=False),
        sa.Column("agent", given_name, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("path_digest", sa.String(64), nullable=False),
        sa.Column("executable_path", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("transfers", sa.Integer, nullable=False),
        sa.Column("fetch", sa.Boolean, nullable=False),
        sa.Column("duration_s", sa.Double, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=True),
        sa.Column("stopped", sa.Boolean, nullable=False),
        sa.Column("favourite", sa.Boolean, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("parts", sa.Text, nullable=False),
        sa.Column("stored_at", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_nodejs_files"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], ondelete="CASCADE", name="fk_nodejs_files_app_id_apps"),
        **_MYSQL,
    )
    op.create_index("ix_nodejs_files_app_id", "nodejs_files", ["app_id", "id"])
    op.create_index("ix_nodejs_files_state", "nodejs_files", ["state"])
    op.create_index("ix_nodejs_files_path_digest", "nodejs_files", ["path_digest"])
    op.create_table(
        "nodejs_packages",
        sa.Column("app_id", sa.String(32), nullable=False),
        sa.Column("agent", given_name, nullable=False),
        sa.Column("file_digest", sa.String(64), nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("content_digest", sa.String(64), nullable=False),
        sa.Column("document", long_text, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("app_id", "agent", "file_digest", name="pk_nodejs_packages"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], ondelete="CASCADE", name="fk_nodejs_packages_app_id_apps"),
        **_MYSQL,
    )
    op.create_table(
        "nodejs_cores",
        sa.Column("app_id", sa.String(32), nullable=False),
        sa.Column("agent", given_name, nullable=False),
        sa.Column("path_digest", sa.String(64), nullable=False),
        sa.Column("core_path", sa.Text, nullable=False),
        sa.Column("executable_path", sa.Text, nullable=False),
        sa.Column("node_version", sa.String(64), nullable=False),
        sa.Column("first_seen", sa.BigInteger, nullable=False),
        sa.Column("last_seen", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("app_id", "agent", "path_digest", name="pk_nodejs_cores"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], ondelete="CASCADE", name="fk_nodejs_cores_app_id_apps"),
        **_MYSQL,
    )
