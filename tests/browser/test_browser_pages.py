"""Every page in both themes, both languages, on a desk and on a phone: it loads, says nothing bad, and fits."""

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
def test_every_page_loads_without_complaint_and_fits_its_window(visits, ids, theme, language, size):
    """In Chinese on a phone all of them always: there most goes wrong. The others with the slow tests."""
    visit = visits(theme=theme, language=language, width=size[0], height=size[1])
    visit.log_in()
    visit.page.wait_for_url("**/services*")
    for page in PAGES:
        address = page.format(**ids)
        visit.open(address)
        assert visit.page.locator("html").get_attribute("lang") == language
        assert visit.page.locator("html").get_attribute("data-mantine-color-scheme") == theme
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= size[0], address
        assert visit.page.locator("h1").inner_text().strip(), address
        assert visit.find("failure").count() == 0, address
        assert visit.complaints == [], address


def test_a_phone_shows_how_long_a_request_took_without_scrolling(visits, traffic):
    """Time and service stand behind: a trace is looked for by what it was and how long it took."""
    visit = visits(width=390, height=844)
    visit.log_in()
    visit.page.wait_for_url("**/services*")
    visit.open("/traces")

    duration = visit.find("tracesTable").get_by_role("columnheader", name="Duration").bounding_box()

    assert duration["x"] + duration["width"] <= 390
    assert visit.page.get_by_role("columnheader").first.inner_text() == "Endpoint"
