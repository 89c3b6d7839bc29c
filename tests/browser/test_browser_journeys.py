"""The journeys that matter, in a real browser against a real server."""

import re
import subprocess
import urllib.error
import urllib.request

import pytest
from browser_selectors import css
from browser_shop import HOST, HOSTILE, ORDERS_STATEMENT, SPANS_IN_A_CHECKOUT, now_ns
from playwright.sync_api import expect

from started.first_data import PASSWORD
from started.waiting import eventually

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)

HAS_INK = """selector => [...document.querySelectorAll(selector)].some(canvas => canvas.width > 0 &&
    canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean))"""


def rows(visit, name):
    return visit.find(name).locator("tbody tr")


def test_nobody_sees_anything_without_logging_in(visits):
    """A page asked for without a session leads to the login, and from there back to itself."""
    visit = visits()
    visit.page.goto("/map?range=6h")
    visit.find("loginForm").wait_for()
    assert "next=" in visit.page.url

    visit.log_in("wrong")
    expect(visit.find("loginError")).to_contain_text("not right")

    visit.page.goto("/map?range=6h")
    visit.find("loginForm").wait_for()
    visit.page.fill("input[name=user]", "admin")
    visit.page.fill("input[name=password]", PASSWORD)
    visit.page.keyboard.press("Enter")
    expect(visit.page).to_have_url(re.compile(r"/map\?range=6h"))


def test_a_login_leads_only_to_pages_of_ours(visits):
    """`next` comes from the address bar: it must not send anybody to another site."""
    visit = visits()
    visit.page.goto("/login?next=//example.org/steal")
    visit.page.fill("input[name=user]", "admin")
    visit.page.fill("input[name=password]", PASSWORD)
    visit.page.keyboard.press("Enter")
    expect(visit.page).to_have_url(re.compile(r"/services"))
    assert visit.page.url.startswith("http://127.0.0.1")


def test_from_the_overview_to_a_span(visit):
    """Overview → service → its error → the trace → the failed span with its stack."""
    expect(rows(visit, "overviewTable")).to_have_count(4)
    visit.find("overviewTable").get_by_role("link", name="orders").click()

    expect(visit.find("serviceFigures")).to_contain_text("Success")
    expect(visit.find("endpointsTable")).to_contain_text("POST /orders")
    expect(visit.find("chart")).to_have_count(3)
    visit.find("serviceErrors").get_by_role("link", name="ValueError").first.click()

    expect(visit.find("waterfall")).to_have_attribute("data-rows", str(SPANS_IN_A_CHECKOUT))
    visit.page.get_by_label("Find in spans").fill("no stock left")
    visit.page.keyboard.press("Enter")
    expect(visit.find("spanDetails")).to_contain_text("POST /orders")
    expect(visit.find("spanDetails")).to_contain_text('File "shop/orders.py", line 88, in create')
    assert visit.complaints == []


@pytest.mark.slow
def test_a_waterfall_by_keyboard_and_by_link(visit, traffic):
    """Arrows choose, fold and unfold; the chosen span stands in the address and opens again from there."""
    visit.open(f"/traces/{traffic[0]}")
    waterfall = visit.find("waterfall")
    waterfall.focus()
    for _ in range(6):
        visit.page.keyboard.press("ArrowDown")
    expect(visit.find("spanDetails")).to_contain_text(ORDERS_STATEMENT)
    expect(visit.find("waterfallStatus")).to_contain_text("INSERT, orders, 4.00 ms, row 6 of 9")

    shared = visit.page.url
    visit.page.keyboard.press("ArrowLeft")
    visit.page.keyboard.press("ArrowLeft")
    expect(waterfall).to_have_attribute("data-rows", "4")
    visit.page.keyboard.press("ArrowRight")
    expect(waterfall).to_have_attribute("data-rows", str(SPANS_IN_A_CHECKOUT))

    visit.open(shared)
    expect(visit.find("spanDetails")).to_contain_text(ORDERS_STATEMENT)
    assert visit.complaints == []


@pytest.mark.slow
def test_a_trace_beside_another_of_its_endpoint(visit, traffic):
    """The failed request beside one that did not fail: only that differs."""
    visit.open(f"/traces/{traffic[9]}")
    expect(visit.page.get_by_role("button", name="Critical path")).to_have_attribute("aria-pressed", "false")
    visit.find("compareMenu").click()
    expect(visit.page.locator('a[href*="/compare/"]')).to_have_count(7)
    visit.page.get_by_label("Id of another trace").fill(traffic[0])
    visit.page.keyboard.press("Enter")
    expect(visit.page).to_have_url(re.compile(f"/traces/{traffic[9]}/compare/{traffic[0]}"))
    expect(rows(visit, "comparedSpans")).to_have_count(SPANS_IN_A_CHECKOUT)
    expect(visit.find("comparedOperations")).to_contain_text("POST /orders")

    visit.page.get_by_role("switch", name="Only what differs").check()
    expect(visit.page).to_have_url(re.compile("changed=true"))
    expect(visit.find("comparedSpans")).to_contain_text("POST /checkout")
    assert visit.complaints == []


