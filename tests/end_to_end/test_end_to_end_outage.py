"""The server is away for a minute: the application and the agent go on, and everything arrives afterwards, once."""

import sys
import threading
import time
import urllib.request

import pytest

from .conftest import ROOT, free_port, until

OUTAGE_S = 60


class Visitor(threading.Thread):
    """Asks for a page fifty times a second, and remembers how many answers were good."""

    def __init__(self, url):
        super().__init__()
        self.url, self.over = url, threading.Event()
        self.answered, self.failures = 0, []

    def run(self):
        while not self.over.wait(0.02):
            try:
                with urllib.request.urlopen(self.url, timeout=10) as answer:
                    answer.read()
                self.answered += 1
            except OSError as error:
                self.failures.append(error)


@pytest.mark.slow
def test_a_minute_without_the_server_costs_no_request_and_no_span(stack):
    server, _ = stack.start_server(), stack.start_agent()
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    stack.run_app(
        "hello",
        *(sys.executable, "-m", "gunicorn", "--chdir", str(ROOT), "-b", f"127.0.0.1:{port}", "bench.apps.hello:app"),
    )

    def up():
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False

    probes = 1
    until(up, 20, "the application")
    visitor = Visitor(url)
    visitor.start()
    try:
        time.sleep(2)
        server.stop()
        time.sleep(OUTAGE_S)
        during = visitor.answered
        assert not stack.ready()
        stack.start_server()
        time.sleep(2)
    finally:
        visitor.over.set()
        visitor.join(20)
    assert not visitor.failures
    assert during > OUTAGE_S * 10
    sent = visitor.answered + probes

    def stored():
        return stack.store().rows("SELECT count(), uniqExact(span_id) FROM sonde.spans WHERE service = 'hello'")[0]

    until(lambda: stored()[0] >= sent, 60, f"storage of {sent} requests")
    assert stored() == (sent, sent)
    ((rolled,),) = stack.store().rows("SELECT sum(count) FROM sonde.rollup_30s WHERE service = 'hello'")
    assert rolled == sent
