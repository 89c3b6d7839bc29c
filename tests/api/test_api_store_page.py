"""The store's counters are passed on, or left out."""

from sonde.server.store_page import store_page


def test_a_store_that_is_away_has_no_counters_and_breaks_nothing(tmp_path):
    assert store_page(tmp_path / "no such socket") == ""
