"""Profile tasks, with an agent that the test plays: what it is told and when, and what becomes of what it sends."""

import base64
import json

import pytest
from skywalking_world import RECORDED, V3, Agent, now
from test_skywalking_grpc import until

from sonde.server.control.control import JobWish
from sonde.server.intake.skywalking import skywalking_pb2 as pb
from sonde.server.intake.skywalking.snapshots import frame_of

QUERY = V3 + "ProfileTask/getProfileTaskCommands"
SNAPSHOT = V3 + "ProfileTask/collectSnapshot"
FINISH = V3 + "ProfileTask/reportTaskFinish"
PROPERTIES = V3 + "ManagementService/reportInstanceProperties"
SLOW = {"endpoint": "/slow"}


class Profiled:
    """A process that asks for tasks."""

    def __init__(self, agent, instance="i1", pid="4242", host="demo-host"):
        self.agent = agent
        self.world = agent.world
        self.instance = instance
        properties = pb.InstanceProperties(service="orders", serviceInstance=instance)
        for key, value in (("language", "python"), ("Process No.", pid), ("hostname", host)):
            properties.properties.add(key=key, value=value)
        agent.unary(PROPERTIES, properties)
        assert self.ask() == []

    def ask(self, last=-1):
        """Arguments of each task it is told of."""
        query = pb.ProfileTaskCommandQuery(service="orders", serviceInstance=self.instance, lastCommandTime=last)
        commands = self.agent.unary(QUERY, query).commands
        assert {it.command for it in commands} <= {"ProfileTaskQuery"}
        return [{pair.key: pair.value for pair in it.args} for it in commands]

    def seen(self):
        """As the tools page has it."""
        found = [it for it in self.world.control.processes() if it["instance"] == self.instance]
        return found[0] if found else None

    def start(self, seconds=60.0, tool="cpu", options=SLOW):
        process = self.seen()
        wish = JobWish(process["app"], process["node"], process["pid"], tool, seconds, options)
        return self.world.do(self.world.control.begin(wish, "test")).id

    def job(self, job_id):
        return self.world.do(self.world.control.find(job_id)).job

    def ended(self, job_id):
        return until(lambda: not (it := self.job(job_id)).is_open and it, "the end of the run")

    def running(self, job_id):
        return until(lambda: (it := self.job(job_id)).state == "running" and it, "the run runs")

    def snapshots(self, task, stacks):
        said = round(now().timestamp() * 1000)
        self.agent.stream(
            SNAPSHOT,
            [
                pb.ThreadSnapshot(
                    taskId=task,
                    traceSegmentId="s1",
                    time=said + at,
                    sequence=at,
                    stack=pb.ThreadStack(codeSignatures=it),
                )
                for at, it in enumerate(stacks)
            ],
        )

    def finish(self, task):
        report = pb.ProfileTaskFinishReport(service="orders", serviceInstance=self.instance, taskId=task)
        self.agent.unary(FINISH, report)


@pytest.fixture
def profiled(agent):
    return Profiled(agent)


def told(profiled, job):
    """The task as the agent hears of it, once the run has been taken."""
    (task,) = until(profiled.ask, "a task")
    assert task["TaskId"] == job
    return task


def test_a_process_that_asks_for_tasks_stands_on_the_tools_page(profiled):
    process = profiled.seen()

    assert (process["service"], process["pid"], process["host"]) == ("orders", 4242, "demo-host")
    assert process["node_connected"]
    assert process["language"] == "python"


def test_what_it_can_do_is_the_tool_cpu(profiled):
    process = profiled.seen()

    profiled.world.do(profiled.world.control.ask(process["app"], process["node"], process["pid"], "test"))

    tools = {it["name"]: it for it in profiled.seen()["tools"]}
    assert [name for name, it in tools.items() if it["available"]] == ["cpu"]
    assert {"endpoint", "period_ms"} <= tools["cpu"]["options"].keys()
    assert "probe" in tools["leaks"]["why_not"]


def test_a_task_says_all_that_agents_check(profiled):
    """Minutes, ten milliseconds at least, fewer than ten requests: an agent drops the whole task otherwise."""
    job = profiled.start(seconds=61, options={**SLOW, "period_ms": 10, "min_duration_ms": 5, "requests": 3})

    task = told(profiled, job)

    assert task.keys() == {it["key"] for it in RECORDED["py-profile-command"]["messages"][0]["commands"][0]["args"]}
    assert (task["EndpointName"], task["Duration"], task["DumpPeriod"]) == ("/slow", "2", "10")
    assert (task["MinDurationThreshold"], task["MaxSamplingCount"]) == ("5", "3")
    assert int(task["StartTime"]) < int(task["CreateTime"]) <= round(now().timestamp() * 1000)


def test_a_task_is_told_again_until_the_agent_has_it(profiled):
    job = profiled.start()
    task = told(profiled, job)

    assert profiled.ask() == [task]
    assert profiled.ask(last=int(task["CreateTime"])) == []


def test_a_task_is_newer_than_the_last_one_whatever_the_clocks_say(profiled):
    """Else the agent would not take it."""
    future = round(now().timestamp() * 1000) + 10_000_000
    profiled.start()

    (task,) = until(lambda: profiled.ask(last=future), "a task")

    assert int(task["CreateTime"]) == future + 1