@pytest.mark.slow
def test_a_click_on_a_bar_chooses_its_span(visit, traffic):
    visit.open(f"/traces/{traffic[0]}")
    box = visit.find("waterfall").bounding_box()
    visit.page.mouse.click(box["x"] + 60, box["y"] + 13)
    expect(visit.find("spanDetails")).to_contain_text("user.tier")


@pytest.mark.slow
def test_dragging_over_a_chart_chooses_its_time(visit):
    """The range goes into the address, and the browser's way back undoes it."""
    visit.open("/services/front")
    box = visit.find("chart").first.locator(".u-over").bounding_box()
    middle = box["y"] + box["height"] / 2
    visit.page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + box["width"] * 0.9, middle, steps=4)
    visit.page.mouse.up()
    expect(visit.page).to_have_url(re.compile(r"from=\d+&to=\d+"))
    visit.page.go_back()
    expect(visit.page).not_to_have_url(re.compile("from="))


def test_the_map_draws_and_lists_the_calls(visit):
    """The picture has ink in it; the list tells the same to those who see no picture."""
    visit.open("/map")
    eventually(lambda: visit.page.evaluate(HAS_INK, f"{css('mapCanvas')} canvas"), "ink on the map")
    visit.page.get_by_text("List", exact=True).click()
    calls = visit.find("mapList")
    for name in ("front", "orders", "stock", "orders.sqlite", "cache.example:6379"):
        expect(calls).to_contain_text(name)
    calls.get_by_role("button", name=re.compile("orders$")).first.click()
    panel = visit.find("mapPanel")
    expect(panel).to_contain_text("Called by")
    panel.get_by_role("button", name="Both ends of this call").first.click()
    expect(visit.find("mapCallPanel")).to_contain_text("pass between both ends")

    visit.find("mapTimeLine").get_by_role("slider").press("End")
    expect(visit.page).to_have_url(re.compile(r"at=\d+"))
    visit.find("mapTimeLine").get_by_role("button", name="Whole time").click()
    expect(visit.page).not_to_have_url(re.compile("at="))

    visit.open("/map?view=list")
    calls.get_by_role("button", name=re.compile("orders$")).first.click()
    panel.get_by_role("link", name="Open service").click()
    expect(visit.page).to_have_url(re.compile("/services/orders"))
    expect(visit.find("serviceFigures")).to_be_visible()
    assert visit.complaints == []


def test_traces_are_filtered_by_address_and_by_hand(visit):
    visit.open("/traces?service=front&error=true")
    expect(rows(visit, "tracesTable")).to_have_count(6)

    visit.page.get_by_label("Errors only").uncheck()
    expect(visit.page).not_to_have_url(re.compile("error="))
    visit.page.get_by_role("combobox", name="Attribute").fill("user.tier=gold")
    visit.page.keyboard.press("Enter")
    expect(visit.page).to_have_url(re.compile("attribute=user.tier%3Dgold"))
    expect(visit.find("tracesTable")).to_contain_text("POST /checkout")
    conditions = visit.find("tracesConditions")
    conditions.get_by_role("combobox", name="Attribute").fill("http.response.status_code")
    conditions.get_by_label("Comparison").select_option(">=")
    conditions.get_by_role("combobox", name="Value").fill("500")
    conditions.get_by_role("button", name="Add").click()
    expect(rows(visit, "tracesTable")).to_have_count(6)
    conditions.get_by_role("button", name="Take away: http.response.status_code").click()
    expect(visit.page).not_to_have_url(re.compile("status_code"))

    visit.page.get_by_label("At least (ms)").fill("60000")
    visit.page.keyboard.press("Enter")
    expect(visit.find("empty")).to_contain_text("No request matches")
    visit.find("empty").get_by_role("button", name="Clear filters").click()
    expect(visit.find("tracesTable")).to_contain_text("POST /orders")
    assert visit.complaints == []


