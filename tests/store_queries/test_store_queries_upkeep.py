from __future__ import annotations

import pytest

from sonde.server.store.migrate import migrate, statements
from sonde.server.store.retention import KEPT, apply_retention
from sonde.settings import Settings


def definitions(client) -> dict[str, str]:
    return dict(client.rows("SELECT name, create_table_query FROM system.tables WHERE database = 'sonde'"))


def forget_that_it_is_made(client) -> None:
    client.command("TRUNCATE TABLE schema_made")


def statements_sent(client, monkeypatch) -> list[str]:
    """What `migrate` tells the store from now on."""
    sent: list[str] = []
    command = client.command
    monkeypatch.setattr(client, "command", lambda sql, *rest: (sent.append(sql), command(sql, *rest)))
    return sent


def test_bringing_the_schema_up_to_date_again_changes_nothing(loader):
    before = definitions(loader)
    forget_that_it_is_made(loader)

    migrate(loader)

    assert definitions(loader) == before


def test_a_schema_that_is_made_is_not_made_again(loader, monkeypatch):
    sent = statements_sent(loader, monkeypatch)

    migrate(loader)

    assert sent == ["CREATE DATABASE IF NOT EXISTS sonde"]


@pytest.mark.parametrize("lost", ["VIEW dropped_logs", "FUNCTION sonde_bucket"])
def test_what_was_taken_away_is_made_again(loader, lost):
    before = definitions(loader)
    loader.command(f"DROP {lost}")

    migrate(loader)

    assert definitions(loader) == before
    assert loader.rows("SELECT count() FROM system.functions WHERE name = 'sonde_bucket'") == [(1,)]


def test_what_another_version_made_is_brought_to_this_one(loader, monkeypatch):
    loader.command("INSERT INTO schema_made (made_of, names) VALUES ('another', [])")
    sent = statements_sent(loader, monkeypatch)

    migrate(loader)

    assert {statement for _, statement in statements()} <= set(sent)


def test_each_statement_can_be_run_again():
    again = (
        "IF NOT EXISTS",
        "DROP VIEW IF EXISTS",
        "DROP TABLE IF EXISTS",
        "CREATE OR REPLACE FUNCTION",
        "MODIFY COLUMN",
    )
    assert all(any(words in statement for words in again) for _, statement in statements())


def test_a_search_by_attribute_reads_a_bucket_of_the_map(loader):
    assert "map_serialization_version = 'with_buckets'" in definitions(loader)["spans"]


def test_a_table_keeps_its_rows_as_long_as_its_setting_says(loader):
    apply_retention(loader, Settings({}))
    try:
        changed = apply_retention(loader, Settings({"retention_spans_days": 3}))

        assert changed == ["spans", "trace_times", "statements_long"]
        assert "toIntervalDay(3)" in definitions(loader)["spans"]
        assert apply_retention(loader, Settings({"retention_spans_days": 3})) == []
    finally:
        apply_retention(loader, Settings({}))


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept.table)
def test_the_schema_starts_with_the_default_retention(kept):
    """Else the first start of every store would alter its tables."""
    (definition,) = [s for _, s in statements() if f"EXISTS {kept.table} (" in s]

    assert f"TTL {kept.time} + INTERVAL {kept.days.default} DAY" in definition
