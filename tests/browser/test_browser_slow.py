"""From what is slow and what fails to the requests behind it."""

import re

import pytest
from browser_shop import ORDERS_STATEMENT
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)


def test_slow_statements_and_errors_lead_to_their_traces(visit):
    """A service's page leads to both lists, a row to the page of its group, that page to a trace."""
    visit.open("/services/orders")
    visit.page.get_by_role("link", name="Slow calls").last.click()
    table = visit.find("slowTable")
    table.get_by_role("link", name="INSERT INTO orders (customer, total) VALUES (?)").click()
    expect(visit.find("slowCallers")).to_contain_text("orders")
    visit.find("slowestCalls").get_by_role("link").first.click()
    expect(visit.find("spanDetails")).to_contain_text(ORDERS_STATEMENT)

    visit.open("/slow")
    visit.find("slowKind").get_by_text("Outgoing").click()
    expect(visit.page).to_have_url(re.compile("kind=outgoing"))
    expect(table).not_to_contain_text("INSERT")

    visit.open("/errors?service=orders")
    row = visit.find("errorsTable").get_by_role("link", name="ValueError").first
    row.click()
    samples = visit.find("errorSamples")
    expect(samples).to_contain_text('File "shop/orders.py", line 88, in create')
    samples.get_by_role("link").first.click()
    visit.find("waterfall").wait_for()
    assert visit.complaints == []