def test_the_live_view_shows_a_request_as_it_happens(visit, shop):
    """A request sent while the page is open appears in it without a click."""
    visit.open("/live")
    sent = shop.checkout(now_ns() - 10**8)
    latest = visit.page.locator(f'a[href*="{sent}"]').first
    latest.wait_for()
    expect(visit.find("liveBehind")).to_contain_text("behind")

    visit.find("livePause").click()
    expect(visit.find("liveBehind")).to_contain_text("Paused")
    unseen = shop.checkout(now_ns() - 10**8)
    visit.find("livePause").click()
    visit.page.locator(f'a[href*="{unseen}"]').first.wait_for()

    visit.find("liveFilter").get_by_label("Words").fill("reserve")
    visit.page.keyboard.press("Enter")
    expect(visit.page).to_have_url(re.compile(r"q=reserve"))
    expect(visit.find("liveTail")).to_contain_text("POST /reserve")
    expect(visit.find("liveTail")).not_to_contain_text("POST /checkout")
    assert visit.complaints == []


def test_hosts_and_one_host(visit):
    visit.open("/nodes")
    expect(visit.find("nodesTable")).to_contain_text("95.0 GiB of 100 GiB")
    visit.find("nodesTable").get_by_role("link", name=HOST).click()
    expect(visit.find("nodeCharts").locator(css("chart"))).to_have_count(9)
    expect(visit.find("nodeServices")).to_contain_text("front-1")
    visit.find("nodeTop").get_by_text("gunicorn: worker").click()
    expect(visit.page).to_have_url(re.compile(r"pid=4711&started=\d+"))
    expect(visit.page.get_by_text("python3 4711: CPU")).to_be_visible()
    visit.page.wait_for_selector(".u-over")
    assert visit.complaints == []


def test_a_hostile_name_stays_text(visit):
    """Markup in a name is shown, not run, and its page opens although the name holds slashes and question marks."""
    visit.find("overviewTable").get_by_text(HOSTILE).first.click()
    expect(visit.page.get_by_role("heading", level=1)).to_contain_text(HOSTILE)
    expect(visit.find("endpointsTable")).to_contain_text(HOSTILE)
    assert visit.page.locator("img[src=x]").count() == 0
    assert visit.complaints == []


@pytest.mark.slow
def test_the_keyboard_goes_everywhere(visit):
    page = visit.page
    for key, address in {"m": "/map", "t": "/traces", "l": "/live", "n": "/nodes", "o": "/services"}.items():
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page).to_have_url(re.compile(address))
    page.get_by_label("Find a service").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("stock")
    expect(rows(visit, "overviewTable")).to_have_count(1)
    page.keyboard.press("Tab")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    expect(visit.find("help")).to_contain_text("Previous, next span")


def test_logging_out_ends_the_session(visits):
    visit = visits()
    visit.log_in()
    visit.find("userMenu").click()
    visit.find("logOut").click()
    visit.find("loginForm").wait_for()
    visit.page.goto("/services")
    visit.find("loginForm").wait_for()


def test_an_application_is_connected_from_the_console(visit, server):
    """A new app, a line with its token, which the server takes, and a link to what was sent with it."""
    visit.page.get_by_role("link", name="Connect").click()
    visit.page.get_by_label("Or a new one").fill("from-the-console")
    visit.page.get_by_role("button", name="Create app").click()
    visit.find("connectCredentials").wait_for()
    visit.page.get_by_role("tab", name="Logs").click()
    line = visit.page.locator("[data-recipe=logs-curl] pre").inner_text()
    assert server.url in line
    assert "APP_TOKEN" not in line
    expect(visit.find("connectArrivals")).to_contain_text("Waiting for the first data")

    subprocess.run(["bash", "-c", line], check=True, capture_output=True)

    visit.find("connectArrivals").get_by_role("link", name="my-service").wait_for()
    assert "from-the-console" in [app["name"] for app in server.get("/apps")["items"]]


def test_a_refused_sender_is_told_of_with_what_to_do(visit, server):
    body = urllib.request.Request(f"{server.url}/v1/traces", b"", {"Authorization": "Bearer wrong"})
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(body)

    visit.page.goto("/connect")

    expect(visit.find("connectHints")).to_contain_text("Take the token of an app")


@pytest.mark.parametrize("path", ["/services", "/map", "/traces", "/services/orders"])
def test_an_address_with_values_nobody_knows_shows_the_page_all_the_same(visit, path):
    visit.page.goto(f"{path}?range=3y&refresh=7&sort=nothing&view=upside-down&from=1&to=x")

    expect(visit.page.get_by_text("Last 15 minutes")).to_be_visible()
    assert visit.complaints == []


def test_a_trace_that_is_not_there_says_so(visit):
    visit.open(f"/traces/{'0' * 31}1")
    expect(visit.find("empty")).to_contain_text("There is no such trace")
