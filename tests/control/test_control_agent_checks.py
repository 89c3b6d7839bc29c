"""What the agent refuses, and why: a real agent and a real process; the test plays the server."""

import base64
import json
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from control_harness import ALL, ServerSide

from sonde.agent.control.seen_processes import is_instance
from sonde.agent.receiving.probes import Probe
from sonde.wire.control import moment


def refusal(fake, job_id):
    """The reason; nothing may have been started."""
    message = fake.hear("refused", "accepted", "done")
    assert (message["type"], message["job"]) == ("refused", job_id), message
    return message["reason"]


def test_a_signed_job_is_carried_out(fake, start_agent):
    _, process = start_agent()

    job_id = fake.give(fake.body(process))

    assert fake.hear("accepted", "refused") == {"type": "accepted", "job": job_id}
    event, files = fake.take(job_id)
    assert event["event"] == "result"
    assert len(files["data.bin"]) == 1000


def test_a_process_is_meant_by_what_it_calls_itself_and_by_when_it_was_started():
    """It says the former some seconds after it has connected, and a job may name it by the latter."""
    started = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    probe = Probe(os.getpid(), os.getuid(), instance="vm:4711-5f0c1d")

    assert is_instance(probe, "vm:4711-5f0c1d")
    assert is_instance(probe, f"{os.getpid()}-{started}")
    assert not is_instance(probe, f"{os.getpid()}-{int(started) - 1}")
    assert not is_instance(Probe(2**22 + 1, 0), ""), "it is gone, and was never called anything"


def test_a_job_with_another_signature_does_not_run(fake, start_agent):
    _, process = start_agent()
    body = fake.body(process)
    text, signature = fake.signed(body)
    stranger = ServerSide()
    unsigned = base64.b64encode(bytes(64)).decode()

    for bad in (stranger.signed(body)[1], unsigned, "", "no base64!", signature[:-8]):
        fake.say("job", body=text, signature=bad)
        assert refusal(fake, body["id"]) == "bad_signature"
    altered = json.dumps({**body, "pid": 1})
    fake.say("job", body=altered, signature=signature)
    assert refusal(fake, body["id"]) == "bad_signature"


def test_a_job_for_another_node_does_not_run(fake, start_agent):
    _, process = start_agent()

    job_id = fake.give(fake.body(process, node="somebody-else"))

    assert refusal(fake, job_id) == "wrong_node"


def test_a_job_that_is_too_late_or_too_early_does_not_run(fake, start_agent):
    _, process = start_agent()
    now = datetime.now(UTC)
    late = {"issued_at": moment(now - timedelta(seconds=61)), "expires_at": moment(now - timedelta(seconds=1))}
    early = {"issued_at": moment(now + timedelta(seconds=90)), "expires_at": moment(now + timedelta(seconds=150))}

    for times in (late, early):
        job_id = fake.give(fake.body(process, **times))
        assert refusal(fake, job_id) == "expired"


def test_a_clock_that_is_half_a_minute_behind_is_no_reason(fake, start_agent):
    _, process = start_agent()
    now = datetime.now(UTC)
    ahead = {"issued_at": moment(now + timedelta(seconds=30)), "expires_at": moment(now + timedelta(seconds=90))}

    job_id = fake.give(fake.body(process, **ahead))

    assert fake.take(job_id)[0]["event"] == "result"


def test_a_job_runs_once_whoever_repeats_it(fake, start_agent):
    """By id or by nonce, under way or over, also after the agent was started anew."""
    agent, process = start_agent()
    body = fake.body(process)
    fake.give(body)
    fake.take(body["id"])

    fake.give(body)
    assert refusal(fake, body["id"]) == "replayed"
    again = fake.give({**body, "id": "another"})
    assert refusal(fake, again) == "replayed"
    agent.stop(signal.SIGKILL)
    agent.start()
    fake.hear("hello")
    fake.give(body)
    assert refusal(fake, body["id"]) == "replayed"


def test_a_job_for_a_process_that_is_not_there_or_not_the_same_does_not_run(fake, start_agent):
    _, process = start_agent()

    gone = fake.give(fake.body({**process, "pid": 1}))
    assert refusal(fake, gone) == "gone"
    reborn = fake.give(fake.body({**process, "instance": "of-an-hour-ago"}))
    assert refusal(fake, reborn) == "gone"


