"""Alarms: rules, their states, whom to tell, what was sent."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import MEDIUMTEXT

revision = "0006"
down_revision = "0005"

_MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    """Make the tables."""
    _make_rules()
    _make_what_fired()
    _make_whom_to_tell()
    op.create_table(
        "alarm_evaluation",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("held_until", sa.BigInteger, nullable=False),
        sa.Column("evaluated_until", sa.BigInteger, nullable=True),
        sa.Column("trouble", sa.Text, nullable=False),
        sa.Column("round_ms", sa.Double, nullable=False),
        sa.Column("rules", sa.Integer, nullable=False),
        sa.Column("groups_seen", sa.Integer, nullable=False),
        sa.Column("missed_slots", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_alarm_evaluation"),
        **_MYSQL,
    )


def _of_app(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["app_id"], ["apps.id"], ondelete="CASCADE", name=f"fk_{table}_app_id_apps")


def _long_text() -> sa.Text:
    return sa.Text().with_variant(MEDIUMTEXT, "mysql", "mariadb")


def _make_rules() -> None:
    op.create_table(
        "alarm_rules",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("app_id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("document", _long_text(), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.String(128), nullable=False),
        sa.Column("groups_seen", sa.Integer, nullable=False),
        sa.Column("groups_dropped", sa.Integer, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alarm_rules"),
        sa.UniqueConstraint("app_id", "name", name="uq_alarm_rules_app_id"),
        _of_app("alarm_rules"),
        **_MYSQL,
    )
    op.create_table(
        "alarm_states",
        sa.Column("rule_id", sa.String(32), nullable=False),
        sa.Column("group_key", sa.String(64), nullable=False),
        sa.Column("group_labels", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("breached_slots", sa.Integer, nullable=False),
        sa.Column("calm_slots", sa.Integer, nullable=False),
        sa.Column("judgements", sa.Integer, nullable=False),
        sa.Column("value", sa.Double, nullable=True),
        sa.Column("threshold", sa.Double, nullable=True),
        sa.Column("peak", sa.Double, nullable=True),
        sa.Column("recent", sa.Text, nullable=False),
        sa.Column("alarm_id", sa.String(32), nullable=True),
        sa.Column("started_at", sa.BigInteger, nullable=True),
        sa.Column("suppressed_by", sa.String(16), nullable=False),
        sa.Column("told", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("rule_id", "group_key", name="pk_alarm_states"),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["alarm_rules.id"], ondelete="CASCADE", name="fk_alarm_states_rule_id_alarm_rules"
        ),
        **_MYSQL,
    )


def _make_what_fired() -> None:
    op.create_table(
        "alarm_intervals",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("app_id", sa.String(32), nullable=False),
        sa.Column("rule_id", sa.String(32), nullable=False),
        sa.Column("rule", sa.String(100), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("group_labels", sa.Text, nullable=False),
        sa.Column("op", sa.String(2), nullable=False),
        sa.Column("unit", sa.String(32), nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger, nullable=True),
        sa.Column("ended_by", sa.String(16), nullable=True),
        sa.Column("value", sa.Double, nullable=True),
        sa.Column("threshold", sa.Double, nullable=True),
        sa.Column("peak", sa.Double, nullable=True),
        sa.Column("flap_score", sa.Double, nullable=False),
        sa.Column("told", sa.Boolean, nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger, nullable=True),
        sa.Column("acknowledged_by", sa.String(128), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alarm_intervals"),
        _of_app("alarm_intervals"),
        **_MYSQL,
    )
    op.create_index("ix_alarm_intervals_started_at", "alarm_intervals", ["started_at", "id"])
    op.create_index("ix_alarm_intervals_app_id", "alarm_intervals", ["app_id"])
    op.create_index("ix_alarm_intervals_rule_id", "alarm_intervals", ["rule_id"])
    op.create_table(
        "alarm_silences",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("app_id", sa.String(32), nullable=False),
        sa.Column("rule", sa.String(100), nullable=False),
        sa.Column("group_labels", sa.Text, nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alarm_silences"),
        _of_app("alarm_silences"),
        **_MYSQL,
    )
    op.create_index("ix_alarm_silences_app_id", "alarm_silences", ["app_id"])
    op.create_index("ix_alarm_silences_ends_at", "alarm_silences", ["ends_at"])


def _make_whom_to_tell() -> None:
    op.create_table(
        "alarm_notifiers",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("app_id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("document", _long_text(), nullable=False),
        sa.Column("secrets_sealed", _long_text(), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.String(128), nullable=False),
        sa.Column("last_sent_at", sa.BigInteger, nullable=True),
        sa.Column("last_problem", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alarm_notifiers"),
        sa.UniqueConstraint("app_id", "name", name="uq_alarm_notifiers_app_id"),
        _of_app("alarm_notifiers"),
        **_MYSQL,
    )
    op.create_table(
        "alarm_deliveries",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("app_id", sa.String(32), nullable=False),
        sa.Column("notifier_id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("alarms", sa.Integer, nullable=False),
        sa.Column("message", _long_text(), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=True),
        sa.Column("ended_at", sa.BigInteger, nullable=True),
        sa.Column("answer", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alarm_deliveries"),
        _of_app("alarm_deliveries"),
        sa.ForeignKeyConstraint(
            ["notifier_id"],
            ["alarm_notifiers.id"],
            ondelete="CASCADE",
            name="fk_alarm_deliveries_notifier_id_alarm_notifiers",
        ),
        **_MYSQL,
    )
    op.create_index("ix_alarm_deliveries_created_at", "alarm_deliveries", ["created_at", "id"])
    op.create_index("ix_alarm_deliveries_notifier_id", "alarm_deliveries", ["notifier_id", "state"])
    op.create_index("ix_alarm_deliveries_state", "alarm_deliveries", ["state", "next_at"])
    op.create_index("ix_alarm_deliveries_app_id", "alarm_deliveries", ["app_id"])
