"""How much of a service is recorded, changed on its page while it runs."""

import httpx
import pytest
from browser_shop import HOSTILE
from playwright.sync_api import expect

from started.waiting import eventually

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)

RATE, SLOW, CALLER = "Recorded requests", "Slow, and always kept, from", "Where the caller has decided"
CONFIGURED = {"sampling_rate": None, "slow_ms": None, "sampling_follows_parent": None}


@pytest.fixture
def told(server, shop):
    """What the probes of the shop are told of a service."""

    def ask(service):
        answer = httpx.get(f"{server.url}/api/v1/probe-settings", headers=dict(shop._client.headers), timeout=60)
        return answer.json()["services"].get(service)

    return ask


def opened(visit):
    visit.find("sampling").click()
    return visit.find("samplingForm")


def test_sampling_is_changed_seen_by_others_and_reset(visit, visits, told):
    """Save, look again, save once more with one field emptied, reset."""
    visit.open("/services/orders")
    expect(visit.find("sampling")).to_have_text("Sampling: as configured")
    form = opened(visit)
    expect(form.get_by_label(RATE)).to_be_focused()
    expect(form.get_by_label(RATE)).to_have_attribute("placeholder", "as configured")
    expect(form).to_contain_text("stay exact")
    expect(form).to_contain_text("Nobody has changed it here")
    expect(form.get_by_role("button", name="Reset")).to_have_count(0)

    visit.page.keyboard.type("12.5")
    form.get_by_label(SLOW).fill("300")
    form.get_by_label(CALLER).select_option("decide here all the same")
    visit.page.keyboard.press("Tab")
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    expect(visit.find("sampling")).to_have_text("Sampling: 12.5 %, slow from 300 ms")
    assert told("orders") == {"sampling_rate": 12.5, "slow_ms": 300.0, "sampling_follows_parent": False}

    visit.open("/services/orders")
    form = opened(visit)
    expect(form).to_contain_text("by admin")
    expect(form.get_by_label(CALLER)).to_have_value("own")
    form.get_by_label(SLOW).fill("")
    form.get_by_label(RATE).fill("0")
    visit.page.keyboard.press("Enter")
    expect(visit.find("sampling")).to_have_text("Sampling: 0 %")
    assert told("orders") == {"sampling_rate": 0.0, "sampling_follows_parent": False}

    opened(visit).get_by_role("button", name="Reset").click()
    expect(visit.find("sampling")).to_have_text("Sampling: as configured")
    assert told("orders") is None
    assert visit.complaints == []


@pytest.mark.slow
def test_emptied_fields_that_are_saved_are_a_reset(visit, told):
    visit.open("/services/stock")
    opened(visit).get_by_label(RATE).fill("50")
    visit.page.keyboard.press("Enter")
    expect(visit.find("sampling")).to_have_text("Sampling: 50 %")
    opened(visit).get_by_label(RATE).fill("")
    visit.page.keyboard.press("Enter")
    expect(visit.find("sampling")).to_have_text("Sampling: as configured")
    assert told("stock") is None


def test_what_cannot_be_is_said_before_it_is_sent(visit, told):
    visit.open("/services/stock")
    form = opened(visit)
    save = form.get_by_role("button", name="Save")
    expect(save).to_be_disabled()
    form.get_by_label(RATE).fill("100.1")
    expect(form).to_contain_text("From 0 to 100")
    visit.page.keyboard.press("Enter")
    expect(save).to_be_disabled()
    form.get_by_label(RATE).fill("100")
    expect(form).not_to_contain_text("From 0 to 100")
    expect(save).to_be_enabled()
    visit.page.keyboard.press("Escape")
    expect(form).to_have_count(0)
    expect(visit.find("sampling")).to_be_focused()
    assert told("stock") is None


def test_a_failure_is_said_where_it_happened(visit):
    """And what was typed is still there."""
    visit.open("/services/stock")
    form = opened(visit)
    form.get_by_label(RATE).fill("10")
    visit.page.route(
        "**/sampling", lambda route: route.fulfill(status=409, json={"error": {"code": "x", "message": "no room"}})
    )
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_have_text("no room")
    expect(form.get_by_label(RATE)).to_have_value("10")


@pytest.mark.slow
def test_a_service_with_a_hostile_name_is_sampled_like_any_other(visit, told):
    visit.find("overviewTable").get_by_text(HOSTILE).first.click()
    opened(visit).get_by_label(RATE).fill("1")
    visit.page.keyboard.press("Enter")
    expect(visit.find("sampling")).to_have_text("Sampling: 1 %")
    assert told(HOSTILE) == {"sampling_rate": 1.0}
    opened(visit).get_by_role("button", name="Reset").click()
    eventually(lambda: told(HOSTILE) is None, "the reset")


def test_a_viewer_looks_and_changes_nothing(visit, visits, server):
    visit.open("/services/front")
    opened(visit).get_by_label(RATE).fill("25")
    visit.page.keyboard.press("Enter")
    expect(visit.find("sampling")).to_have_text("Sampling: 25 %")
    server.viewer("vera")
    guest = visits()
    guest.log_in(user="vera")
    guest.find("overviewTable").wait_for()
    guest.open("/services/front")

    facts = opened(guest)

    expect(facts).to_contain_text("25 %")
    expect(facts).to_contain_text("by admin")
    expect(facts).to_contain_text("not change it")
    assert facts.locator("input, select, button").count() == 0
    opened(visit).get_by_role("button", name="Reset").click()
    expect(visit.find("sampling")).to_have_text("Sampling: as configured")
    assert guest.complaints == []


@pytest.mark.slow
@pytest.mark.parametrize(("theme", "language"), [("light", "zh"), ("dark", "en")])
def test_it_fits_on_a_phone(guests, traffic, theme, language):
    visit = guests(theme=theme, language=language, width=360, height=740)
    visit.open("/services/orders")

    box = opened(visit).bounding_box()

    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert visit.complaints == []
