"""What the server says to probes: asked over real HTTP, told over a real socket."""

from __future__ import annotations

import json
import socket
import time
from contextlib import ExitStack

import pytest
from agent_harness import AgentProcess, FakeServer, ProbeSide, Script, eventually, payload

from sonde.agent.disk_queue.queue import BatchQueue
from sonde.agent.forwarding.server_connection import ServerConnection
from sonde.agent.receiving import probe_settings, settings_asker
from sonde.agent.receiving.probe_settings import ProbeSettings
from sonde.agent.receiving.receive import Receiver
from sonde.agent.receiving.settings_asker import SettingsAsker
from sonde.wire.frames import MAX_SETTINGS_BYTES

NOTHING = b'{"services":{}}'


def saying(rate: float, size: int = 0) -> bytes:
    """A document of the server; of `size` bytes where that is more."""
    document = json.dumps({"services": {"orders": {"sampling_rate": rate}, "…": {}}}, ensure_ascii=False).encode()
    return document.replace("…".encode(), b"x" * max(1, size - len(document) + 3))


@pytest.fixture
def queue(tmp_path, counters):
    sizes = {"max_bytes": 64 << 20, "batch_max_bytes": 4 << 20}
    (tmp_path / "queue").mkdir()
    with BatchQueue(tmp_path / "queue", batch_max_age_s=0, counters=counters, **sizes) as made:
        yield made


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.sock"


@pytest.fixture
def told():
    with ProbeSettings("agent") as made:
        yield made


@pytest.fixture
def receiver(path, queue, probes, told, runs, counters):
    with Receiver(path, queue, probes, told, runs, max_connections=8, counters=counters) as running:
        yield running


@pytest.fixture
def silent_asker(receiver, told, server, counters, monkeypatch):
    """Not entered yet: it asks for the agent's own app at once, and what that is answered can matter."""
    monkeypatch.setattr(settings_asker, "MIN_PAUSE_S", 0.001)
    monkeypatch.setattr(settings_asker, "REFUSED_PAUSE_S", 0.05)
    return SettingsAsker(ServerConnection(server.url), told, interval_s=0.02, counters=counters)


@pytest.fixture
def asker(silent_asker):
    with silent_asker:
        yield silent_asker


def questions_of(server, token):
    return [question for question in server.questions if question.token == token]


def sent(counters):
    return counters.total("sonde.agent.settings.sent")


def test_a_probe_is_told_what_the_server_says_as_the_server_says_it(path, server, asker):
    server.settings["agent"] = b' {"services": {"a\xc3\xa9": {"sampling_rate": 1.5, "of a newer probe": [1]}}}\n'

    with ProbeSide(path).hello() as probe:
        assert probe.told() == server.settings["agent"]
    assert {question.path for question in server.questions} == {"/api/v1/probe-settings"}


def test_a_probe_is_told_again_when_something_changes_and_only_then(path, server, asker, counters):
    server.settings["agent"] = saying(10)

    with ProbeSide(path).hello() as probe:
        assert probe.told() == saying(10)
        seen = len(server.questions)
        eventually(lambda: len(server.questions) > seen + 3, "more questions")
        assert server.questions[-1].known, "the server may answer 304"
        assert sent(counters) == 1
        server.settings["agent"] = saying(20)
        assert probe.told() == saying(20)
        server.settings["agent"] = NOTHING
        assert probe.told() == NOTHING
    assert counters.total("sonde.agent.settings.received") == 3


def test_a_probe_that_comes_back_is_told_that_nothing_holds_any_more(path, server, asker):
    """It may have missed that while the connection was gone."""
    server.settings["agent"] = saying(10)
    with ProbeSide(path).hello() as probe:
        assert probe.told() == saying(10)
    server.settings["agent"] = NOTHING

    def comes_back():
        with ProbeSide(path).hello() as probe:
            return probe.told() == NOTHING

    eventually(comes_back, "the news")


def test_nothing_is_told_before_hello(path, server, asker, told):
    server.settings["agent"] = saying(10)
    with ProbeSide(path) as probe:
        eventually(lambda: told.frame(""), "what the server says")
        assert probe.hears_nothing_for(0.05)
        assert probe.hello().told() == saying(10)


def test_each_app_is_asked_for_under_its_own_token(path, server, asker):
    server.settings |= {"agent": saying(1), "other": saying(2)}

    with ProbeSide(path).hello() as ours, ProbeSide(path).hello(token="other") as other:
        assert ours.told() == saying(1)
        assert other.told() == saying(2)
        server.settings["other"] = saying(3)
        assert other.told() == saying(3)
        assert ours.hears_nothing_for(0.05)


def test_a_probe_that_brings_the_agents_own_token_costs_no_second_question(path, server, asker, told):
    server.settings["agent"] = saying(1)

    with ProbeSide(path).hello() as silent, ProbeSide(path).hello(token="agent") as outspoken:
        assert silent.told() == outspoken.told() == saying(1)
        assert list(told.tokens()) == ["agent"]


