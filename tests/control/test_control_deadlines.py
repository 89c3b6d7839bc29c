"""Time: a web process's control plane on a clock that the test moves, without a network."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from control_harness import NODE

from sonde.server.accounts.accounts import Accounts
from sonde.server.accounts.database import open_metadata
from sonde.server.accounts.migrate import migrate
from sonde.server.accounts.sealing import KEY_BYTES, Sealer
from sonde.server.api.workers import Workers
from sonde.server.control.artifacts import Artifacts
from sonde.server.control.control import Control, JobWish
from sonde.server.control.jobs import Jobs
from sonde.server.control.signing import signer_of
from sonde.wire.control import Piece


class Clock:
    def __init__(self):
        self.now = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def pass_by(self, **span):
        self.now += timedelta(**span)


class Told:
    """In place of a connection: keeps what is said."""

    def __init__(self):
        self.said = []

    def say(self, message):
        self.said.append(message)

    def give_up(self, reason):
        self.said.append({"type": "given up", "reason": reason})

    def last(self, kind):
        return [message for message in self.said if message["type"] == kind][-1]


class Plane:
    """A control plane and its world."""

    def __init__(self, folder):
        self.clock = Clock()
        self.engine = open_metadata_of(folder)
        self.accounts = Accounts(self.engine, timedelta(hours=1), Sealer(bytes(KEY_BYTES)), now=lambda: self.clock.now)
        self.artifacts = Artifacts(folder / "artifacts", job_max_bytes=1 << 20, max_bytes=1 << 20, min_free_bytes=0)
        self.workers = Workers("control", 2, 100)
        self.app = self.accounts.apps.create("shop", "test").app.id
        self.control = self.made()

    def made(self):
        """As a web process makes it; the second is the process that came after."""
        now = lambda: self.clock.now  # noqa: E731
        jobs = Jobs(self.engine, now)
        return Control(
            jobs, self.artifacts, signer_of(self.engine, now), self.workers, now=now, keep=timedelta(days=30)
        )

    def close(self):
        self.workers.close()
        self.engine.dispose()

    async def agent(self, instance="a-1", jobs=()):
        link = Told()
        facts = {"type": "hello", "protocol": 1, "node": NODE, "host": "h", "agent_version": "1"}
        hello = {**facts, "instance": instance, "capabilities": [], "jobs": list(jobs)}
        return await self.control.joined(self.app, hello, link), link

    async def begin(self, seconds=10.0):
        return await self.control.begin(JobWish(self.app, NODE, 7, "cpu", seconds, {}), "user:tester")

    async def due(self, job_id):
        """What the job is once overdue ones have been looked for."""
        task = asyncio.ensure_future(self.control.run())
        try:
            await asyncio.sleep(0.3)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return (await self.control.find(job_id)).job


def open_metadata_of(folder):
    from sqlalchemy import make_url

    engine = open_metadata(make_url(f"sqlite:///{folder / 'metadata.sqlite3'}"))
    migrate(engine)
    return engine


@pytest.fixture
def plane(tmp_path):
    made = Plane(tmp_path)
    yield made
    made.close()


def test_an_agent_that_takes_no_job_has_a_quarter_of_a_minute(plane):
    async def scene():
        _, link = await plane.agent()
        job = await plane.begin()
        plane.clock.pass_by(seconds=14)
        assert (await plane.due(job.id)).is_open
        plane.clock.pass_by(seconds=2)
        ended = await plane.due(job.id)
        assert (ended.state, ended.failure.reason) == ("failed", "no_answer")
        assert "not taken the job" in ended.failure.message
        assert link.last("settled")["job"] == job.id, "should it have begun, it ends it"

    asyncio.run(scene())


def test_a_job_whose_agent_does_not_come_back_fails_long_before_its_deadline(plane):
    async def scene():
        agent, link = await plane.agent()
        job = await plane.begin(seconds=1000)
        await plane.control.heard(agent, {"type": "accepted", "job": job.id})
        plane.control.left(agent, link)
        plane.clock.pass_by(seconds=19)
        assert (await plane.due(job.id)).is_open
        plane.clock.pass_by(seconds=2)
        ended = await plane.due(job.id)
        assert ended.failure.reason == "lost"
        assert "has gone, and has not come back" in ended.failure.message
        _, back = await plane.agent(jobs=[job.id])
        assert back.last("settled")["job"] == job.id

    asyncio.run(scene())


def test_an_agent_that_comes_back_has_all_the_time_it_had(plane):
    async def scene():
        agent, link = await plane.agent()
        job = await plane.begin(seconds=1000)
        await plane.control.heard(agent, {"type": "accepted", "job": job.id})
        plane.control.left(agent, link)
        plane.clock.pass_by(seconds=15)
        again, back = await plane.agent(jobs=[job.id])
        plane.control.left(again, link)  # its first connection is noticed to be over only now
        plane.clock.pass_by(seconds=900)
        assert (await plane.due(job.id)).is_open
        plane.control.left(again, back)
        plane.clock.pass_by(seconds=21)
        assert (await plane.due(job.id)).failure.reason == "lost"

    asyncio.run(scene())


def test_a_job_is_lost_as_soon_as_another_agent_has_its_process(plane):
    async def scene():
        agent, link = await plane.agent()
        job, other = await plane.begin(seconds=1000), await plane.begin(seconds=1000)
        await plane.control.heard(agent, {"type": "accepted", "job": job.id})
        after, _ = await plane.agent("a-2")
        await plane.control.heard(after, {"type": "processes", "items": [{"pid": 7}]})
        assert (await plane.due(job.id)).is_open, "its own agent is there"
        plane.control.left(agent, link)
        await plane.control.heard(after, {"type": "processes", "items": [{"pid": 8}]})
        assert (await plane.due(job.id)).is_open
        await plane.control.heard(after, {"type": "processes", "items": [{"pid": 7}, {"pid": 8}]})
        for it in (job, other):
            ended = (await plane.control.find(it.id)).job
            assert (ended.state, ended.failure.reason) == ("failed", "lost")
            assert "started anew" in ended.failure.message

    asyncio.run(scene())


def test_what_is_heard_of_a_job_moves_its_deadline_but_not_for_ever(plane):
    async def scene():
        agent, _ = await plane.agent()
        job = await plane.begin(seconds=10)
        await plane.control.heard(agent, {"type": "accepted", "job": job.id})
        for number in range(45):
            plane.clock.pass_by(seconds=80)
            assert (await plane.control.find(job.id)).job.is_open
            await plane.control.piece(agent, Piece(job.id, "x", number, 1000, b"."))
        plane.clock.pass_by(seconds=20)
        assert (await plane.due(job.id)).failure.reason == "no_answer"
        assert plane.artifacts.jobs() == [], "what had come is removed"

    asyncio.run(scene())


def test_an_abort_that_nobody_answers_is_over_soon(plane):
    async def scene():
        agent, _ = await plane.agent()
        job = await plane.begin(seconds=1000)
        await plane.control.heard(agent, {"type": "accepted", "job": job.id})
        await plane.control.cancel(job.id, "abort", "user:tester")
        plane.clock.pass_by(seconds=16)
        ended = await plane.due(job.id)
        assert (ended.state, ended.failure.reason) == ("cancelled", "aborted")

    asyncio.run(scene())


def test_a_process_that_comes_after_takes_up_what_was_under_way(plane):
    async def scene():
        agent, _ = await plane.agent()
        running, never_heard = await plane.begin(), await plane.begin()
        await plane.control.heard(agent, {"type": "accepted", "job": running.id})
        await plane.control.heard(agent, {"type": "output", "job": running.id, "seq": 1, "event": {"event": "started"}})

        plane.control = plane.made()
        await plane.control.prepare()
        assert (await plane.control.find(running.id)).job.state == "running"
        agent, link = await plane.agent(jobs=[running.id])
        assert never_heard.id in link.last("job")["body"], "it is given again"
        done = {"event": "result", "document": {"a": 1}, "artifacts": []}
        await plane.control.heard(agent, {"type": "done", "job": running.id, "seq": 2, "event": done})
        assert (await plane.control.find(running.id)).job.document == {"a": 1}

        plane.control = plane.made()
        await plane.control.prepare()
        plane.clock.pass_by(seconds=61)
        await plane.agent()
        assert (await plane.control.find(never_heard.id)).job.failure.reason == "expired"

    asyncio.run(scene())


def test_retention_takes_old_jobs_and_their_files_and_what_nobody_owns(plane):
    async def scene():
        agent, _ = await plane.agent()
        old = await plane.begin()
        await plane.control.piece(agent, Piece(old.id, "x", 0, 3, b"abc"))
        digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        files = [{"name": "x", "media_type": "text/plain", "bytes": 3, "sha256": digest}]
        done = {"event": "result", "document": {}, "artifacts": files}
        await plane.control.heard(agent, {"type": "done", "job": old.id, "seq": 1, "event": done})
        assert (await plane.control.find(old.id)).job.state == "done"
        plane.artifacts.store("abcdef", Piece("abcdef", "y", 0, 1, b"y"))
        plane.clock.pass_by(days=29)
        young = await plane.begin()
        assert (await plane.due(old.id)).state == "done"
        assert plane.artifacts.jobs() == [old.id], "files of no job are gone"

        plane.control = plane.made()
        plane.clock.pass_by(days=2)
        await plane.due(young.id)

        assert await plane.control.find(old.id) is None
        assert plane.artifacts.jobs() == []
        assert (await plane.control.find(young.id)) is not None

    asyncio.run(scene())


def test_streams_end_when_the_process_is_to_stop(plane):
    async def scene():
        await plane.agent()
        job = await plane.begin()
        stream = plane.control.follow(job.id)
        assert (await anext(stream)).job.id == job.id
        plane.control.close()
        async with asyncio.timeout(5):
            assert [view async for view in stream] == []

    asyncio.run(scene())
