"""What statistics are told: settings of apps, rules about names."""

from __future__ import annotations

from sqlalchemy import Column, Double, ForeignKey, Integer, String, Table, Text

from sonde.server.accounts.tables.columns import MYSQL, GivenName, Moment, metadata

app_settings = Table(
    "app_settings",
    metadata,
    Column("app_id", String(32), ForeignKey("apps.id", ondelete="CASCADE"), primary_key=True),
    Column("time_zone", String(64), nullable=False),
    Column("apdex_t_ms", Double),
    Column("normal_ms", Double, nullable=False),
    Column("slow_ms", Double, nullable=False),
    Column("timeout_ms", Double, nullable=False),
    Column("late_max_s", Integer, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("changed_by", String(128), nullable=False),
    **MYSQL,
)

name_rules = Table(
    "name_rules",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("app_id", String(32), ForeignKey("apps.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("place", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("service", GivenName, nullable=False),
    Column("pattern", Text, nullable=False),
    Column("name", GivenName, nullable=False),
    Column("target_app_id", String(32), ForeignKey("apps.id", ondelete="CASCADE"), index=True),
    Column("changed_at", Moment, nullable=False),
    Column("changed_by", String(128), nullable=False),
    **MYSQL,
)
