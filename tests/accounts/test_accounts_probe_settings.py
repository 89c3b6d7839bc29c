"""What is said to the probes of a service, on every database."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import delete, select, text
from sqlalchemy.exc import IntegrityError

from sonde.server.accounts import audit, tables
from sonde.server.accounts.database import check_schema, current_revision, open_metadata, writing
from sonde.server.accounts.errors import TooManySettingsError
from sonde.server.accounts.migrate import MIGRATIONS, migrate
from sonde.server.accounts.probe_settings import CACHED_S, Override, Sampling
from sonde.wire.frames import MAX_SETTINGS_BYTES

TENTH = Sampling(rate=10.0, slow_ms=250.5, follows_parent=False)


@pytest.fixture
def shop(accounts):
    """The id of an app."""
    return accounts.apps.create("shop", "test").app.id


def told(accounts, app_id):
    return json.loads(accounts.probe_settings.document(app_id).content)["services"]


def test_nothing_is_said_at_first(accounts, shop):
    assert accounts.probe_settings.find(shop, "orders") is None
    assert accounts.probe_settings.document(shop).content == b'{"services":{}}'
    assert not accounts.probe_settings.unsay(shop, "orders", "user:ada")


def test_what_was_said_comes_back_with_who_and_when(accounts, shop, clock):
    accounts.probe_settings.say(shop, "orders", TENTH, "user:ada")

    assert accounts.probe_settings.find(shop, "orders") == Override(TENTH, clock.now, "user:ada")
    assert told(accounts, shop) == {
        "orders": {"sampling_rate": 10.0, "slow_ms": 250.5, "sampling_follows_parent": False}
    }


def test_the_last_word_counts_and_what_it_leaves_out_is_as_configured(accounts, shop, clock):
    accounts.probe_settings.say(shop, "orders", TENTH, "user:ada")
    clock.pass_by(timedelta(hours=1))
    accounts.probe_settings.say(shop, "orders", Sampling(rate=0.0), "token:7")

    assert accounts.probe_settings.find(shop, "orders") == Override(Sampling(rate=0.0), clock.now, "token:7")
    assert told(accounts, shop) == {"orders": {"sampling_rate": 0.0}}


def test_the_same_word_twice_changes_nothing_for_probes(accounts, shop):
    accounts.probe_settings.say(shop, "orders", TENTH, "user:ada")
    before = accounts.probe_settings.document(shop)
    accounts.probe_settings.say(shop, "orders", TENTH, "user:eve")

    assert accounts.probe_settings.document(shop) == before
    accounts.probe_settings.say(shop, "orders", Sampling(rate=11.0), "user:ada")
    assert accounts.probe_settings.document(shop).etag != before.etag


def test_what_was_unsaid_is_gone(accounts, shop):
    accounts.probe_settings.say(shop, "orders", TENTH, "user:ada")

    assert accounts.probe_settings.unsay(shop, "orders", "user:ada")
    assert accounts.probe_settings.find(shop, "orders") is None
    assert told(accounts, shop) == {}


@pytest.mark.parametrize(
    "name",
    ["127.0.0.1:8000", "a/b", "..", "订单", "Bestellungen\n", "🛒" * 255, "'; DROP TABLE apps; --", "%2F", "e\u0301"],
)
def test_any_name_a_service_may_have_is_told_as_it_is(accounts, shop, name):
    accounts.probe_settings.say(shop, name, TENTH, "user:ada")

    assert list(told(accounts, shop)) == [name]
    assert accounts.probe_settings.unsay(shop, name, "user:ada")


def test_names_that_look_alike_are_told_apart(accounts, shop):
    names = ["orders", "Orders", "orders ", " orders", "örders", "\u0065", "\u00e9", "e\u0301"]
    for rate, name in enumerate(names):
        accounts.probe_settings.say(shop, name, Sampling(rate=float(rate)), "user:ada")

    for rate, name in enumerate(names):
        assert accounts.probe_settings.find(shop, name).sampling.rate == rate, repr(name)
    assert sorted(told(accounts, shop)) == sorted(names)


def test_apps_do_not_hear_each_other(accounts, shop):
    bank = accounts.apps.create("bank", "test").app.id
    accounts.probe_settings.say(shop, "orders", TENTH, "user:ada")

    assert accounts.probe_settings.find(bank, "orders") is None
    assert told(accounts, bank) == {}


def test_an_app_that_is_not_there_cannot_be_spoken_of(accounts):
    with pytest.raises(IntegrityError):
        accounts.probe_settings.say("0123456789ab", "orders", TENTH, "user:ada")


def test_the_settings_of_an_app_go_with_it(accounts, shop, engine):
    accounts.probe_settings.say(shop, "orders", TENTH, "user:ada")
    with writing(engine) as connection:
        connection.execute(delete(tables.apps))

    assert accounts.probe_settings.find(shop, "orders") is None


def test_every_change_is_in_the_audit(accounts, shop, engine, clock):
    accounts.probe_settings.say(shop, "orders", TENTH, "user:ada")
    clock.pass_by(timedelta(seconds=1))
    accounts.probe_settings.unsay(shop, "orders", "token:7")
    accounts.probe_settings.unsay(shop, "orders", "token:7")

    entries = audit.latest(engine, 2)
    assert [(entry.who, entry.what, entry.subject) for entry in entries] == [
        ("token:7", "sampling.reset", shop),
        ("user:ada", "sampling.set", shop),
    ]
    assert json.loads(entries[1].detail) == {"service": "orders", **TENTH.on_the_wire}


def test_more_than_a_probe_takes_is_refused_and_leaves_no_trace(accounts, shop, engine):
    settings = accounts.probe_settings
    with writing(engine) as connection:
        row = {"app_id": shop, "sampling_rate": 1.0, "changed_at": accounts.probe_settings._now(), "changed_by": "test"}
        connection.execute(
            tables.probe_settings.insert(), [{**row, "service": f"{number:0>200}"} for number in range(291)]
        )
    assert MAX_SETTINGS_BYTES - 255 < len(settings.document(shop).content) < MAX_SETTINGS_BYTES

    with pytest.raises(TooManySettingsError, match="64 KiB"):
        settings.say(shop, "x" * 255, TENTH, "user:ada")

    assert settings.find(shop, "x" * 255) is None
    assert audit.latest(engine, 1)[0].what == "app.create"
    settings.unsay(shop, f"{0:0>200}", "user:ada")
    settings.unsay(shop, f"{1:0>200}", "user:ada")
    settings.say(shop, "x" * 255, TENTH, "user:ada")


def test_two_who_speak_at_once_are_both_heard(make_accounts, shop):
    meet = threading.Barrier(4)

    def say(number):
        accounts = make_accounts()
        meet.wait()
        for turn in range(5):
            accounts.probe_settings.say(shop, f"service {turn}", Sampling(rate=float(number)), f"user:{number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(say, range(4)))

    accounts = make_accounts()
    for turn in range(5):
        override = accounts.probe_settings.find(shop, f"service {turn}")
        assert override.changed_by == f"user:{override.sampling.rate:.0f}"


def test_what_another_process_said_is_told_within_a_moment(make_accounts, shop, clock):
    here, there = make_accounts(), make_accounts()
    assert told(here, shop) == {}
    assert here.probe_settings.remembers(shop)
    there.probe_settings.say(shop, "orders", TENTH, "user:ada")

    clock.pass_by(timedelta(seconds=CACHED_S + 0.1))

    assert not here.probe_settings.remembers(shop)
    assert list(told(here, shop)) == ["orders"]


def test_a_database_of_the_first_revision_gets_the_table_and_keeps_what_it_has(empty_url):
    engine = open_metadata(empty_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            text("INSERT INTO apps (id, name, secret_digest, created_at) VALUES ('0123456789ab', 'shop', 'x', 1)")
        )
    assert current_revision(engine) == "0001"

    migrate(engine)

    check_schema(engine)
    with engine.connect() as connection:
        assert connection.execute(select(tables.apps.c.name)).scalars().all() == ["shop"]
        assert connection.execute(select(tables.probe_settings)).all() == []
    engine.dispose()