@pytest.mark.parametrize(
    "wrong",
    [
        {"seconds": 1e9},
        {"seconds": -1},
        {"seconds": "10"},
        {"tool": "../cpu"},
        {"options": []},
        {"nonce": None},
        {"expires_at": "2026-99-99T00:00:00Z"},
    ],
)
def test_a_signed_job_that_makes_no_sense_does_not_run(fake, start_agent, wrong):
    _, process = start_agent()
    fake.give({**fake.body(process), **wrong})
    sound = fake.give(fake.body(process))

    if "expires_at" in wrong:
        assert fake.hear("refused")["reason"] == "bad_options"
    assert fake.hear("accepted", "refused") == {"type": "accepted", "job": sound}, "and the next one does"


def test_an_unknown_tool_is_the_processs_to_refuse(fake, start_agent):
    _, process = start_agent()

    job_id = fake.give(fake.body(process, tool="no_such_tool"))

    assert fake.take(job_id)[0]["reason"] == "unknown_tool"


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (None, "has no policy file"),
        ("", "allows no tool"),
        ("[tools]\nallow = []\n", "allows no tool"),
        ('[tools]\nallow = ["cpu"]\n', "does not allow the tool quick"),
        ('[tools]\nallow = ["*"]\nservices = ["pay*", "sho"]\n', "in the service 'shop'"),
        ('[tools]\nallow = ["*"]\nmax_seconds = 0.5\n', "allows 0.5 s, not 1"),
        ('[tools]\nallow = "*"\n', "allow is a list of texts"),
        ('[tools]\nalow = ["*"]\n', "not 'alow'"),
        ('[tools\nallow = ["*"]\n', "cannot be used"),
        ('[tool]\nallow = ["*"]\n', "only [tools]"),
        ('[tools]\nallow = ["*"]\nmax_seconds = "long"\n', "a number of seconds"),
    ],
)
def test_what_the_hosts_policy_does_not_allow_does_not_run(fake, start_agent, policy, said):
    _, process = start_agent(policy)

    job_id = fake.give(fake.body(process))

    message = fake.hear("refused", "accepted")
    assert (message["type"], message["job"], message.get("reason")) == ("refused", job_id, "not_allowed")
    assert said in message["message"]


def test_a_policy_that_others_can_write_allows_nothing(fake, start_agent):
    agent, process = start_agent()
    agent.policy_file.chmod(0o666)

    job_id = fake.give(fake.body(process))

    message = fake.hear("refused", "accepted")
    assert message["job"] == job_id
    assert "chmod go-w" in message["message"]


def test_the_policy_is_read_at_each_job(fake, start_agent):
    agent, process = start_agent(None)
    assert refusal(fake, fake.give(fake.body(process))) == "not_allowed"

    agent.write_policy('[tools]\nallow = ["quick"]\nservices = ["sh*"]\n')

    assert fake.take(fake.give(fake.body(process)))[0]["event"] == "result"


def test_a_process_says_what_it_can_do_less_what_the_policy_refuses(fake, start_agent):
    _, process = start_agent('[tools]\nallow = ["quick"]\n')

    event, _ = fake.take(fake.give(fake.body(process, tool="tools", seconds=0)))

    states = {state["name"]: state for state in event["tools"]}
    assert states["quick"]["available"]
    assert not states["slow"]["available"]
    assert "does not allow the tool slow" in states["slow"]["why_not"]
    told = fake.process(process["pid"])
    assert told["tools"] == event["tools"], "and is known for it from then on"


def test_without_a_policy_a_process_is_not_even_asked(fake, start_agent):
    _, process = start_agent(None)

    assert refusal(fake, fake.give(fake.body(process, tool="tools", seconds=0))) == "not_allowed"


def test_a_server_whose_key_has_changed_is_refused(fake, start_agent):
    agent, process = start_agent()
    fake.take(fake.give(fake.body(process)))
    fake.key = ServerSide().key
    fake.hang_up()
    fake.hear("hello")

    job_id = fake.give(fake.body(process))

    message = fake.hear("refused", "accepted")
    assert (message["job"], message["reason"]) == (job_id, "bad_signature")
    assert "key is not the one" in message["message"]
    assert "server-keys.json" in agent.log.read_text()
    assert fake.public_key in agent.log.read_text()


def test_a_key_that_was_given_is_the_only_one_that_counts(fake, start_agent):
    _, process = start_agent(control_key=ServerSide().public_key)

    assert refusal(fake, fake.give(fake.body(process))) == "bad_signature"


def test_a_damaged_memory_of_keys_is_no_way_in(fake, start_agent):
    agent, process = start_agent()
    agent.stop()
    (agent.queue / "control" / "server-keys.json").write_text("{}{")
    agent.start()
    fake.hear("hello")

    assert refusal(fake, fake.give(fake.body(process))) == "bad_signature"
    assert ALL in agent.policy_file.read_text()
