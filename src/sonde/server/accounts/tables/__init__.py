"""The tables of the metadata database, a file for each part. `migrations/` makes them; a test compares the two."""

from __future__ import annotations

from sonde.server.accounts.tables.alarms import (
    alarm_deliveries,
    alarm_evaluation,
    alarm_intervals,
    alarm_notifiers,
    alarm_rules,
    alarm_silences,
    alarm_states,
)
from sonde.server.accounts.tables.apps import app_tokens, apps, probe_settings
from sonde.server.accounts.tables.columns import GivenName, Moment, metadata
from sonde.server.accounts.tables.dashboards import dashboard_shares, dashboards
from sonde.server.accounts.tables.jobs import artifacts, jobs, signing_keys
from sonde.server.accounts.tables.nodejs import nodejs_cores, nodejs_files, nodejs_packages
from sonde.server.accounts.tables.people import api_tokens, audit, sessions, users
from sonde.server.accounts.tables.statistics import app_settings, name_rules

__all__ = [
    "REVISION",
    "GivenName",
    "Moment",
    "alarm_deliveries",
    "alarm_evaluation",
    "alarm_intervals",
    "alarm_notifiers",
    "alarm_rules",
    "alarm_silences",
    "alarm_states",
    "api_tokens",
    "app_settings",
    "app_tokens",
    "apps",
    "artifacts",
    "audit",
    "dashboard_shares",
    "dashboards",
    "jobs",
    "metadata",
    "name_rules",
    "nodejs_cores",
    "nodejs_files",
    "nodejs_packages",
    "probe_settings",
    "sessions",
    "signing_keys",
    "users",
]

REVISION = "0009"
"""What `migrations/` leads to; kept here so that a process can check it without Alembic."""
