"""How results travel from a process to the server, whatever happens on the way: the test plays the server."""

import hashlib
import json
import random
import time

from control_harness import Agent, tool_process

from sonde.agent.control.channel import _processes
from started.waiting import eventually


def expected(size):
    return random.Random(7).randbytes(size)


def test_a_large_artifact_arrives_whole_and_an_empty_one_too(fake, start_agent):
    _, process = start_agent()

    job_id = fake.give(fake.body(process, options={"bytes": 1_000_000, "empty": True, "say": "größer"}))
    event, files = fake.take(job_id)

    assert event["document"]["summary"] == {"said": "größer"}
    assert files == {"data.bin": expected(1_000_000), "empty.json": b""}
    assert event["artifacts"][0]["sha256"] == hashlib.sha256(files["data.bin"]).hexdigest()


def test_an_upload_goes_on_where_the_server_says_after_a_break(fake, start_agent):
    """Also where the server has less than the agent believes."""
    _, process = start_agent()
    job_id = fake.give(fake.body(process, options={"bytes": 2_000_000}))
    stored = b""
    for _ in range(4):
        piece = fake.hear("piece")["piece"]
        stored += piece.data
        fake.say("received", job=job_id, name="data.bin", offset=len(stored))
    fake.hang_up()

    assert fake.hear("hello")["jobs"] == [job_id]
    stored = stored[:300_000]
    while len(stored) < 2_000_000:
        piece = fake.hear("piece")["piece"]
        if piece.offset == len(stored):
            stored += piece.data
        fake.say("received", job=job_id, name="data.bin", offset=len(stored))

    assert stored == expected(2_000_000)
    assert fake.hear("done")["job"] == job_id


def test_the_end_is_said_again_until_it_is_settled(fake, start_agent):
    _, process = start_agent()
    job_id = fake.give(fake.body(process, options={"bytes": 0}))
    fake.hear("piece")
    fake.say("received", job=job_id, name="data.bin", offset=0)
    first = fake.hear("done")
    for _ in range(2):
        fake.hang_up()
        assert fake.hear("hello")["jobs"] == [job_id]
        assert fake.hear("done") == first

    fake.say("settled", job=job_id)
    fake.hang_up()

    assert fake.hear("hello")["jobs"] == []


def test_a_file_that_arrived_damaged_is_sent_again(fake, start_agent):
    _, process = start_agent()
    job_id = fake.give(fake.body(process, options={"bytes": 300_000}))
    while fake.hear("piece")["piece"].offset < 262_144:
        fake.say("received", job=job_id, name="data.bin", offset=262_144)
    fake.say("received", job=job_id, name="data.bin", offset=300_000)
    fake.hear("done")

    fake.say("received", job=job_id, name="data.bin", offset=0)

    event, files = fake.take(job_id)
    assert files["data.bin"] == expected(300_000)
    assert event["event"] == "result"


def test_a_process_that_dies_in_a_run_ends_the_job(fake, start_agent):
    _, process = start_agent()

    event, files = fake.take(fake.give(fake.body(process, tool="dies")))

    assert (event["event"], event["reason"], files) == ("failed", "gone", {})
    assert process["pid"] not in [item["pid"] for item in fake.hear("processes")["items"]]


def test_an_artifact_without_an_end_is_bounded(fake, start_agent):
    agent, process = start_agent(agent_artifacts_max_bytes=2 << 20)

    event, _ = fake.take(fake.give(fake.body(process, tool="endless", seconds=100)))

    assert (event["event"], event["reason"]) == ("failed", "too_large")
    assert "agent_artifacts_max_bytes" in event["message"]
    eventually(lambda: not list((agent.queue / "artifacts").iterdir()), "nothing is left of it")


def test_what_nobody_can_understand_is_a_failure_with_words(fake, start_agent):
    _, process = start_agent()

    for tool, said in (("nonsense", "cannot be understood"), ("torn", "the whole of torn.bin")):
        event, _ = fake.take(fake.give(fake.body(process, tool=tool)))
        assert (event["event"], event["reason"]) == ("failed", "error")
        assert said in event["message"]


def test_a_job_ends_early_with_its_result_or_without(fake, start_agent):
    _, process = start_agent()
    stopped = fake.give(fake.body(process, tool="slow", seconds=100))
    aborted = fake.give(fake.body(process, tool="slow", seconds=100))
    for _ in range(2):
        fake.hear("accepted")

    fake.say("cancel", job=stopped, how="stop")
    event, _ = fake.take(stopped)
    assert event["document"]["summary"] == {"stopped": True}
    fake.say("cancel", job=aborted, how="abort")
    event, _ = fake.take(aborted)
    assert (event["event"], event["reason"]) == ("failed", "aborted")


def test_what_the_server_has_given_up_is_ended_in_the_process_too(fake, start_agent):
    _, process = start_agent()
    job_id = fake.give(fake.body(process, tool="slow", seconds=100))
    fake.hear("output")

    fake.say("settled", job=job_id)

    fake.hang_up()
    assert fake.hear("hello")["jobs"] == []
    again = fake.give(fake.body(process))
    assert fake.take(again)[0]["event"] == "result"


def test_progress_is_told_while_it_runs_and_not_kept_while_the_server_is_away(fake, start_agent):
    _, process = start_agent()
    job_id = fake.give(fake.body(process, tool="slow", seconds=1.5))
    events = [fake.hear("output") for _ in range(3)]
    assert [message["event"]["event"] for message in events] == ["started", "progress", "progress"]
    assert [message["seq"] for message in events] == [1, 2, 3]
    fake.hang_up()

    event, _ = fake.take(job_id)

    assert event["document"]["summary"] == {"stopped": False}


def test_more_processes_than_a_message_holds_are_told_as_far_as_it_goes():
    tools = [{"name": "cpu", "options": {"x": "y" * 20_000}}]
    items = [{"pid": pid, "command": "c" * 1000, "tools": tools} for pid in range(400)]

    told = json.loads(_processes(items))["items"]
    assert [item["pid"] for item in told] == list(range(400))
    assert {str(item["tools"]) for item in told} == {"None"}
    fewer = json.loads(_processes(items * 10))["items"]
    assert 1000 <= len(fewer) < 4000


def test_a_server_without_a_control_channel_is_left_alone(fake, tmp_path):
    """Another collector: the agent goes on with its other work, asks again after a minute, and is not noisy."""
    fake.status = 404
    agent = Agent(tmp_path, fake.url, "sonde_app_test")
    try:
        eventually(lambda: fake.connections, "it has asked")
        time.sleep(2)  # as often as it would otherwise have come back

        assert fake.connections == 1
        assert "control" not in agent.log.read_text()
    finally:
        agent.stop()
    assert agent.process.returncode == 0


def test_an_agent_that_shall_have_no_control_channel_makes_none(fake, tmp_path):
    agent = Agent(tmp_path, fake.url, "sonde_app_test", control="off")
    process = tool_process(tmp_path, agent)

    process.stop()
    agent.stop()

    assert fake.connections == 0
    assert agent.process.returncode == 0
