"""The tables of the metadata database. `migrations/` makes them; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    VARBINARY,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects.mysql import MEDIUMTEXT
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy import Dialect
    from sqlalchemy.types import TypeEngine

REVISION = "0004"
"""What `migrations/` leads to; kept here so that a process can check it without Alembic."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MYSQLS = frozenset({"mysql", "mariadb"})


class Moment(TypeDecorator[datetime]):
    """An aware datetime as microseconds since the epoch.

    One integer means the same in three databases; their own date types differ in precision and in time zones.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - their signature
        """Aware datetime → integer."""
        return None if value is None else (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - their signature
        """Integer → aware datetime in UTC."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class GivenName(TypeDecorator[str]):
    """A name that somebody else's program gave, of at most 255 characters, told apart to the last space.

    Bytes in MySQL: its text ignores spaces at the end.
    """

    impl = String(255)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column's type."""
        return dialect.type_descriptor(VARBINARY(4 * 255) if dialect.name in _MYSQLS else String(255))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any | None:
        """Text → what the column takes."""
        return value.encode() if value is not None and dialect.name in _MYSQLS else value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - their signature
        """What the column holds → text."""
        return value.decode() if isinstance(value, bytes) else value


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Names are compared byte by byte everywhere; MySQL would fold case and accents.
_MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}

users = Table(
    "users",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("password_hash", String(255), nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    **_MYSQL,
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_digest", String(64), primary_key=True),
    Column("user_id", String(32), ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("address", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    **_MYSQL,
)

apps = Table(
    "apps",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("secret_digest", String(64), nullable=False),
    Column("secret_sealed", Text),
    Column("created_at", Moment, nullable=False),
    **_MYSQL,
)

app_tokens = Table(
    "app_tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("app_id", String(32), ForeignKey("apps.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    **_MYSQL,
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    **_MYSQL,
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
    **_MYSQL,
)

_LongText = Text().with_variant(MEDIUMTEXT, "mysql", "mariadb")  # MySQL's TEXT ends at 64 KiB

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
    Column("body", _LongText, nullable=False),
    Column("reason", String(32)),
    Column("message", Text),
    Column("document", _LongText),
    Index("ix_jobs_created_at", "created_at", "id"),
    Index("ix_jobs_state", "state"),
    Index("ix_jobs_app_id", "app_id"),
    **_MYSQL,
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("job_id", String(32), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("media_type", String(255), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    **_MYSQL,
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("private_key", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    **_MYSQL,
)

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
    **_MYSQL,
)

nodejs_packages = Table(
    "nodejs_packages",
    metadata,
    Column("app_id", String(32), ForeignKey("apps.id", ondelete="CASCADE"), primary_key=True),
    Column("agent", GivenName, primary_key=True),
    Column("file_digest", String(64), primary_key=True),
    Column("file", Text, nullable=False),
    Column("content_digest", String(64), nullable=False),
    Column("document", _LongText, nullable=False),
    Column("received_at", Moment, nullable=False),
    **_MYSQL,
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
    **_MYSQL,
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("who", String(128), nullable=False),
    Column("what", String(64), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("detail", Text, nullable=False),
    Index("ix_audit_at", "at"),
    **_MYSQL,
)
