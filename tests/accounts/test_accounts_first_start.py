"""The first admin is made once, and its password is not lost on the way."""

import json
import stat

import pytest

from sonde.server.accounts.errors import WeakPasswordError
from sonde.server.accounts.first_start import ensure_admin


def test_the_first_start_makes_an_admin_with_a_random_password(accounts, tmp_path):
    file = tmp_path / "first-login.json"

    login = ensure_admin(accounts.users, "", file)

    assert accounts.users.verify("admin", login.password).role == "admin"
    assert json.loads(file.read_text()) == {"user": "admin", "password": login.password}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_second_start_makes_nobody(accounts, tmp_path):
    login = ensure_admin(accounts.users, "", tmp_path / "first-login.json")

    assert ensure_admin(accounts.users, "", tmp_path / "second.json") is None
    assert not (tmp_path / "second.json").exists()
    assert accounts.users.verify("admin", login.password)


def test_a_chosen_password_is_used_and_written_nowhere(accounts, tmp_path):
    login = ensure_admin(accounts.users, "chosen by me", tmp_path / "first-login.json")

    assert login.password is None
    assert list(tmp_path.glob("first-login*")) == []
    assert accounts.users.verify("admin", "chosen by me")


def test_a_chosen_password_that_is_too_short_makes_nobody(accounts, tmp_path):
    with pytest.raises(WeakPasswordError):
        ensure_admin(accounts.users, "short", tmp_path / "first-login.json")

    assert accounts.users.named("admin") is None


def test_no_admin_exists_whose_password_could_not_be_written(accounts, tmp_path):
    with pytest.raises(FileNotFoundError):
        ensure_admin(accounts.users, "", tmp_path / "no such folder" / "first-login.json")

    assert accounts.users.named("admin") is None
    assert ensure_admin(accounts.users, "", tmp_path / "first-login.json")
