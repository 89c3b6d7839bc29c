"""What tables are made of: types that mean the same in three databases, and how things are named in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import VARBINARY, BigInteger, MetaData, String, Text
from sqlalchemy.dialects.mysql import MEDIUMTEXT
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy import Dialect
    from sqlalchemy.types import TypeEngine

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
MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}

LongText = Text().with_variant(MEDIUMTEXT, "mysql", "mariadb")
"""MySQL's TEXT ends at 64 KiB."""
