"""Looking into a running process from the console: choose, start, watch, read, by hand and by address."""

import re

import pytest
from browser_processes import ALLOW_ALL, SERVICE, App, Host
from playwright.sync_api import expect

from started.server import Server
from started.waiting import eventually

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)

RUN = re.compile(r"/tools/runs/[0-9a-f]+")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One of these tests' own: the others count the services of theirs."""
    with Server(tmp_path_factory.mktemp("browser_tools")) as server:
        yield server


@pytest.fixture(scope="module")
def host(server, tmp_path_factory):
    """An agent without a policy, until a test gives it one."""
    token = server.app("pricing")["token"]
    host = Host(server, token, tmp_path_factory.mktemp("host"))
    yield host
    host.stop()


@pytest.fixture(scope="module")
def app(server, host):
    """At work, and seen by the server."""
    app = App(host)
    eventually(lambda: [one for one in server.get("/processes")["items"] if one["service"] == SERVICE], "the process")
    yield app
    app.stop()


@pytest.fixture
def allowed(host, app):
    host.allow(ALLOW_ALL)


@pytest.fixture
def guest(guests):
    """Somebody who is logged in, at the tools."""
    return guests()


def choose(visit, tool):
    """The process, then the tool."""
    visit.open(f"/tools?service={SERVICE}")
    visit.find("processTable").locator("tbody tr").first.click()
    card = visit.find("toolCards").get_by_role("button").filter(has_text=tool)
    card.click()
    expect(card).to_have_attribute("aria-pressed", "true")
    return card


def start(visit, tool, seconds=None):
    """Run it; the address of the run."""
    expect(choose(visit, tool)).to_contain_text("can run now")
    form = visit.find("startForm")
    if seconds is not None:
        form.get_by_label("Seconds").fill(str(seconds))
    form.locator("button[type=submit]").click()
    expect(visit.page).to_have_url(RUN)
    return RUN.search(visit.page.url)[0]


def test_with_no_process_it_says_what_a_host_needs(guest):
    """Commands and policy to copy."""
    guest.page.route("**/api/v1/processes*", lambda route: route.fulfill(json={"items": [], "next": None}))
    guest.open("/tools")
    expect(guest.find("empty").first).to_contain_text("sonde agent --server http://127.0.0.1")
    expect(guest.find("empty").first).to_contain_text('allow = ["*"]')
    assert guest.complaints == []


def test_a_host_without_a_policy_allows_nothing_and_says_how(guest, host, app):
    host.policy.unlink(missing_ok=True)
    choose(guest, "CPU profile")
    guest.find("startForm").locator("button[type=submit]").click()
    expect(guest.page).to_have_url(RUN)
    expect(guest.find("jobFailure")).to_contain_text("policy of the node does not allow it")
    expect(guest.find("jobFailure")).to_contain_text(str(host.policy))
    expect(guest.find("jobFailure")).to_contain_text('allow = ["*"]')


def test_a_profile_is_watched_drawn_searched_zoomed_and_sent_on(guest, guests, allowed):
    run = start(guest, "CPU profile", 3)
    expect(guest.find("jobProgress").get_by_role("progressbar")).to_have_attribute(
        "aria-valuenow", re.compile(r"[1-9]")
    )
    graph = guest.find("flameGraph")
    graph.wait_for()
    expect(guest.find("jobHead")).to_have_attribute("data-state", "done")
    assert int(graph.get_attribute("data-nodes")) > 10

    guest.page.get_by_label("Find functions, files").fill("discount")
    expect(guest.find("flameMatched")).to_contain_text("matched")
    graph.focus()
    guest.page.keyboard.press("n")
    expect(guest.find("flameStatus")).to_contain_text("browser_app.py")
    guest.page.keyboard.press("Enter")
    expect(guest.page).to_have_url(re.compile(r"zoom=\w+"))
    expect(guest.find("flameWay")).to_contain_text("discount")

    other = guests(theme="light", language="zh")
    other.open(guest.page.url.removeprefix(guest.page.url.split("/tools")[0]))
    expect(other.find("flameWay")).to_contain_text("discount")
    assert RUN.search(other.page.url)[0] == run
    assert guest.complaints == []
    assert other.complaints == []


@pytest.mark.slow
def test_a_profile_is_a_table_and_a_function_among_its_callers(guest, allowed):
    start(guest, "CPU profile", 2)
    guest.find("flameGraph").wait_for()
    guest.page.get_by_text("Table", exact=True).click()
    expect(guest.page).to_have_url(re.compile("view=table"))
    guest.page.get_by_label("Find functions, files").fill("discount")
    row = guest.find("costTable").locator("tbody tr").first
    expect(row).to_contain_text("browser_app.py")
    row.click()
    expect(guest.find("butterfly").get_by_role("heading", name="discount")).to_be_visible()
    guest.page.get_by_label("Find functions, files").fill("")
    expect(guest.find("butterfly")).to_contain_text("price")
    assert guest.complaints == []


