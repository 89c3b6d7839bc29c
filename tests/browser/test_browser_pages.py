"""Every page in both themes, both languages, on a desk and on a phone: it loads, says nothing bad, and fits."""

import re

import pytest
from browser_shop import HOST
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)

PAGES = (
    "/services",
    "/services/front",
    "/map",
    "/traces",
    "/traces/{trace}",
    "/traces/{trace}/compare/{other}",
    "/live",
    "/statistics?by=endpoint&compare=yesterday",
    "/statistics/day",
    "/apps/{app}/settings",
    "/apps/{app}/names",
    "/slow",
    "/slow/{slow}",
    "/errors",
    "/errors/{error}",
    "/nodes",
    "/nodes/{host}",
    "/nodejs",
    "/nodejs/files",
    "/tools",
    "/alarms",
    "/alarms/history",
    "/alarms/rules",
    "/alarms/rules/new?template=error-rate",
    "/alarms/notifiers",
    "/alarms/notifiers/new",
    "/dashboards",
    "/dashboards/service",
    "/dashboards/host",
    "/dashboards/wall",
    "/connect",
)


@pytest.fixture(scope="module")
def ids(server, traffic):
    """What addresses are made of."""
    return {
        "trace": traffic[0],
        "other": traffic[1],
        "host": HOST,
        "app": server.get("/statistics?by=service")["items"][0]["app"],
        "slow": server.get("/slow")["items"][0]["id"],
        "error": server.get("/errors")["items"][0]["id"],
    }


@pytest.mark.parametrize(
    ("theme", "language", "size"),
    [
        pytest.param("dark", "en", (1440, 900), marks=pytest.mark.slow),
        pytest.param("light", "zh", (1440, 900), marks=pytest.mark.slow),
        pytest.param("dark", "en", (390, 844), marks=pytest.mark.slow),
        ("light", "zh", (390, 844)),
    ],
    ids=["dark-en-desk", "light-zh-desk", "dark-en-phone", "light-zh-phone"],
)
def test_every_page_loads_without_complaint_and_fits_its_window(guests, ids, theme, language, size):
    """In Chinese on a phone all of them always: there most goes wrong. The others with the slow tests."""
    visit = guests(theme=theme, language=language, width=size[0], height=size[1])
    for page in PAGES:
        address = page.format(**ids)
        visit.open(address)
        assert visit.page.locator("html").get_attribute("lang") == language
        assert visit.page.locator("html").get_attribute("data-mantine-color-scheme") == theme
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= size[0], address
        assert visit.page.locator("h1").inner_text().strip(), address
        assert visit.find("failure").count() == 0, address
        assert visit.complaints == [], address


def test_a_phone_shows_how_long_a_request_took_without_scrolling(guests, traffic):
    """Time and service stand behind: a trace is looked for by what it was and how long it took."""
    visit = guests(width=390, height=844)
    visit.open("/traces")

    duration = visit.find("tracesTable").get_by_role("columnheader", name="Duration").bounding_box()

    assert duration["x"] + duration["width"] <= 390
    assert visit.page.get_by_role("columnheader").first.inner_text() == "Endpoint"


NOT_THERE = (
    "/services/nobody",
    "/traces/00000000000000000000000000000001",
    "/traces/00000000000000000000000000000001/compare/00000000000000000000000000000002",
    "/slow/sql-0000000000000000",
    "/errors/0000000000000000",
    "/tools/runs/0123456789abcdef",
    "/nodes/nobody",
    "/alarms/rules/0123456789abcdef",
    "/alarms/notifiers/0123456789abcdef",
    "/dashboards/0123456789abcdef",
    "/apps/0123456789ab/settings",
    "/nodejs/files/99999",
)


def test_what_is_not_there_is_no_failure_of_the_server(guests, traffic):
    """Each page keeps its heading, says so in the language of its reader, and offers no second try."""
    visit = guests(language="zh")
    for address in NOT_THERE:
        visit.open(address)
        expect(visit.find("empty").first).to_contain_text(re.compile(r"[\u4e00-\u9fff]{3}"))
        assert visit.page.locator("h1").inner_text().strip(), address
        assert visit.find("failure").count() == 0, address


def test_an_address_of_no_page_and_a_kind_that_nobody_connects_lead_on(guests, traffic):
    visit = guests()

    visit.open("/connect?kind=nonsense")
    expect(visit.page.get_by_role("tab", name="Python")).to_have_attribute("aria-selected", "true")

    visit.open("/nowhere")
    visit.page.get_by_role("link", name="To the services").click()
    visit.page.wait_for_url("**/services*")