def test_an_app_is_asked_for_as_long_as_it_has_a_probe(path, server, asker, told):
    server.settings["other"] = saying(1)
    with ProbeSide(path).hello(token="other") as first:
        first.told()
        with ProbeSide(path).hello(token="other") as second:
            second.told()
        assert set(told.tokens()) == {"agent", "other"}
    eventually(lambda: set(told.tokens()) == {"agent"}, "the last probe's end")


def test_a_second_hello_with_another_token_moves_the_probe(path, server, asker, told):
    server.settings |= {"one": saying(1), "two": saying(2)}
    with ProbeSide(path).hello(token="one") as probe:
        assert probe.told() == saying(1)
        probe.hello(token="two")
        assert probe.told() == saying(2)
        assert set(told.tokens()) == {"agent", "two"}
    eventually(lambda: set(told.tokens()) == {"agent"}, "its end")


def test_what_was_said_last_stays_while_the_server_is_away(path, server, asker, told, counters):
    server.settings["agent"] = saying(10)
    with ProbeSide(path).hello() as probe:
        probe.told()
        server.about_settings = lambda question: Script(hang_up=True)
        eventually(lambda: counters.total("sonde.agent.settings.errors", reason="broken") > 1, "missed answers")
        assert probe.hears_nothing_for(0.05)
        with ProbeSide(path).hello() as newcomer:
            assert newcomer.told() == saying(10)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(status, path, server, asker, counters):
    server.settings["agent"] = saying(10)
    answers = [Script(status, {"Retry-After": "0"})] * 3
    usual = server.about_settings
    server.about_settings = lambda question: answers.pop() if answers else usual(question)

    with ProbeSide(path).hello() as probe:
        assert probe.told() == saying(10)
    assert counters.total("sonde.agent.settings.errors", reason=f"http_{status}") == 3


def test_retry_after_is_kept_and_holds_for_every_app(path, server, silent_asker):
    server.about_settings = lambda question: Script(503, {"Retry-After": "60"})
    with silent_asker, ProbeSide(path).hello() as probe, ProbeSide(path).hello(token="other"):
        eventually(lambda: server.questions, "the first question")
        assert probe.hears_nothing_for(0.2)
        assert len(server.questions) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_a_token_that_is_refused_is_tried_again_slowly_and_holds_up_no_other(
    status, path, server, silent_asker, monkeypatch
):
    monkeypatch.setattr(settings_asker, "REFUSED_PAUSE_S", 60)
    server.settings["agent"] = saying(10)
    usual = server.about_settings
    server.about_settings = lambda question: Script(status) if question.token == "wrong" else usual(question)

    with silent_asker, ProbeSide(path).hello(token="wrong"), ProbeSide(path).hello() as right:
        eventually(lambda: questions_of(server, "wrong"), "the question")
        assert right.told() == saying(10)
        server.settings["agent"] = saying(20)
        assert right.told() == saying(20)
        with ProbeSide(path).hello(token="wrong"):
            server.settings["agent"] = saying(30)
            assert right.told() == saying(30)
        assert len(questions_of(server, "wrong")) == 1, "not even for another of its probes"


def test_a_token_that_is_known_later_is_told_then(path, server, asker):
    with ProbeSide(path).hello(token="new") as probe:
        eventually(lambda: len(questions_of(server, "new")) > 1, "a second try")
        server.settings["new"] = saying(10)
        assert probe.told() == saying(10)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"null",
        b'{"services": []}',
        b"[" * 60_000,
        b"\xff\xfe",
        b"<html>a login page of somebody in between",
        saying(1, MAX_SETTINGS_BYTES + 1),
    ],
    ids=range(10),
)
def test_what_no_probe_could_read_is_counted_and_leaves_what_was(document, path, server, asker, counters):
    server.settings["agent"] = saying(10)
    with ProbeSide(path).hello() as probe:
        probe.told()
        server.settings["agent"] = document
        eventually(lambda: counters.total("sonde.agent.settings.errors", reason="bad_document") > 1, "the count")
        assert probe.hears_nothing_for(0.05)
        server.settings["agent"] = saying(20)
        assert probe.told() == saying(20)


def test_the_largest_document_arrives_whole(path, server, asker):
    server.settings["agent"] = saying(1, MAX_SETTINGS_BYTES)
    assert len(server.settings["agent"]) == MAX_SETTINGS_BYTES

    with ProbeSide(path).hello() as probe:
        assert probe.told() == server.settings["agent"]


def test_a_probe_that_does_not_read_holds_up_nobody_and_costs_two_frames(path, queue, server, told, receiver, counters):
    """Its own spans are still taken; when it reads at last it gets whole frames, and the newest."""
    with ProbeSide(path).hello() as deaf, ProbeSide(path).hello() as other:
        for version in range(30):
            told.learned("agent", saying(version, MAX_SETTINGS_BYTES), f"{version}")
            assert other.told() == saying(version, MAX_SETTINGS_BYTES)
        deaf.traces(b"still heard")
        eventually(lambda: queue.take(0), "its spans")

        heard = [deaf.told()]
        while heard[-1] != saying(29, MAX_SETTINGS_BYTES):
            heard.append(deaf.told())
        assert len(heard) < 10, "what fits into the socket, and two"
        assert counters.total("sonde.agent.settings.unsent", reason="superseded") > 10
        told.learned("agent", NOTHING, "last")
        assert deaf.told() == other.told() == NOTHING