@pytest.mark.slow
def test_a_profile_leaves_for_other_tools_and_opens_in_speedscope(guest, allowed):
    """Its files are served with the console, and our security policy lets it work."""
    start(guest, "CPU profile", 2)
    with guest.page.expect_download() as download:
        guest.find("jobFiles").get_by_role("link", name="collapsed").click()
    assert "discount" in download.value.path().read_text()

    with guest.context.expect_page() as opened:
        guest.find("jobFiles").get_by_role("link", name="speedscope").last.click()
    page = opened.value
    errors = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    expect(page).to_have_title(re.compile(SERVICE))
    with page.expect_response(lambda answer: "/export" in answer.url) as fetched:
        page.reload()
    assert fetched.value.status == 200
    expect(page).to_have_title(re.compile(SERVICE))
    assert errors == []


@pytest.mark.slow
def test_a_run_is_stopped_and_keeps_what_it_has_and_aborted_and_has_nothing(guest, allowed):
    start(guest, "CPU profile", 120)
    expect(guest.find("jobHead")).to_have_attribute("data-state", "running")
    guest.page.get_by_role("button", name="Stop").click()
    guest.find("flameGraph").wait_for()

    start(guest, "CPU profile", 120)
    expect(guest.find("jobHead")).to_have_attribute("data-state", "running")
    guest.page.get_by_role("button", name="Abort").click()
    expect(guest.find("jobFailure")).to_be_visible()
    expect(guest.find("flameGraph")).to_have_count(0)


@pytest.mark.slow
def test_two_profiles_are_compared(guest, allowed):
    first = start(guest, "CPU profile", 1).rpartition("/")[2]
    guest.find("flameGraph").wait_for()
    start(guest, "CPU profile", 1)
    guest.find("flameGraph").wait_for()
    guest.page.get_by_label("Compare with").select_option(first)
    expect(guest.page).to_have_url(re.compile(f"before={first}"))
    expect(guest.find("profile")).to_contain_text("shrank")
    guest.page.get_by_text("Table", exact=True).click()
    expect(guest.find("costTable")).to_contain_text("Self, change")
    assert guest.complaints == []


def compare_with(visit, first):
    visit.page.get_by_label("Compare with").select_option(first)
    expect(visit.page).to_have_url(re.compile(f"before={first}"))


@pytest.mark.slow
def test_two_looks_at_the_heap_are_compared_by_type_root_and_holder(guest, allowed):
    first = start(guest, "Heap").rpartition("/")[2]
    guest.find("heap").wait_for()
    second = start(guest, "Heap")
    guest.find("heap").wait_for()
    compare_with(guest, first)

    changes = guest.find("heapChanges")
    expect(changes.locator("tbody tr").filter(has_text="bytearray").first).to_contain_text("grown")
    changes.get_by_text("Keep alive", exact=True).click()
    expect(changes.locator("tbody tr").filter(has_text=".KEPT").first).to_contain_text("+")
    changes.get_by_label("Find types, holders").fill("nothing is called so")
    expect(changes).to_contain_text("nothing is called so")

    guest.page.get_by_label("Compare with").select_option("")
    expect(guest.page).not_to_have_url(re.compile("before="))
    expect(guest.find("heap")).to_be_visible()
    assert RUN.search(guest.page.url)[0] == second
    assert guest.complaints == []


@pytest.mark.slow
def test_two_runs_of_leaks_are_compared_line_by_line(guest, guests, allowed, app):
    first = start(guest, "Leaks", 4).rpartition("/")[2]
    guest.find("leaks").wait_for(timeout=60_000)
    app.keep(80_000)
    start(guest, "Leaks", 4)
    guest.find("leaks").wait_for(timeout=60_000)
    compare_with(guest, first)

    changes = guest.find("leakChanges")
    changes.get_by_text("grown 1", exact=True).click()
    row = changes.locator("tbody tr").filter(has_text="bytearray")
    expect(row).to_contain_text("grown")
    expect(row).to_contain_text("+")
    expect(row).to_contain_text("browser_app.py")
    expect(row).to_contain_text("KEPT")

    other = guests(theme="light", language="zh", width=360, height=740)
    other.open(guest.page.url.removeprefix(guest.page.url.split("/tools")[0]))
    expect(other.find("leakChanges").locator("tbody tr").filter(has_text="bytearray")).to_contain_text("增加")
    assert other.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert guest.complaints == []
    assert other.complaints == []


@pytest.mark.slow
def test_two_counts_of_calls_are_compared_by_the_second(guest, allowed):
    first = start(guest, "Call counts", 1).rpartition("/")[2]
    guest.find("profile").wait_for()
    start(guest, "Call counts", 2)
    guest.find("profile").wait_for()
    compare_with(guest, first)

    guest.page.get_by_label("Find functions, files").fill("discount")
    row = guest.find("callChanges").locator("tbody tr").first
    expect(row).to_contain_text("browser_app.py")
    expect(row).to_contain_text("/s")
    assert guest.complaints == []


