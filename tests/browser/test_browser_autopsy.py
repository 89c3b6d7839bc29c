"""One request taken apart: all that held it up, of a real service, on the time axis of its trace."""

import sys
import urllib.request
from pathlib import Path

import pytest
from browser_processes import Host
from playwright.sync_api import expect

from started.server import SONDE, Server
from started.waiting import eventually

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)

CHECKOUT = Path(__file__).parent / "browser_checkout.py"
SERVICE = "checkout"
WATCHED = {"SONDE_STALLS_THRESHOLD_MS": "5", "SONDE_SYSCALLS_THRESHOLD_MS": "5", "SONDE_SHIP_LOGS": "warning"}
HELD_UP = {
    "loop blocked": "add_up",
    "GC pause": "garbage collection of generation 2",
    "system call": "ask_the_bank",
    "waited for a thread": "until ask_the_bank got one of 1 threads of cashier",
    "log": "a customer is in a hurry",
}
"""As the page calls it: a part of what it says."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One of these tests' own: the others count the services of theirs."""
    with Server(tmp_path_factory.mktemp("browser_autopsy")) as server:
        yield server


def all_in(moments):
    said = "\n".join(moment["text"] for moment in moments)
    return all(part in said for part in HELD_UP.values())


@pytest.fixture(scope="module")
def trace(server, tmp_path_factory):
    """Id of a checkout's trace, once all of it can be seen."""
    token = server.app("shop")["token"]
    host = Host(server, token, tmp_path_factory.mktemp("host"))
    run = [*SONDE, "run", "--socket", str(host.socket), "--service", SERVICE, "--", sys.executable, str(CHECKOUT)]
    service = host.start(run, SERVICE, **WATCHED)
    address = f"http://127.0.0.1:{int(service.stdout.readline())}/checkout"
    with urllib.request.urlopen(address, timeout=30) as answer:
        assert answer.read() == b"42"
    found = eventually(lambda: server.get(f"/traces?service={SERVICE}")["items"], "the request")[0]["trace_id"]
    eventually(lambda: all_in(server.get(f"/traces/{found}/moments")["moments"]), "all that held it up")
    yield found
    host.stop()


@pytest.mark.slow
def test_all_that_held_up_a_request_is_on_its_time_axis(trace, guests):
    """Spans, a blocked loop, a pause of the collector, a slow system call, the queue of a pool, and what it logged."""
    visit = guests()
    visit.open(f"/traces/{trace}")

    expect(visit.find("waterfall")).to_have_attribute("data-rows", "2")
    moments = visit.find("moments")
    for kind, said in HELD_UP.items():
        row = moments.locator("li").filter(has_text=kind).filter(has_text=said).first
        expect(row).to_be_visible()
        assert "not this request alone" not in row.inner_text(), kind
    moments.get_by_role("button").filter(has_text="add_up").last.click()
    expect(moments.locator("pre")).to_contain_text("add_up")
    expect(moments).to_contain_text(str(CHECKOUT))
    assert visit.complaints == []
