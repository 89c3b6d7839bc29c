"""From the statistics of an app down to the traces, its days, its settings, and what its names become."""

import csv
import re

import pytest
from playwright.sync_api import expect

from started.waiting import eventually

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)


def test_statistics_lead_to_traces_days_settings_and_names(visit, server):
    """Checkouts: every tenth of 60 failed in `front` and in `orders`."""
    visit.open("/statistics?range=1h&compare=yesterday")
    table = visit.find("statisticsTable")
    table.get_by_role("link", name="front", exact=True).click()
    expect(table.get_by_role("link", name="POST /checkout")).to_be_visible()
    expect(visit.find("statisticsWay")).to_contain_text("shop/front")
    expect(visit.find("statisticsTiers")).to_contain_text("Failed6")
    expect(visit.find("statisticsErrors")).to_contain_text("POST /checkout")

    with visit.page.expect_download() as download:
        visit.page.get_by_role("link", name="Export CSV").click()
    with download.value.path().open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    (kept,) = server.get("/statistics?by=endpoint&service=front")["items"]
    assert kept["requests"] >= 60, "other tests add some, none of which fails"
    assert [(row["endpoint"], row["requests"], row["errors"]) for row in rows] == [
        ("POST /checkout", str(kept["requests"]), "6")
    ]

    visit.find("statisticsBy").click()
    visit.page.get_by_role("option", name="Callee").click()
    expect(table).to_contain_text("cache.example:6379")
    visit.find("statisticsBy").click()
    visit.page.get_by_role("option", name="Status").click()
    table.get_by_role("row").filter(has_text="500").get_by_role("link", name="6", exact=True).first.click()
    expect(visit.find("tracesTable").locator("tbody tr[aria-rowindex]")).to_have_count(6)
    assert "status=500" in visit.page.url

    visit.open("/statistics/day")
    strips = visit.find("dayStrips")
    expect(strips.get_by_role("img", name=re.compile("^All services: .* requests"))).to_be_visible()
    strips.get_by_role("button", name="orders").click()
    expect(strips.get_by_role("img")).to_have_count(1)
    visit.page.get_by_role("button", name="Day before").click()
    expect(visit.find("dayAgainst")).not_to_have_value("")
    expect(visit.page.get_by_role("img", name=re.compile(r"^Requests: .*, \d{4}-\d\d-\d\d"))).to_be_visible()

    app = server.get("/statistics?by=service")["items"][0]["app"]
    visit.open(f"/apps/{app}/settings")
    visit.page.get_by_label("Slow up to").fill("50")
    expect(visit.find("appSettings")).to_contain_text("Must not be less than what is normal")
    visit.page.get_by_label("Slow up to").fill("250")
    visit.page.get_by_role("button", name="Save").click()
    expect(visit.find("appSettings")).to_contain_text("Saved")
    assert server.get(f"/apps/{app}/settings")["slow_ms"] == 250

    assert visit.complaints == [], visit.complaints

    visit.open(f"/apps/{app}/names?range=1h")
    form = visit.find("nameForm")
    form.get_by_label("Pattern").fill("POST /(checkout")
    form.get_by_label("Shown as").fill("POST anything")
    form.get_by_role("button", name="Preview").click()
    expect(form.get_by_role("alert")).to_contain_text("pattern")
    form.get_by_label("Pattern").fill("POST /(checkout|orders)")
    form.get_by_role("button", name="Preview").click()
    expect(visit.find("namePreview")).to_contain_text(f"2 endpoints with {2 * kept['requests']} requests")
    form.get_by_role("button", name="Add rule").click()
    rules = visit.find("nameRules")
    expect(rules).to_contain_text("POST anything")
    merged = "/statistics?by=endpoint&app=" + app
    eventually(lambda: "POST anything" in [row["endpoint"] for row in server.get(merged)["items"]], "merged endpoints")
    rules.get_by_role("button", name="Delete rule").click()
    rules.get_by_role("button", name="Delete", exact=True).click()
    expect(rules).to_contain_text("No rules")
