"""`sonde.profile`: a tool around a block of the program's own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

BEFORE = """
import asyncio, json, os, sys, time, warnings
import sonde
def spin(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(1000))
def frames_above(profile, node):
    while node >= 0:
        node, frame, _ = profile["nodes"][node]
        yield frame
"""


def program(text, tmp_path):
    """What it printed, as JSON. There is no agent: none is needed."""
    code = BEFORE + text.replace("SOCKET", str(tmp_path / "nobody"))
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return json.loads(ended.stdout)


@pytest.mark.parametrize("way", ["with", "async with"])
def test_what_a_block_does_is_in_its_profile_and_nothing_else(way, tmp_path):
    text = f"""
def before(): spin(0.3)
async def main():
    sonde.start(socket="SOCKET", service="shop")
    before()
    {way} sonde.profile("the block") as run:
        spin(0.5)
    before()
    paths = run.save({str(tmp_path)!r} + "/p")
    profile = json.loads(run.files["profile.json"])
    names = [name for name, _, _ in profile["frames"]]
    beside_ns = sum(
        weight for node, weight, _ in profile["samples"]
        if any(names[frame] == "before" for frame in frames_above(profile, node))
    )
    modes = [os.stat(path).st_mode & 0o077 for path in paths]
    print(json.dumps([run.document, paths, names, beside_ns, modes, run.failure]))
asyncio.run(main())
"""
    document, paths, names, beside_ns, modes, failure = program(text, tmp_path)

    assert (document["tool"], document["service"]) == ("cpu", "shop")
    assert 0.4 < document["seconds"] < 2
    assert paths == [f"{tmp_path}/p/document.json", f"{tmp_path}/p/profile.json"]
    assert "spin" in names
    assert beside_ns < 150_000_000, "of 600 ms around the block"
    assert modes == [0, 0]
    assert failure == ""


def test_where_no_tool_can_run_the_block_runs_all_the_same(tmp_path):
    """Off, unknown, one inside the other: `failure` says why; what the block raises goes on."""
    text = """
said = []
with sonde.profile("off") as run:
    said.append("ran")
said += [run.wait(), run.failure, run.save("/nowhere")]
sonde.start(socket="SOCKET")
with sonde.profile("unknown", tool="dance") as run:
    said.append("ran")
run.wait()
said.append(run.failure.split(":")[0])
with sonde.profile("unknown option", colour="red") as run:
    said.append("ran")
run.wait()
said.append(run.failure.split(":")[0])
try:
    with sonde.profile("outer") as outer:
        with sonde.profile("inner") as inner:
            1 / 0
except ZeroDivisionError:
    said += [outer.wait(), inner.wait(), inner.failure.split(":")[0]]
print(json.dumps(said))
"""
    said = program(text, tmp_path)

    assert said[:4] == ["ran", False, "unavailable: the probe is off", []]
    assert said[4:8] == ["ran", "unknown_tool", "ran", "bad_options"]
    assert said[8:] == [True, False, "busy"]


def test_the_end_of_the_probe_ends_it(tmp_path):
    text = """
sonde.start(socket="SOCKET")
with sonde.profile("a block") as run:
    sonde.stop()
print(json.dumps([run.wait(5), run.failure]))
"""
    assert program(text, tmp_path) == [False, "aborted: the probe was stopped, or the process ended"]


def test_a_child_has_no_part_in_it(tmp_path):
    text = """
sonde.start(socket="SOCKET")
with sonde.profile("a block") as run:
    spin(0.2)
    warnings.simplefilter("ignore")  # from Python 3.12 on: of the fork of a process with threads, as it is one
    child = os.fork()
    if child == 0:
        from sonde.probe.tools.host import host
        os._exit(len(host.running()))
    code = os.waitpid(child, 0)[1]
print(json.dumps([run.wait(), code]))
"""
    assert program(text, tmp_path) == [True, 0]


def test_naming_it_costs_nothing_before_it_is_used():
    code = "import sonde, sys; print([name for name in sys.modules if name.startswith('sonde.probe')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
