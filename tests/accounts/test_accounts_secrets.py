"""Apps' secrets: sealed, readable again by the server alone, renewed on demand."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from sonde import settings
from sonde.server.accounts import audit, tables
from sonde.server.accounts.accounts import Accounts
from sonde.server.accounts.database import writing
from sonde.server.accounts.sealing import KEY_BYTES, Sealer, UnsealError, new_key


def settings_with(key=""):
    return settings.Settings({"secrets_key": key or None}, environ={})


def test_an_apps_secret_can_be_read_again_and_the_database_holds_it_sealed(accounts, engine):
    new = accounts.apps.create("shop", "test")

    found = accounts.apps.secret_of(new.app.id)

    assert found.secret == new.secret
    assert found.app == new.app
    with engine.connect() as connection:
        row = connection.execute(select(tables.apps)).one()
    assert new.secret not in str(row)


def test_nobody_has_the_secret_of_an_app_that_is_not_there(accounts):
    assert accounts.apps.secret_of("0123456789ab") is None
    assert accounts.apps.renew_secret("0123456789ab", "test") is None


def test_a_new_secret_takes_the_place_of_the_old_one_and_is_in_the_audit(accounts, engine):
    new = accounts.apps.create("shop", "test")

    renewed = accounts.apps.renew_secret(new.app.id, "cli:somebody")

    assert renewed.secret != new.secret
    assert accounts.apps.secret_of(new.app.id).secret == renewed.secret
    entry = audit.latest(engine, 1)[0]
    assert (entry.who, entry.what, entry.subject) == ("cli:somebody", "app.secret", new.app.id)
    assert renewed.secret not in entry.detail


def test_an_app_made_before_secrets_were_sealed_has_none_until_it_gets_a_new_one(accounts, engine):
    app = accounts.apps.create("old", "test").app
    with writing(engine) as connection:
        connection.execute(update(tables.apps).values(secret_sealed=None))

    assert accounts.apps.secret_of(app.id).secret is None
    assert "before" in accounts.apps.secret_of(app.id).why

    accounts.apps.renew_secret(app.id, "test")
    assert accounts.apps.secret_of(app.id).secret


def test_a_secret_sealed_under_another_key_is_no_secret_and_no_fault(accounts, engine):
    app = accounts.apps.create("shop", "test").app

    found = Accounts(engine, timedelta(hours=1), Sealer(b"x" * KEY_BYTES)).apps.secret_of(app.id)

    assert found.secret is None
    assert "another key" in found.why


def test_a_sealed_text_is_worth_nothing_for_another_row_nor_changed():
    sealer = Sealer(bytes(KEY_BYTES))
    sealed = sealer.seal("open sesame", "app-1")
    raw = bytearray(base64.b64decode(sealed.removeprefix("v1:")))
    raw[-1] ^= 1

    assert sealer.unseal(sealed, "app-1") == "open sesame"
    assert sealer.seal("open sesame", "app-1") != sealed
    for wrong in (sealed, "v1:" + base64.b64encode(raw).decode(), "v1:???", "v1:", "v2:AAAA", ""):
        with pytest.raises(UnsealError):
            sealer.unseal(wrong, "app-2" if wrong == sealed else "app-1")


def test_the_key_file_is_made_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "secrets.key"
    with ThreadPoolExecutor(8) as pool:
        sealers = list(pool.map(lambda _: Sealer.of(settings_with(), path), range(8)))

    sealed = sealers[0].seal("open sesame", "app")

    assert {sealer.unseal(sealed, "app") for sealer in sealers} == {"open sesame"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["secrets.key"]


def test_the_key_of_the_setting_comes_before_the_file(tmp_path):
    key = new_key()
    sealed = Sealer.of(settings_with(key), tmp_path / "secrets.key").seal("open sesame", "app")

    assert Sealer(base64.b64decode(key)).unseal(sealed, "app") == "open sesame"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("bad", ["no base64!", base64.b64encode(b"short").decode()])
def test_a_key_that_is_none_is_a_setting_error_that_does_not_show_it(tmp_path, bad):
    with pytest.raises(settings.SettingError, match="secrets_key") as raised:
        Sealer.of(settings_with(bad), tmp_path / "secrets.key")

    assert bad not in str(raised.value)


def test_a_key_file_that_holds_no_key_is_never_replaced(tmp_path):
    path = tmp_path / "secrets.key"
    path.write_text("torn")

    with pytest.raises(settings.SettingError, match=r"secrets\.key"):
        Sealer.of(settings_with(), path)
    assert path.read_text() == "torn"


def test_the_first_app_is_made_once_and_an_app_is_found_by_name_or_id(accounts):
    first = accounts.apps.create_first("default", "first start")

    assert accounts.apps.create_first("default", "first start") is None
    assert accounts.apps.called("default") == first.app
    assert accounts.apps.called(first.app.id) == first.app
    assert accounts.apps.called("nobody") is None
