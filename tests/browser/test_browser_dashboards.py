"""A dashboard is copied, changed, kept, and shown to somebody without an account."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)


def test_a_dashboard_is_copied_changed_kept_and_shared(visit, visits):
    visit.open("/dashboards")
    visit.find("dashboardsTable").get_by_role("link", name="A service").click()
    visit.page.get_by_role("combobox", name="service").fill("orders")
    expect(visit.page.get_by_role("img", name="Latency")).to_be_visible()
    assert "value=service%3Dorders" in visit.page.url or "value=service=orders" in visit.page.url

    visit.find("dashboardCopy").click()
    visit.page.get_by_role("menuitem", name="shop").click()
    expect(visit.find("dashboardTitle")).to_have_value("A service, copy")
    visit.find("dashboardTitle").fill("Checkout")
    visit.find("dashboardAdd").click()
    visit.find("panelTitle").fill("A constant")
    visit.find("panelPromql").fill("40 + 2")
    visit.page.keyboard.press("Escape")
    expect(visit.page.get_by_role("img", name="A constant: 40 + 2 42")).to_be_visible()
    visit.find("dashboardSave").click()
    expect(visit.page.get_by_role("heading", name="Checkout")).to_be_visible()

    visit.page.get_by_role("button", name="Share").click()
    visit.find("dashboardShare").click()
    link = visit.find("dashboardLink").locator("pre").inner_text()
    stranger = visits()
    stranger.page.goto(link)
    expect(stranger.page.get_by_role("heading", name="Checkout orders")).to_be_visible()
    expect(stranger.page.get_by_role("img", name="A constant: 40 + 2 42")).to_be_visible()
    expect(stranger.page.get_by_role("navigation")).to_have_count(0)

    stranger.page.goto(link[:-1])
    expect(stranger.find("empty")).to_contain_text("no dashboard at this link")