def test_a_probe_that_hangs_up_with_something_unread_loses_nothing_it_sent(path, queue, told, receiver, counters):
    """The kernel reports such an end as a broken connection."""
    told.learned("agent", saying(1, MAX_SETTINGS_BYTES), "1")
    with ProbeSide(path).hello() as probe:
        probe.traces(b"last words")
        eventually(lambda: sent(counters) == 1, "the frame is on its way")
    eventually(lambda: counters.total("sonde.agent.connections.closed", reason="hung_up") == 1, "the end")
    assert b"".join(queue.take(0).chunks()) == payload(b"last words")


def test_what_a_probe_never_took_is_counted_at_its_end(path, told, receiver, counters):
    with ProbeSide(path).hello() as probe:
        for version in range(10):
            eventually(lambda: receiver.connection_count, "the probe")
            told.learned("agent", saying(version, MAX_SETTINGS_BYTES), f"{version}")
            eventually(lambda n=version: counters.total("sonde.agent.settings.sent") > n or n > 2, "as much as fits")
        probe.traces(b"here")
        eventually(lambda: counters.total("sonde.agent.frames.received"), "the receiver's attention")
    eventually(lambda: counters.total("sonde.agent.settings.unsent", reason="hung_up") > 0, "the count")


def test_nobody_is_asked_where_there_is_no_token(path, queue, probes, runs, server, counters):
    with ExitStack() as running:
        told = running.enter_context(ProbeSettings(""))
        running.enter_context(SettingsAsker(ServerConnection(server.url), told, interval_s=0.01, counters=counters))
        running.enter_context(Receiver(path, queue, probes, told, runs, max_connections=8, counters=counters))
        with ProbeSide(path).hello() as probe:
            assert probe.hears_nothing_for(0.1)
    assert server.questions == []


def test_many_apps_are_asked_for_one_after_the_other(path, server, asker, told, monkeypatch):
    """However many tokens there are, a host asks at a bounded rate."""
    monkeypatch.setattr(settings_asker, "MIN_PAUSE_S", 0.1)
    began, before = time.monotonic(), len(server.questions)
    for number in range(100):
        told.joined(f"made up {number}")
    eventually(lambda: len(server.questions) > before + 4, "some questions")
    assert len(server.questions) - before <= (time.monotonic() - began) / 0.1 + 2


def test_the_apps_of_probes_that_left_are_remembered_up_to_a_bound(told, monkeypatch):
    monkeypatch.setattr(probe_settings, "MAX_REMEMBERED", 3)
    told.joined("connected")
    for token in ("connected", "agent", *"abcdef"):
        told.learned(token, saying(1), "x")

    assert [token for token in ("connected", "agent", *"abcdef") if told.frame(token)] == ["connected", "agent", *"def"]
    assert told.etag("a") == "", "so that the server says it anew"


def test_agents_do_not_ask_in_step(server, counters, told):
    def pause_with(jitter):
        connection = ServerConnection(server.url)
        return SettingsAsker(connection, told, interval_s=10, counters=counters, jitter=lambda: jitter)._pause_s()

    assert (pause_with(0.0), pause_with(1.0)) == (9.0, 11.0)


def test_the_whole_agent_asks_and_tells_and_ends_while_the_server_hangs(tmp_path, server):
    server.settings["app-token"] = saying(10)
    with AgentProcess(tmp_path, server.url, "--settings-interval-s", "0.05") as agent:
        with agent.probe().hello() as probe:
            assert probe.told() == saying(10)
            block, other = socket.socketpair()
            asked = []

            def never_answers(question):
                asked.append(question)
                block.recv(1)

            server.about_settings = lambda question: Script(before=never_answers)
            eventually(lambda: asked, "a question that hangs")
            began = time.monotonic()
            assert agent.stop() == 0
            assert time.monotonic() - began < 5
        block.close()
        other.close()


def test_the_whole_agent_tells_when_the_server_comes_at_last(tmp_path):
    server = FakeServer()
    with server:
        pass  # takes a port, and leaves it
    server.settings["app-token"] = saying(10)
    with (
        AgentProcess(tmp_path, server.url, "--settings-interval-s", "0.2") as agent,
        agent.probe().hello() as probe,
    ):
        assert probe.hears_nothing_for(0.3)
        with server:
            assert probe.told() == saying(10)


def test_an_agent_may_be_told_not_to_ask(tmp_path, server):
    server.settings["app-token"] = saying(10)
    with AgentProcess(tmp_path, server.url, "--settings-interval-s", "0") as agent, agent.probe().hello() as probe:
        probe.traces(b"x")
        eventually(server.bodies, "arrival")
        assert probe.hears_nothing_for(0.1)
    assert server.questions == []
