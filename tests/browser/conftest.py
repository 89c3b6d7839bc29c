"""A real server with a shop's traces in it, and a real Chromium looking at it."""

import pytest
from browser_harness import CONSOLE, Visit, chromium
from browser_shop import Shop, now_ns

from started.server import Server
from started.waiting import eventually


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    if not CONSOLE.exists():
        pytest.fail("the console is not built: `make setup` builds it")
    with Server(tmp_path_factory.mktemp("browser")) as server:
        yield server


@pytest.fixture(scope="session")
def shop(server):
    """Sends under an app of its own."""
    app = server.app("shop")
    shop = Shop(server.url, app["token"])
    yield shop
    shop.close()


@pytest.fixture(scope="session")
def traffic(server, shop):
    """Trace ids of 60 requests in the last minutes, every tenth of them failed; when the pages can show them."""
    now = now_ns()
    traces = [shop.checkout(now - (60 - index) * 2 * 10**9, failed=index % 10 == 9) for index in range(60)]
    shop.hostile(now - 10**9)
    shop.host_metrics(now)
    eventually(lambda: len(server.get("/services")["items"]) == 4, "all services in the overview")
    eventually(lambda: server.get(f"/traces/{traces[-1]}")["spans"], "the newest trace")
    eventually(lambda: server.get("/nodes")["items"], "the host")
    return traces


@pytest.fixture(scope="module")
def browser():
    """Ended with its module: Playwright keeps an event loop running in this thread for as long as it is started."""
    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield started
        started.close()


@pytest.fixture
def visits(browser, server):
    """Opens visits, and ends them."""
    made = []

    def visit(**options):
        made.append(Visit(browser, server.url, **options))
        return made[-1]

    yield visit
    for one in made:
        one.context.close()


@pytest.fixture(scope="module")
def session(browser, server):
    """Of an administrator who has logged in."""
    visit = Visit(browser, server.url)
    visit.log_in()
    visit.page.wait_for_url("**/services*")
    state = visit.context.storage_state()
    visit.context.close()
    return {"cookies": state["cookies"]}


@pytest.fixture
def guests(visits, session):
    """Opens visits of somebody who is logged in."""
    return lambda **options: visits(session=session, **options)


@pytest.fixture
def visit(guests, traffic):
    """At the overview of a shop with traffic."""
    visit = guests()
    visit.page.goto("/")
    visit.find("overviewTable").wait_for()
    return visit