def test_snapshots_become_a_profile_when_the_agent_has_finished(profiled):
    job = profiled.start()
    told(profiled, job)
    profiled.running(job)
    outer, inner = "/app/shop.py.order: 10", "/app/shop.py.price: 17"
    profiled.snapshots(job, [[outer, inner], [outer, inner], [outer]])
    profiled.finish(job)

    ended = profiled.ended(job)

    assert ended.state == "done"
    assert ended.document["summary"]["samples"] == 3
    assert ended.document["summary"]["total_ns"] == 3 * 20_000_000
    assert ended.document["instance"] == "i1"
    profile = json.loads(profiled.world.artifacts.path(job, "profile.json").read_bytes())
    assert profile["frames"] == [["order", "/app/shop.py", 0], ["price", "/app/shop.py", 0]]
    assert profile["nodes"] == [[-1, 0, 10], [0, 1, 17]]
    assert sorted(profile["samples"]) == [[0, 20_000_000, 1], [1, 40_000_000, 2]]


def test_a_run_ends_when_its_seconds_are_over_though_the_agent_goes_on(profiled):
    """Its time is counted in minutes."""
    job = profiled.start(seconds=1)
    told(profiled, job)

    ended = profiled.ended(job)

    assert ended.state == "done"
    assert ended.document["seconds"] == pytest.approx(1, abs=0.5)
    assert any("No request of /slow" in it for it in ended.document["notes"])
    before = profiled.world.intake._profiling.unwanted_snapshots
    profiled.snapshots(job, [["late"]])
    assert profiled.world.intake._profiling.unwanted_snapshots == before + 1


def test_a_run_that_is_stopped_keeps_what_has_come(profiled):
    job = profiled.start(seconds=600)
    told(profiled, job)
    profiled.snapshots(job, [["/app/a.py.f: 1"]])

    profiled.world.do(profiled.world.control.cancel(job, "stop", "test"))

    ended = profiled.ended(job)
    assert (ended.state, ended.document["summary"]["samples"]) == ("done", 1)


def test_a_run_that_is_aborted_keeps_nothing_and_the_next_may_begin(profiled):
    job = profiled.start(seconds=600)
    told(profiled, job)

    profiled.world.do(profiled.world.control.cancel(job, "abort", "test"))

    assert profiled.ended(job).state == "cancelled"
    told(profiled, profiled.start())


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"options": {}}, "bad_options"),
        ({"options": {**SLOW, "period_ms": 1}}, "bad_options"),
        ({"options": {**SLOW, "idle": True}}, "bad_options"),
        ({"seconds": 1000.0}, "bad_options"),
        ({"tool": "heap"}, "unavailable"),
    ],
)
def test_what_the_agent_cannot_do_is_refused(profiled, wish, reason):
    ended = profiled.ended(profiled.start(**wish))

    assert (ended.state, ended.failure.reason) == ("failed", reason)


def test_one_task_at_a_time(profiled):
    profiled.start()

    ended = profiled.ended(profiled.start())

    assert ended.failure.reason == "busy"


def test_two_processes_of_one_host_may_have_one_pid(agent):
    """Containers do; each is told of its own task alone."""
    one, other = Profiled(agent, "i1", pid="1"), Profiled(agent, "i2", pid="1")

    assert one.seen()["pid"] != other.seen()["pid"]
    job = other.start()
    told(other, job)
    assert one.ask() == []


def test_snapshots_of_another_app_are_not_taken(profiled):
    """Whoever knows the id of a task cannot write into its profile."""
    job = profiled.start()
    told(profiled, job)
    made = profiled.world.accounts.apps.create("stranger", "test")
    stranger = Agent(profiled.world, made.token)
    stranger.stream(SNAPSHOT, [pb.ThreadSnapshot(taskId=job, stack=pb.ThreadStack(codeSignatures=["evil"]))])
    stranger.close()
    profiled.finish(job)

    assert profiled.ended(job).document["summary"]["samples"] == 0


def test_recorded_snapshots_are_read_as_they_were_meant(profiled):
    job = profiled.start()
    told(profiled, job)
    bodies = [pb.ThreadSnapshot.FromString(base64.b64decode(it)) for it in RECORDED["py-profile-snapshots"]["wire_b64"]]
    for it in bodies:
        it.taskId = job

    profiled.agent.stream(SNAPSHOT, bodies)
    profiled.finish(job)

    profiled.ended(job)
    profile = json.loads(profiled.world.artifacts.path(job, "profile.json").read_bytes())
    assert {file.endswith(".py") for _, file, _ in profile["frames"]} == {True}
    assert "_bootstrap" in {name for name, _, _ in profile["frames"]}


@pytest.mark.parametrize(
    ("signature", "frame"),
    [
        ("/app/shop.py.price: 17", (("price", "/app/shop.py", 0), 17)),
        ("/app/shop.py.<lambda>: 3", (("<lambda>", "/app/shop.py", 0), 3)),
        ("<frozen importlib._bootstrap>._load: 9", (("_load", "<frozen importlib._bootstrap>", 0), 9)),
        ("com.acme.Shop.price:17", (("com.acme.Shop.price", "", 0), 17)),
        ("com.acme.Shop.native", (("com.acme.Shop.native", "", 0), 0)),
        ("", (("", "", 0), 0)),
    ],
)
def test_a_signature_of_python_or_java_is_a_frame(signature, frame):
    assert frame_of(signature) == frame
