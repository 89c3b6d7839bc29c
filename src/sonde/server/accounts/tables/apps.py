"""Apps, what their senders show, and what their probes are told."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, ForeignKey, String, Table, Text

from sonde.server.accounts.tables.columns import MYSQL, GivenName, Moment, metadata

apps = Table(
    "apps",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("secret_digest", String(64), nullable=False),
    Column("secret_sealed", Text),
    Column("created_at", Moment, nullable=False),
    **MYSQL,
)

app_tokens = Table(
    "app_tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("app_id", String(32), ForeignKey("apps.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    **MYSQL,
)

probe_settings = Table(
    "probe_settings",
    metadata,
    Column("app_id", String(32), ForeignKey("apps.id", ondelete="CASCADE"), primary_key=True),
    Column("service", GivenName, primary_key=True),
    Column("sampling_rate", Double),
    Column("slow_ms", Double),
    Column("follows_parent", Boolean),
    Column("changed_at", Moment, nullable=False),
    Column("changed_by", String(128), nullable=False),
    **MYSQL,
)
