"""Jobs, their artifacts and the key they are signed with, on every database."""

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sonde.server.accounts import audit
from sonde.server.control.jobs import BadCursorError, Failure, Job, JobFilter, Jobs
from sonde.server.control.signing import signer_of

FILE = {"name": "profile.json", "media_type": "application/json", "bytes": 5 << 30, "sha256": "ab" * 32}


@pytest.fixture
def jobs(engine, clock):
    return Jobs(engine, lambda: clock.now)


@pytest.fixture
def app(accounts):
    return accounts.apps.create("shop", "test").app.id


def a_job(app, clock, job_id="j1", **other):
    facts = {
        "id": job_id,
        "app": app,
        "node": "n1",
        "host": "größe",
        "agent": "a1",
        "pid": 4711,
        "service": "shop ",
        "instance": "i1",
        "tool": "cpu",
        "options": {"mode": "wall", "ratio": 0.5},
        "seconds": 2.5,
        "created_by": "user:admin",
        "created_at": clock.now,
        "expires_at": clock.now + timedelta(minutes=1),
        "deadline_at": clock.now + timedelta(minutes=2),
        "body": "{}",
    }
    return Job(**(facts | other))


def test_a_job_comes_back_as_it_was_put_in_and_with_what_became_of_it(jobs, app, clock):
    job = a_job(app, clock)
    jobs.add(job)
    assert jobs.find("j1") == job
    assert jobs.open() == [job]
    clock.pass_by(timedelta(seconds=1))
    job = jobs.began(job)
    document = {"summary": {"lines": ["größe 😀 \0"] * 20_000}}
    assert len(str(document)) > 1 << 16, "more than MySQL's TEXT takes"

    ended = jobs.end(job, "done", "agent:n1", document=document, artifacts=[FILE])

    found = jobs.find("j1")
    assert found == ended
    assert found.document == document
    assert found.service == "shop ", "to the last space"
    assert (found.state, found.started_at, found.artifacts[0].bytes) == ("done", clock.now, 5 << 30)
    assert jobs.open() == []
    assert jobs.find("j2") is None


def test_a_job_ends_once(jobs, app, clock):
    job = a_job(app, clock)
    jobs.add(job)
    first = jobs.end(job, "failed", "server", failure=Failure("lost", "the agent has gone"))

    second = jobs.end(job, "done", "agent:n1", document={}, artifacts=[FILE])

    assert second == first
    assert jobs.find("j1").artifacts == ()


def test_each_step_is_in_the_audit(jobs, engine, app, clock):
    job = a_job(app, clock)
    jobs.add(job)
    jobs.cancel_asked(job, "user:other", "stop")
    jobs.end(job, "failed", "agent:n1", failure=Failure("not_allowed", "no"), what="job.refused")

    entries = [(entry.who, entry.what) for entry in audit.latest(engine, 10) if entry.subject == "j1"]
    assert entries == [("agent:n1", "job.refused"), ("user:other", "job.cancel"), ("user:admin", "job.start")]
    assert '"reason": "not_allowed"' in audit.latest(engine, 1)[0].detail


def test_pages_have_no_gap_and_nothing_twice_also_within_a_microsecond(jobs, app, clock):
    for number in range(7):
        jobs.add(a_job(app, clock, f"j{number}"))

    seen, cursor = [], None
    while cursor or not seen:
        page, cursor = jobs.search(JobFilter(), 2, cursor)
        seen += [job.id for job in page]

    assert seen == [f"j{number}" for number in range(6, -1, -1)]
    for bad in ("x", "-", "99999999999999999999999-j1"):
        with pytest.raises(BadCursorError):
            jobs.search(JobFilter(), 2, bad)


def test_old_jobs_are_forgotten_with_their_artifacts_and_open_ones_are_not(jobs, app, clock):
    for name in ("old", "open", "plain"):
        jobs.add(a_job(app, clock, name))
    jobs.end(jobs.find("old"), "done", "agent:n1", document={}, artifacts=[FILE])
    jobs.end(jobs.find("plain"), "done", "agent:n1", document={})
    assert jobs.wanted(["old", "open", "plain", "other"]) == {"old", "open"}
    clock.pass_by(timedelta(days=1))

    assert sorted(jobs.forget(clock.now)) == ["old", "plain"]

    assert [job.id for job in jobs.search(JobFilter(), 10, None)[0]] == ["open"]
    assert jobs.wanted(["old"]) == set()


def test_the_key_is_made_once_whoever_comes_first(engine, clock):
    with ThreadPoolExecutor(4) as pool:
        signers = list(pool.map(lambda _: signer_of(engine, lambda: clock.now), range(4)))

    assert len({signer.public_key for signer in signers}) == 1
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(signers[0].public_key))
    key.verify(base64.b64decode(signers[3].sign("größe")), "größe".encode())
