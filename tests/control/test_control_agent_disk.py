"""A host whose disk is full: whoever asked hears it, and the process and the agent go on. The test plays the server."""

import pytest
from small_disk import fill, small_disk

from started.waiting import eventually


@pytest.fixture
def small_queue(tmp_path):
    """The agent's queue folder, as a disk of 3 MiB."""
    with small_disk(tmp_path / "queue", 3) as folder:
        yield folder


def test_a_full_disk_of_the_host_fails_the_run_and_nothing_else(small_queue, fake, start_agent):
    agent, process = start_agent()

    event, files = fake.take(fake.give(fake.body(process, options={"bytes": 8_000_000})))
    assert (event["event"], event["reason"], files) == ("failed", "disk_full", {})
    assert "the host's disk cannot keep the artifact" in event["message"]
    eventually(lambda: not list((agent.queue / "artifacts").iterdir()), "nothing is left of it")

    event, files = fake.take(fake.give(fake.body(process, options={"bytes": 1000})))
    assert (event["event"], len(files["data.bin"])) == ("result", 1000)

    eventually(lambda: not list((agent.queue / "artifacts").iterdir()), "the room that it took")
    fill(small_queue / "other")
    body = fake.body(process, options={"bytes": 1000})
    fake.give(body)
    said = fake.hear("refused", "done")
    assert said["job"] == body["id"]
    assert said.get("event", said)["reason"] == "disk_full", (
        "no room for its name, or, in a page half full, for its result"
    )
    if said["type"] == "done":
        fake.say("settled", job=body["id"])
    (small_queue / "other").unlink()
    event, _ = fake.take(fake.give(fake.body(process, options={"bytes": 1000})))
    assert event["event"] == "result"
