"""Every setting is one row; the documentation page is made of the same rows."""

import re
from pathlib import Path

import pytest

from sonde import settings
from sonde.settings import Setting, SettingError, Settings

ROOT = Path(__file__).parents[2]
PAUSE = Setting("test", "pause_ms", int, 10, "Pause.", unit="ms", at_least=1, at_most=100, also="STANDARD_PAUSE")
WORD = Setting("test", "word", str, "", "Word.", secret=True)
SWITCH = Setting("test", "switch", bool, default=False, doc="Switch.")


def test_what_the_caller_passed_wins_over_environment_file_and_default(tmp_path):
    file = tmp_path / "sonde.toml"
    file.write_text("[test]\npause_ms = 40\n")

    assert Settings(environ={}, file=file)[PAUSE] == 40
    assert Settings(environ={"STANDARD_PAUSE": "30"}, file=file)[PAUSE] == 30
    assert Settings(environ={"STANDARD_PAUSE": "30", "SONDE_PAUSE_MS": "20"}, file=file)[PAUSE] == 20
    assert Settings({"pause_ms": 15}, {"SONDE_PAUSE_MS": "20"}, file)[PAUSE] == 15
    assert Settings({"pause_ms": None}, environ={})[PAUSE] == 10


@pytest.mark.parametrize(("raw", "said"), [("ten", "is no int"), ("0", "the least is 1"), ("101", "the most is 100")])
def test_a_value_that_cannot_be_names_the_setting_and_where_it_came_from(raw, said):
    with pytest.raises(SettingError, match=said) as raised:
        Settings(environ={"SONDE_PAUSE_MS": raw})[PAUSE]

    assert "pause_ms" in str(raised.value)
    assert "SONDE_PAUSE_MS" in str(raised.value)


@pytest.mark.parametrize(("raw", "value"), [("1", True), ("Yes", True), ("off", False), ("", False)])
def test_a_switch_understands_the_usual_words(raw, value):
    assert Settings(environ={"SONDE_SWITCH": raw})[SWITCH] is value


def test_a_switch_refuses_other_words():
    with pytest.raises(SettingError, match="perhaps"):
        Settings(environ={"SONDE_SWITCH": "perhaps"})[SWITCH]


def test_a_secret_is_masked_where_it_is_shown_and_in_errors():
    known = Settings({"word": "open sesame"}, environ={})

    assert known.shown(WORD) == settings.MASK
    assert Settings(environ={}).shown(WORD) == ""


def test_a_value_counts_as_chosen_wherever_it_was_said(tmp_path):
    file = tmp_path / "sonde.toml"
    file.write_text("[test]\npause_ms = 10\n")

    assert Settings(environ={}, file=file).chosen(PAUSE)
    assert Settings({"pause_ms": 10}, environ={}).chosen(PAUSE)
    assert Settings(environ={"STANDARD_PAUSE": "10"}).chosen(PAUSE)
    assert not Settings({"pause_ms": None}, environ={}).chosen(PAUSE)


def test_a_child_sees_what_the_caller_passed():
    given = Settings({"port": "8700", "host": None}, environ={"SONDE_HOST": "0.0.0.0", "HOME": "/root"})

    environment = given.environment()

    assert environment == {"SONDE_HOST": "0.0.0.0", "HOME": "/root", "SONDE_PORT": "8700"}
    assert Settings(environ=environment)[settings.PORT] == 8700


def test_a_settings_file_that_was_named_must_be_readable(tmp_path):
    with pytest.raises(SettingError, match="cannot be read"):
        Settings(environ={"SONDE_CONFIG": str(tmp_path / "missing.toml")})


def test_names_are_unique_and_carry_their_unit():
    rows = list(settings.rows())

    assert len({row.name for row in rows}) == len(rows)
    suffixes = {"%": "_rate", "ms": "_ms", "s": "_s", "bytes": "_bytes", "days": "_days", "hours": "_hours"}
    for row in rows:
        if row.unit:
            assert row.name.endswith(suffixes[row.unit]), f"{row.name} is in {row.unit}"
        assert row.doc.endswith((".", ",")), row.name


def test_the_settings_page_is_made_of_the_rows():
    """`scripts/settings-page` writes it; this fails when somebody changed a row and did not run it."""
    page = (ROOT / "docs" / "settings.md").read_text()

    for row in settings.rows():
        assert re.search(rf"^\| `{row.name}` \| `{row.variable}`", page, re.MULTILINE), row.name
        assert row.doc.split("|")[0] in page, f"{row.name}: run scripts/settings-page"
