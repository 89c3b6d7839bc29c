"""Node.js processes in the console, as easy-monitor's own agent and addon report them."""

import json
import re
import secrets
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

sys.path.insert(0, str(Path(__file__).parents[1] / "nodejs"))
from nodejs_harness import Api, RealAgent, client_packages, nodejs_server

from started.waiting import eventually

sys.path.pop(0)

pytestmark = [pytest.mark.browser, pytest.mark.slow]  # the first run compiles the addon for minutes
expect.set_options(timeout=30_000)

HIDDEN = "hunter2"
FILE = re.compile(r"/nodejs/files/\d+")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One with a port for the agent."""
    with nodejs_server(tmp_path_factory.mktemp("browser_nodejs")) as server:
        yield server


@pytest.fixture(scope="module")
def api(server):
    with server.client(server.token("write")) as client:
        yield Api(client, client.post("/api/v1/apps", json={"name": secrets.token_hex(8)}).json())


@pytest.fixture(scope="module")
def process(server, api, tmp_path_factory):
    """Address of the page of a process that has reported. Its environment holds a secret."""
    packages, problem = client_packages()
    if packages is None:
        pytest.skip(problem)
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("SHOP_API_TOKEN", HIDDEN)
        real = RealAgent(server, api, tmp_path_factory.mktemp("real"), packages)

    def reported():
        items = api.client.get("/api/v1/nodejs/processes").json()["items"]
        return next((it for it in items if it["pid"] == real.pid and it["cpu_percent"] is not None), None)

    try:
        found = eventually(reported, "figures of the process")
        yield f"/nodejs/{found['app']}/{found['agent']}/{real.pid}"
    finally:
        real.stop()


@pytest.fixture
def guest(guests):
    return guests()


def make(visit, process, kind):
    """Press the button, and open what came of it."""
    visit.open(f"{process}?duration=10")
    button = visit.find("nodejsActions").get_by_role("button", name=kind)
    expect(button).to_be_enabled()
    button.click()
    row = visit.find("nodejsFiles").locator("tbody tr").filter(has_text=kind).first
    expect(row).to_contain_text("stored", timeout=90_000)
    row.get_by_role("link", name=kind).click()
    expect(visit.page).to_have_url(FILE)


def test_without_an_agent_it_leads_to_connecting_one(guest):
    guest.page.route("**/api/v1/nodejs/instances*", lambda route: route.fulfill(json={"items": [], "next": None}))
    guest.open("/nodejs")
    expect(guest.find("empty")).to_contain_text("xtransit")
    expect(guest.find("empty").get_by_role("button").or_(guest.find("empty").get_by_role("link"))).to_be_visible()
    assert guest.complaints == []


def test_from_the_list_to_the_flame_graph_of_a_process(guest, process):
    guest.open("/nodejs")
    row = guest.find("nodejsTable").locator("tbody tr").first
    expect(row).to_contain_text("nodejs_application.js")
    row.click()
    expect(guest.page).to_have_url(re.compile(process))
    expect(guest.find("nodejsCharts")).to_contain_text("Heap by space")

    guest.page.get_by_label("How long it is recorded").select_option("10")
    guest.find("nodejsActions").get_by_role("button", name="CPU profile").click()
    files = guest.find("nodejsFiles")
    expect(files.get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile(r"[1-9]"))
    expect(files.locator("tbody tr").first).to_contain_text("stored", timeout=90_000)
    files.get_by_role("link", name="CPU profile").first.click()
    expect(guest.page).to_have_url(FILE)

    graph = guest.find("flameGraph")
    graph.wait_for()
    assert int(graph.get_attribute("data-nodes")) > 20
    guest.page.get_by_label("Find functions, files").fill("nodejs_application")
    expect(guest.find("flameMatched")).to_contain_text("matched")
    expect(guest.find("nodejsRequests")).to_contain_text("/missing")
    assert guest.complaints == []


def test_a_file_is_marked_downloaded_and_deleted(guest, process):
    make(guest, process, "Diagnostic report")
    head = guest.find("nodejsFileHead")
    head.get_by_role("button", name="Favourite").click()
    expect(head.get_by_role("button", name="Favourite")).to_have_attribute("aria-pressed", "true")
    note = guest.page.get_by_label("Note")
    note.fill("before the change")
    note.press("Enter")
    guest.page.reload()
    expect(guest.page.get_by_label("Note")).to_have_value("before the change")

    with guest.page.expect_download() as download:
        head.get_by_role("link", name="Download", exact=True).click()
    assert json.loads(download.value.path().read_text())["message"] == "Active Dump"

    address = guest.page.url
    guest.open("/nodejs/files?favourite=true")
    expect(guest.find("nodejsFiles").locator("tbody tr")).to_have_count(1)
    guest.page.goto(address)
    head.get_by_role("button", name="Delete").click()
    head.get_by_role("button", name="Delete it here").click()
    expect(guest.page).to_have_url(re.compile(r"/nodejs/files$"))
    guest.open("/nodejs/files?favourite=true")
    expect(guest.find("empty")).to_be_visible()
    assert guest.complaints == []


def test_a_report_is_read_without_the_secrets_of_its_environment(guest, process):
    make(guest, process, "Diagnostic report")
    expect(guest.find("diagReport")).to_contain_text("v20.")
    environment = guest.page.get_by_label(re.compile(r"^Environment")).first
    expect(environment).to_contain_text("CLIENT_FOLDER")
    environment.evaluate("box => box.scrollTop = box.scrollHeight / 2")
    assert HIDDEN not in guest.page.content()
    assert guest.complaints == []


def test_a_heap_shows_what_fills_it_and_who_holds_an_object(guest, guests, process):
    make(guest, process, "Heap snapshot")
    guest.find("constructors").wait_for()
    for name in ("(string)", "Server"):
        guest.page.get_by_label("Find constructors").fill(name)
        guest.find("constructors").get_by_text(name, exact=True).click()
        expect(guest.page.get_by_role("heading", name=f"Objects of {name}", exact=True)).to_be_visible()
    guest.find("heapObjects").locator("tbody tr").first.click()
    expect(guest.find("heapObject")).to_contain_text("Held by")
    expect(guest.page).to_have_url(re.compile(r"object=\d+"))

    other = guests(theme="light", language="zh")
    other.open(FILE.search(guest.page.url)[0] + "?" + guest.page.url.partition("?")[2])
    expect(other.find("heapObject")).to_contain_text("被引用")
    assert guest.complaints == []
    assert other.complaints == []


def test_collections_are_drawn_and_listed(guest, process):
    make(guest, process, "GC trace")
    expect(guest.find("gcTrace")).to_contain_text("Pauses")
    expect(guest.page.get_by_label(re.compile("^One by one")).first).to_contain_text("scavenge")
    assert guest.complaints == []


def test_a_recording_is_stopped_early_and_kept(guest, process):
    guest.open(f"{process}?duration=600")
    guest.find("nodejsActions").get_by_role("button", name="CPU profile").click()
    row = guest.find("nodejsFiles").locator("tbody tr").first
    expect(row).to_contain_text("recording")
    row.get_by_role("button", name="Stop").click()
    expect(row).to_contain_text("stored", timeout=90_000)
    assert guest.complaints == []


def test_an_instance_has_its_errors_packages_and_host(guest, process):
    instance = process.rpartition("/")[0]
    guest.open(f"{instance}?view=errors")
    expect(guest.find("nodejsErrors")).to_contain_text("demo failure")
    guest.find("nodejsErrors").locator("summary").first.click()
    expect(guest.find("nodejsErrors").locator("pre").first).to_contain_text("nodejs_application.js")
    guest.page.get_by_text("Packages", exact=True).click()
    expect(guest.find("nodejsPackages")).to_contain_text("left-pad")
    guest.page.get_by_text("System", exact=True).click()
    expect(guest.find("chart").first).to_be_visible()
    assert guest.complaints == []


@pytest.mark.parametrize(("theme", "language"), [("light", "zh"), ("dark", "en")])
def test_it_fits_on_a_phone(guests, process, theme, language):
    visit = guests(theme=theme, language=language, width=390, height=844)
    instance = process.rpartition("/")[0]
    for address in ("/nodejs", process, f"{instance}?view=system", f"{instance}?view=errors", "/nodejs/files"):
        visit.open(address)
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390, address
    assert visit.complaints == []


def test_a_viewer_looks_and_asks_for_nothing(visits, server, process):
    server.viewer("victor")
    visit = visits()
    visit.log_in(user="victor")
    visit.page.wait_for_url("**/services*")
    visit.open(process)
    expect(visit.find("nodejsActions")).to_contain_text("may look")
    expect(visit.find("nodejsActions").get_by_role("button", name="CPU profile")).to_be_disabled()
