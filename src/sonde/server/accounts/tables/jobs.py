"""Jobs of the debugger, what they left, and the key that signs them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Index, Integer, String, Table, Text

from sonde.server.accounts.tables.columns import MYSQL, GivenName, LongText, Moment, metadata

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("app_id", String(32), ForeignKey("apps.id", ondelete="CASCADE"), nullable=False),
    Column("node", String(128), nullable=False),
    Column("host", GivenName, nullable=False),
    Column("agent", String(64), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("service", GivenName, nullable=False),
    Column("instance", GivenName, nullable=False),
    Column("tool", String(32), nullable=False),
    Column("options", Text, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("expires_at", Moment, nullable=False),
    Column("deadline_at", Moment, nullable=False),
    Column("body", LongText, nullable=False),
    Column("reason", String(32)),
    Column("message", Text),
    Column("document", LongText),
    Index("ix_jobs_created_at", "created_at", "id"),
    Index("ix_jobs_state", "state"),
    Index("ix_jobs_app_id", "app_id"),
    **MYSQL,
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("job_id", String(32), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("media_type", String(255), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    **MYSQL,
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("private_key", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    **MYSQL,
)
