"""Dashboards, and links to look at one without an account."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text

from sonde.server.accounts.tables.columns import MYSQL, LongText, Moment, metadata

dashboards = Table(
    "dashboards",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("app_id", String(32), ForeignKey("apps.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("document", LongText, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("changed_by", String(128), nullable=False),
    **MYSQL,
)

dashboard_shares = Table(
    "dashboard_shares",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("dashboard_id", String(32), ForeignKey("dashboards.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("variables", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("expires_at", Moment),
    **MYSQL,
)