def test_stacks_show_threads_and_who_waits_for_whom(guest, allowed):
    """A look is at one moment, and for a fifth of its time the loop runs and waits for nobody."""

    def look():
        start(guest, "Stacks now")
        expect(guest.find("stacks")).to_contain_text("MainThread")
        expect(guest.find("stacks")).to_contain_text("browser_app.py")
        return "shelf" in guest.find("awaitGraph").inner_text()

    eventually(look, "a look while it waits")
    assert guest.complaints == []


@pytest.mark.slow
def test_calls_are_counted_and_drawn(guest, allowed):
    start(guest, "Call counts", 2)
    guest.page.get_by_label("Find functions, files").fill("discount")
    row = guest.find("costTable").locator("tbody tr").first
    expect(row).to_contain_text("browser_app.py")
    row.click()
    guest.page.get_by_text("Graph", exact=True).click()
    expect(guest.find("callGraph").get_by_role("button", name="price")).to_be_visible()
    assert guest.complaints == []


def test_the_line_that_leaks_is_named_with_its_holder(guest, allowed):
    start(guest, "Leaks", 6)
    row = guest.find("leaks").locator("tbody tr").filter(has_text="bytearray")
    expect(row).to_contain_text("leak", timeout=60_000)
    row.click()
    expect(guest.find("leakSite")).to_contain_text("KEPT")
    assert guest.complaints == []


def test_what_blocks_the_event_loop_is_named_with_its_cause(guest, allowed):
    start(guest, "Event loop stalls", 3)
    rows = guest.find("stalls").locator("tbody tr").filter(has_text="count_shelves")
    # on a busy machine it waits for a CPU as well, in a row of its own
    expect(rows.filter(has_text="system call")).to_be_visible(timeout=30_000)
    expect(guest.find("stallTimeline")).to_be_visible()
    assert guest.complaints == []


@pytest.mark.slow
def test_slow_system_calls_are_named_with_their_line(guest, allowed):
    start(guest, "System calls", 3)
    row = guest.find("syscalls").locator("tbody tr").filter(has_text="count_shelves")
    expect(row).to_contain_text("sleep")
    assert guest.complaints == []


@pytest.mark.slow
def test_what_fills_memory_is_shown_by_type_and_by_who_keeps_it_alive(guest, allowed):
    start(guest, "Heap")
    expect(guest.find("heap").locator("tbody tr").filter(has_text="bytearray").first).to_be_visible()
    guest.find("heap").get_by_text("Keep alive", exact=True).click()
    expect(guest.find("heap").locator("tbody tr").filter(has_text=".KEPT").first).to_be_visible()
    assert guest.complaints == []


def test_a_trace_leads_to_the_runs_that_saw_it(guest, allowed, server):
    run = start(guest, "CPU profile", 3)
    guest.find("flameGraph").wait_for()
    job = server.get(f"/jobs/{run.rpartition('/')[2]}")
    seen = f"/traces?service={SERVICE}&from={job['started_at']}&to={job['ended_at']}&limit=1"
    trace = eventually(lambda: server.get(seen)["items"], "a request that was served meanwhile")[0]

    guest.open(f"/traces/{trace['trace_id']}")
    guest.find("traceRuns").get_by_role("link", name="CPU profile").first.click()
    expect(guest.page).to_have_url(RUN)


def test_runs_are_listed_newest_first_and_found_by_tool(guest, allowed):
    run = start(guest, "Stacks now")
    guest.find("stacks").wait_for()
    guest.open(f"/tools?service={SERVICE}&ran=stacks")
    rows = guest.find("runsTable").locator("tbody tr")
    expect(rows.first).to_contain_text("Stacks now")
    rows.first.click()
    expect(guest.page).to_have_url(re.compile(run))


def test_a_viewer_looks_at_results_and_starts_nothing(visits, server, allowed):
    server.viewer("victor")
    visit = visits()
    visit.log_in(user="victor")
    visit.page.wait_for_url("**/services*")
    choose(visit, "Stacks now")
    expect(visit.find("startForm")).to_contain_text("not start tools")
    expect(visit.find("startForm").locator("button[type=submit]")).to_be_disabled()


@pytest.mark.parametrize(("theme", "language"), [("light", "zh"), pytest.param("dark", "en", marks=pytest.mark.slow)])
def test_it_fits_on_a_phone(guests, allowed, theme, language):
    visit = guests(theme=theme, language=language, width=360, height=740)
    visit.open(f"/tools?service={SERVICE}")
    visit.find("processTable").locator("tbody tr").first.click()
    visit.find("startForm").wait_for()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert visit.complaints == []
