"""A rule is written, tried on what was, kept, and fires; somebody is to be told; it is acknowledged and silenced."""

import re

import pytest
from playwright.sync_api import expect

from started.waiting import eventually

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
JUDGED_MS = 100_000
"""A rule is judged with the next slot of 30 s, once its data are there."""
TOML = """
[[rule]]
name = "Stock is slow"
window_s = 300
[rule.what]
kind = "statistic"
statistic = "p95_ms"
service = "stock"
[rule.condition]
op = ">"
threshold = 900.0
"""


def test_a_rule_is_tried_kept_and_fires_and_is_acknowledged_and_silenced(visit):
    page = visit.page
    visit.open("/alarms/rules")
    visit.find("ruleNew").first.click()
    page.get_by_role("menuitem", name=re.compile("Requests fail")).click()
    expect(visit.find("ruleSentence")).to_contain_text("share of failed requests of each service over 5 min")
    visit.find("ruleName").fill("Front fails")
    page.get_by_role("combobox", name="Service", exact=True).fill("front")
    visit.find("ruleThreshold").fill("0.01")
    page.get_by_label("Window (seconds)").fill("3600")
    page.get_by_label("Must hold for (seconds)").fill("0")
    page.get_by_label("Over from").fill("0.001")
    expect(visit.find("ruleSentence")).to_contain_text("of front over 60 min is above 1 %, it fires as critical")

    def fired():
        visit.find("backtestRun").click()
        expect(visit.find("backtestFired")).not_to_be_empty()
        return visit.find("backtestFired").inner_text().startswith("Would have fired 1 time in 14 days")

    eventually(fired, "what came a moment ago is tried upon, too")
    expect(page.get_by_role("img", name="Would have fired: 1")).to_be_visible()
    visit.find("ruleSave").click()
    expect(visit.find("rulesTable").get_by_role("link", name="Front fails")).to_be_visible()

    visit.find("rulesImport").click()
    visit.find("importToml").fill(TOML)
    visit.find("importCheck").click()
    expect(visit.find("importChanges")).to_contain_text("Added: Stock is slow")
    visit.find("importDo").click()
    expect(visit.find("importChanges")).to_contain_text("Done")
    page.keyboard.press("Escape")
    expect(visit.find("rulesTable").get_by_role("link", name="Stock is slow")).to_be_visible()

    visit.open("/alarms/notifiers/new")
    visit.find("notifierName").fill("ops")
    visit.find("notifierUrl").fill("https://hooks.invalid/secret-part")
    visit.find("notifierPreview").click()
    expect(visit.find("notifierShown")).to_contain_text("https://hooks.invalid")
    visit.find("notifierSave").click()
    expect(visit.find("notifierUrl")).to_have_value("********")
    visit.find("notifierTest").click()
    expect(visit.find("notifierAnswer")).to_contain_text("Not delivered")
    assert "secret-part" not in page.content()

    visit.open("/alarms")
    alarms = visit.find("alarmsTable").get_by_role("row", name="Front fails")
    expect(alarms.get_by_role("link", name="Front fails")).to_be_visible(timeout=JUDGED_MS)
    expect(visit.find("nav")).to_contain_text("1 alarm fires")
    alarms.get_by_test_id("alarm-acknowledge").click()
    page.get_by_label("Why, or what is being done").fill("the cable is out")
    visit.find("acknowledgeSave").click()
    expect(alarms.get_by_role("button", name="Take back")).to_be_visible()
    expect(alarms).to_contain_text("admin")
    expect(alarms).to_contain_text("the cable is out")
    alarms.get_by_test_id("alarm-silence").click()
    visit.find("silenceSave").click()
    expect(visit.find("silencesTable")).to_contain_text("Front fails")

    visit.open("/alarms/history?range=24h")
    expect(visit.find("alarmTimeline")).to_contain_text("1 time")
    expect(visit.find("alarmIntervals")).to_contain_text("Fires still")
    expect(visit.find("alarmIntervals")).to_contain_text("the cable is out")


def test_a_field_of_a_rule_that_is_emptied_leaves_what_it_said(visit):
    """Seconds are never nothing: only what is a number is taken."""
    visit.open("/alarms/rules/new?template=error-rate")
    again = visit.page.get_by_label("Tell again after (seconds)")
    expect(again).to_have_value("14400")

    again.fill("")

    form = visit.page.locator("main")
    expect(form).to_contain_text("4 h")
    expect(form).not_to_contain_text("NaN")
    again.fill("0")
    expect(form).to_contain_text("never again")
