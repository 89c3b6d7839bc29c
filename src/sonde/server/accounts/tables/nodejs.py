"""Files, packages and cores of Node.js processes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Index, Integer, String, Table, Text

from sonde.server.accounts.tables.columns import MYSQL, GivenName, LongText, Moment, metadata

nodejs_files = Table(
    "nodejs_files",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("app_id", String(32), ForeignKey("apps.id", ondelete="CASCADE"), nullable=False),
    Column("agent", GivenName, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("path", Text, nullable=False),
    Column("path_digest", String(64), nullable=False),
    Column("executable_path", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("message", Text, nullable=False),
    Column("token", String(64), nullable=False),
    Column("transfers", Integer, nullable=False),
    Column("fetch", Boolean, nullable=False),
    Column("duration_s", Double, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("ends_at", Moment),
    Column("stopped", Boolean, nullable=False),
    Column("favourite", Boolean, nullable=False),
    Column("note", Text, nullable=False),
    Column("parts", Text, nullable=False),
    Column("stored_at", Moment),
    Index("ix_nodejs_files_app_id", "app_id", "id"),
    Index("ix_nodejs_files_state", "state"),
    Index("ix_nodejs_files_path_digest", "path_digest"),
    **MYSQL,
)

nodejs_packages = Table(
    "nodejs_packages",
    metadata,
    Column("app_id", String(32), ForeignKey("apps.id", ondelete="CASCADE"), primary_key=True),
    Column("agent", GivenName, primary_key=True),
    Column("file_digest", String(64), primary_key=True),
    Column("file", Text, nullable=False),
    Column("content_digest", String(64), nullable=False),
    Column("document", LongText, nullable=False),
    Column("received_at", Moment, nullable=False),
    **MYSQL,
)

nodejs_cores = Table(
    "nodejs_cores",
    metadata,
    Column("app_id", String(32), ForeignKey("apps.id", ondelete="CASCADE"), primary_key=True),
    Column("agent", GivenName, primary_key=True),
    Column("path_digest", String(64), primary_key=True),
    Column("core_path", Text, nullable=False),
    Column("executable_path", Text, nullable=False),
    Column("node_version", String(64), nullable=False),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    **MYSQL,
)
