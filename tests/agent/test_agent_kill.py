"""kill -9 of the agent at random moments: what the server has acknowledged is stored exactly once.

The collector of the harness does what the real one promises: it knows a body it has stored by its digest. So a batch
sent twice must be the same bytes twice, and no payload may ever be part of two batches.
"""

from __future__ import annotations

import random
import re
import threading
from collections import Counter

import pytest
from agent_harness import AgentProcess, Script, eventually

RECORD = re.compile(rb"<(\d+)>")


@pytest.mark.parametrize("rounds", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_a_killed_agent_neither_loses_nor_doubles_what_it_had_read(rounds, tmp_path, server):
    """Each round: send, kill at a random point of a running exchange, start again.

    What was still in the socket when the agent died is lost with it: the probe gets no acknowledgement and counts on
    none. So of each round's records a prefix arrives, and each of them once.
    """
    dice = random.Random(rounds)
    exchanges = threading.Semaphore(0)
    server.answer = lambda request: Script(dice.choice([200, 200, 503]), before=lambda _: exchanges.release())
    agent = AgentProcess(tmp_path, server.url)
    sent: list[range] = []
    for _ in range(rounds):
        agent.start()
        first = sent[-1].stop if sent else 0
        with agent.probe().hello() as probe:
            for number in range(first, first + 200):
                probe.traces(b"<%d>" % number + b"." * dice.choice([0, 2000, 20_000]))
            sent.append(range(first, first + 200))
            for _ in range(dice.randrange(3)):
                exchanges.acquire(timeout=1)
            agent.kill()
    server.answer = lambda request: Script()
    with agent:
        eventually(lambda: not list(agent.queue_dir.glob("*.batch")), "an empty queue")
        assert agent.stop() == 0

    stored = Counter(int(number) for number in RECORD.findall(server.bodies()))
    assert set(stored.values()) == {1}, "a payload in two batches"
    for numbers in sent:
        arrived = [number for number in numbers if number in stored]
        assert arrived == list(numbers)[: len(arrived)], "a hole in what was sent in order"


def test_what_is_on_disk_when_the_agent_is_killed_arrives_after_the_next_start(tmp_path, server):
    """Also from a batch that was still open."""
    agent = AgentProcess(tmp_path, server.url, "--batch-max-age-ms", "60000").start()
    with agent.probe().hello() as probe:
        for number in range(50):
            probe.traces(b"<%d>" % number)
        eventually(lambda: sum(it.stat().st_size for it in agent.queue_dir.glob("*.batch")) > 50 * 12, "the file")
        eventually(lambda: b"<49>" in b"".join(it.read_bytes() for it in agent.queue_dir.glob("*.batch")), "the last")
        agent.kill()
    with agent:
        eventually(lambda: len(RECORD.findall(server.bodies())) == 50, "all of them")


def test_a_kill_between_the_answer_and_the_removal_sends_the_same_body_again(tmp_path, server):
    agent = AgentProcess(tmp_path, server.url)
    server.scripts = [Script(before=lambda _: agent.process.kill())]
    agent.start()
    with agent.probe().hello() as probe:
        probe.traces(b"<1>")
        agent.wait()
    with agent:
        eventually(lambda: len(server.requests) == 2, "the second sending")
    assert server.requests[0].body == server.requests[1].body
    assert len(server.stored) == 1
