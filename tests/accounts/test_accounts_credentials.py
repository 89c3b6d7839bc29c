"""Apps, tokens, users and sessions, on every database."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from sonde.server.accounts import audit, tables
from sonde.server.accounts.apps import CACHED_S
from sonde.server.accounts.credentials import APP_TOKEN, digest, looks_like, new_credential
from sonde.server.accounts.errors import BadNameError, NameTakenError, TooManyAttemptsError, WeakPasswordError
from sonde.server.accounts.login import FAILURES_OF_ADDRESS, FAILURES_OF_USER, WINDOW_S
from sonde.server.accounts.sessions import csrf_token

PASSWORD = "correct horse"
CACHE = timedelta(seconds=CACHED_S + 1)


def everything_stored(engine):
    with engine.connect() as connection:
        return repr([connection.execute(select(table)).all() for table in tables.metadata.sorted_tables])


def test_an_apps_token_names_the_app_and_no_other_text_does(accounts):
    shop, bank = accounts.apps.create("shop", "test"), accounts.apps.create("bank", "test")

    assert accounts.apps.authenticate(shop.token) == shop.app.id
    assert accounts.apps.authenticate(bank.token) == bank.app.id
    for wrong in ("", "x", shop.secret, shop.token[:-1], shop.token + "A", new_credential(APP_TOKEN), "\udcff" * 53):
        assert accounts.apps.authenticate(wrong) is None


def test_a_token_is_looked_up_once_in_a_while(accounts, clock):
    shop = accounts.apps.create("shop", "test")
    assert not accounts.apps.remembers(shop.token)

    accounts.apps.authenticate(shop.token)

    assert accounts.apps.remembers(shop.token)
    clock.pass_by(CACHE)
    assert not accounts.apps.remembers(shop.token)
    assert accounts.apps.remembers("nothing like a token"), "no database is needed to refuse it"


def test_no_credential_is_stored_in_the_clear(accounts, engine):
    accounts.users.create("ada", PASSWORD, "viewer", "test")
    app = accounts.apps.create("shop", "test")
    token, _ = accounts.tokens.create("ci", "read", "test")
    _, session = accounts.login.attempt("ada", PASSWORD, "127.0.0.1")

    stored = everything_stored(engine)

    for secret in (PASSWORD, app.token, app.secret, token, session):
        assert secret not in stored
    assert digest(app.token) in stored


@pytest.mark.parametrize("name", ["", " shop", "shop\n", "x" * 65, "a\x00b"])
def test_a_name_nobody_could_read_is_refused(accounts, name):
    with pytest.raises(BadNameError):
        accounts.apps.create(name, "test")


def test_a_name_is_given_once_and_case_and_accents_count(accounts):
    for name in ("shop", "Shop", "shöp", "商店 🛒"):
        accounts.apps.create(name, "test")

    with pytest.raises(NameTakenError, match="shop"):
        accounts.apps.create("shop", "test")
    assert len(accounts.apps.all()) == 4


def test_a_revoked_token_is_worthless_within_seconds_in_every_process(make_accounts, clock):
    one, other = make_accounts(), make_accounts()
    token, _ = one.tokens.create("ci", "write", "test")
    assert other.tokens.find(token).scope == "write"

    assert one.tokens.revoke(one.tokens.all()[0].id, "test")

    clock.pass_by(CACHE)
    assert other.tokens.find(token) is None
    assert not one.tokens.revoke("no such id", "test")


def test_the_right_password_opens_a_session_and_nothing_else_does(accounts):
    ada = accounts.users.create("ada", PASSWORD, "viewer", "test")

    user, token = accounts.login.attempt("ada", PASSWORD, "127.0.0.1")

    assert user == ada
    assert accounts.sessions.find(token).user == ada
    assert accounts.login.attempt("ada", PASSWORD + "r", "127.0.0.1") is None
    assert accounts.login.attempt("Ada", PASSWORD, "127.0.0.1") is None
    assert accounts.sessions.find(new_credential("sonde_session_")) is None
    assert accounts.sessions.find("") is None


def test_a_session_ends_some_time_after_its_last_use(accounts, clock):
    accounts.users.create("ada", PASSWORD, "viewer", "test")
    _, token = accounts.login.attempt("ada", PASSWORD, "127.0.0.1")

    for _ in range(3):
        clock.pass_by(timedelta(hours=11))
        assert accounts.sessions.find(token), "used within its time: it goes on"
    clock.pass_by(timedelta(hours=12, seconds=1))

    assert accounts.sessions.find(token) is None


def test_a_remembered_session_ends_in_time_all_the_same(accounts, clock):
    accounts.users.create("ada", PASSWORD, "viewer", "test")
    _, token = accounts.login.attempt("ada", PASSWORD, "127.0.0.1")
    assert accounts.sessions.find(token)

    clock.now += timedelta(hours=13)

    assert accounts.sessions.find(token) is None


def test_logging_out_is_final(make_accounts, clock):
    one, other = make_accounts(), make_accounts()
    one.users.create("ada", PASSWORD, "viewer", "test")
    _, token = one.login.attempt("ada", PASSWORD, "127.0.0.1")
    assert other.sessions.find(token)

    one.sessions.end(token)

    assert one.sessions.find(token) is None
    clock.pass_by(CACHE)
    assert other.sessions.find(token) is None


def test_sessions_that_ran_out_are_removed(accounts, clock, engine):
    accounts.users.create("ada", PASSWORD, "viewer", "test")
    for _ in range(3):
        accounts.login.attempt("ada", PASSWORD, "127.0.0.1")
        clock.pass_by(timedelta(hours=13))

    accounts.login.attempt("ada", PASSWORD, "127.0.0.1")

    with engine.connect() as connection:
        assert len(connection.execute(select(tables.sessions)).all()) == 1


def test_a_new_password_ends_every_session(accounts, clock):
    ada = accounts.users.create("ada", PASSWORD, "admin", "test")
    _, token = accounts.login.attempt("ada", PASSWORD, "127.0.0.1")

    accounts.users.set_password(ada, "battery staple", "test")

    clock.pass_by(CACHE)
    assert accounts.sessions.find(token) is None
    assert accounts.users.verify("ada", PASSWORD) is None
    assert accounts.users.verify("ada", "battery staple") == ada


@pytest.mark.parametrize("password", ["", "1234567", "x" * 257])
def test_a_password_too_short_or_too_long_is_refused(accounts, password):
    with pytest.raises(WeakPasswordError):
        accounts.users.create("ada", password, "viewer", "test")


def test_a_sessions_csrf_token_is_its_own(accounts):
    one, two = new_credential("sonde_session_"), new_credential("sonde_session_")

    assert csrf_token(one) == csrf_token(one)
    assert csrf_token(one) != csrf_token(two)
    assert one not in csrf_token(one)


def test_guessing_is_stopped_for_the_guesser_alone(accounts, clock):
    accounts.users.create("ada", PASSWORD, "viewer", "test")
    for _ in range(FAILURES_OF_USER):
        assert accounts.login.attempt("ada", "wrong", "10.0.0.66") is None

    with pytest.raises(TooManyAttemptsError) as refused:
        accounts.login.attempt("ada", PASSWORD, "10.0.0.66")

    assert 0 < refused.value.retry_after_s <= WINDOW_S
    assert accounts.login.attempt("ada", PASSWORD, "10.0.0.1")
    clock.pass_by(timedelta(seconds=WINDOW_S))
    assert accounts.login.attempt("ada", PASSWORD, "10.0.0.66")


def test_guessing_many_names_from_one_address_is_stopped(accounts):
    for number in range(FAILURES_OF_ADDRESS):
        accounts.login.attempt(f"user{number}", "wrong", "10.0.0.66")

    with pytest.raises(TooManyAttemptsError):
        accounts.login.attempt("somebody else", "wrong", "10.0.0.66")


def test_every_change_is_in_the_audit(accounts, engine):
    accounts.users.create("ada", PASSWORD, "viewer", "cli:root")
    app = accounts.apps.create("shop", "user:ada")
    accounts.tokens.create("ci", "read", "user:ada")
    accounts.tokens.revoke(accounts.tokens.all()[0].id, "user:ada")

    entries = audit.latest(engine, 10)

    assert [entry.what for entry in entries] == ["token.revoke", "token.create", "app.create", "user.create"]
    assert (entries[2].who, entries[2].subject, entries[2].detail) == ("user:ada", app.app.id, "shop")


def test_credentials_look_like_what_they_are():
    token = new_credential(APP_TOKEN)

    assert token.startswith("sonde_app_")
    assert looks_like(APP_TOKEN, token)
    assert not looks_like("sonde_api_", token)
    assert new_credential(APP_TOKEN) != token
