"""What is said of apps and names, on every database."""

import json
import zoneinfo
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from sonde.server.accounts import audit
from sonde.server.accounts.app_settings import AppSettings
from sonde.server.accounts.errors import TooManySettingsError
from sonde.server.accounts.name_rules import MOST_RULES, Wish


@pytest.fixture
def app(accounts):
    return accounts.apps.create("shop", "test").app.id


def test_an_app_of_which_nothing_was_said_has_the_defaults(accounts, app):
    assert accounts.app_settings.of(app) == AppSettings("UTC", None, 100, 200, 10_000, 30 * 86_400)
    assert accounts.app_settings.all() == {}


def test_what_was_said_of_an_app_holds_at_once_and_is_in_the_record(accounts, app, clock):
    for zone in ("Asia/Kathmandu", "Europe/Berlin"):
        accounts.app_settings.say(app, AppSettings(zone, 250, 50.5, 300, 2000, 3600), "user:ada")

    said = accounts.app_settings.all()[app]
    assert said.settings == AppSettings("Europe/Berlin", 250, 50.5, 300, 2000, 3600)
    assert (said.changed_at, said.changed_by) == (clock.now, "user:ada")
    entry = audit.latest(accounts.engine, 1)[0]
    assert (entry.what, entry.subject, json.loads(entry.detail)["slow_ms"]) == ("app.settings", app, 300)


def test_nothing_can_be_said_of_an_app_that_is_not_there(accounts):
    with pytest.raises(IntegrityError):
        accounts.app_settings.say("0" * 32, AppSettings(), "user:ada")


def test_rules_keep_their_order_and_their_names_to_the_last_space(accounts, app):
    wishes = [
        Wish("alias", service="a ", name="shop"),
        Wish("endpoint", pattern=r"GET /user/\d+", name="GET /user/{id}"),
        Wish("hide", service="Ä🛒"),
    ]
    made = [accounts.name_rules.add(app, wish, "user:ada") for wish in wishes]

    assert [rule.wish for rule in accounts.name_rules.all()] == wishes
    assert accounts.name_rules.of(app) == made
    changed = accounts.name_rules.change(app, made[0].id, Wish("alias", service="b", name="shop"), "user:bo")
    assert [rule.wish.service for rule in accounts.name_rules.all()] == ["b", "", "Ä🛒"]
    assert changed.changed_by == "user:bo"
    assert accounts.name_rules.drop(app, made[1].id, "user:bo")
    assert not accounts.name_rules.drop(app, made[1].id, "user:bo")
    assert accounts.name_rules.change(app, made[1].id, wishes[1], "user:bo") is None
    assert accounts.name_rules.find("0" * 32, made[0].id) is None
    assert [entry.what for entry in audit.latest(accounts.engine, 3)] == ["names.drop", "names.change", "names.add"]


def test_a_rule_that_moves_a_service_is_shown_at_both_ends(accounts, app):
    other = accounts.apps.create("bank", "test").app.id
    rule = accounts.name_rules.add(app, Wish("move", service="cards", target_app=other), "user:ada")

    assert accounts.name_rules.of(app) == accounts.name_rules.of(other) == [rule]


def test_an_app_has_no_more_rules_than_a_query_can_bear(accounts, app):
    for number in range(MOST_RULES):
        accounts.name_rules.add(app, Wish("hide", service=f"s{number}"), "user:ada")

    with pytest.raises(TooManySettingsError, match="at most 200"):
        accounts.name_rules.add(app, Wish("hide", service="one more"), "user:ada")


def test_time_zones_are_known_on_a_machine_without_zone_data():
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(())
    try:
        zone = zoneinfo.ZoneInfo.no_cache("Asia/Kathmandu")
    finally:
        zoneinfo.reset_tzpath(before)

    assert datetime(2026, 1, 1, tzinfo=zone).utcoffset() == timedelta(hours=5, minutes=45)
