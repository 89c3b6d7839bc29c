"""`sonde run` itself, and the processes a program makes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import textwrap

import pytest

from conftest import environment
from sonde.settings import default_agent_socket

PYTHON = sys.executable
QUERY = "import sqlite3; c = sqlite3.connect(':memory:'); c.execute('select 1'); c.close()"


def run(*arguments, cwd=None, **more):
    return subprocess.run(
        [PYTHON, "-m", "sonde", "run", *arguments],
        env=environment(**more),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_of_multiprocessing_are_seen(start, receiver, method):
    program = start(PYTHON, "workers.py", method)
    output, error = program.process.communicate(timeout=60)

    assert (program.process.returncode, error) == (0, "")
    pids = [int(word) for word in output.split()]
    spans = receiver.wait(lambda spans: len(spans) >= 3)
    assert sorted(span.resource["process.pid"] for span in spans) == sorted(pids)
    assert len({span.resource["service.instance.id"] for span in spans}) == 3


def test_a_program_started_by_the_program_is_seen(start, receiver):
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {QUERY!r}], check=True)"
    program = start(PYTHON, "-c", code)
    program.process.communicate(timeout=60)

    assert receiver.wait(lambda spans: len(spans) >= 1)[0].name == "SELECT"


def test_the_program_takes_the_place_of_sonde(start):
    program = start(PYTHON, "-c", "import os, sys; print(os.getpid(), sys.argv[1:]); sys.exit(7)", "a b", "--flag")
    output, _ = program.process.communicate(timeout=60)

    assert output == f"{program.process.pid} ['a b', '--flag']\n"
    assert program.process.returncode == 7


def test_the_resource_says_who_the_process_is(start, receiver):
    program = start(
        PYTHON,
        "-c",
        QUERY,
        flags=("--service", "orders"),
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment=test,service.name=other,team=a%20b",
    )
    program.process.communicate(timeout=60)

    resource = receiver.wait(lambda spans: len(spans) >= 1)[0].resource
    assert resource["service.name"] == "orders"
    assert resource["service.instance.id"].startswith(f"{os.uname().nodename}:{program.process.pid}-")
    assert resource["host.name"] == os.uname().nodename
    assert resource["process.pid"] == program.process.pid
    assert resource["process.command"] == "python"
    assert resource["process.runtime.name"] == "cpython"
    assert resource["telemetry.sdk.name"] == "sonde"
    assert resource["telemetry.sdk.language"] == "python"
    assert resource["team"] == "a b"
    assert resource["deployment.environment"] == "test"


@pytest.mark.parametrize(
    ("command", "name"),
    [(["script.py"], "script.py"), (["-m", "module"], "module"), (["-X", "utf8", "script.py"], "script.py")],
)
def test_a_program_without_a_name_is_called_what_was_started(start, receiver, tmp_path, command, name):
    (tmp_path / "script.py").write_text(QUERY)
    (tmp_path / "module.py").write_text(QUERY)
    program = start("env", "-C", str(tmp_path), PYTHON, *command)
    assert program.process.wait(60) == 0

    assert receiver.wait(lambda spans: len(spans) >= 1)[0].resource["service.name"] == name


def test_the_users_own_sitecustomize_runs_too(start, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import builtins; builtins.MINE = __file__")
    program = start(PYTHON, "-c", "import sitecustomize; print(MINE, sitecustomize.__file__)", PYTHONPATH=str(tmp_path))
    output, error = program.process.communicate(timeout=60)

    mine = str(tmp_path / "sitecustomize.py")
    assert (output.split(), error) == ([mine, mine], "")


def test_the_programs_path_is_what_it_would_be_without_us(start):
    code = """if True:
        import json, os, sys
        folder = os.environ["PYTHONPATH"].split(os.pathsep)[0]
        names = {"opentelemetry", "asyncio"} & sys.modules.keys()
        print(json.dumps([os.listdir(folder), sorted(names), folder in sys.path]))
    """
    output, _ = start(PYTHON, "-c", code).process.communicate(timeout=60)

    files, loaded, in_path = json.loads(output)
    assert set(files) <= {"sitecustomize.py", "__pycache__"}
    assert loaded == []
    assert not in_path


def test_a_program_in_an_environment_without_sonde_is_seen(start, receiver, tmp_path):
    """Sonde is loaded from where `sonde run` is, and nothing else of that place becomes importable."""
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    code = textwrap.dedent(f"""
        {QUERY}
        try:
            import flask
        except ImportError:
            print("no flask here")
        import sonde
        print(sonde.current_trace_id())
    """)
    program = start(str(tmp_path / "venv/bin/python"), "-c", code)
    output, error = program.process.communicate(timeout=60)

    assert (output, error) == ("no flask here\nNone\n", "")
    assert receiver.wait(lambda spans: len(spans) >= 1)[0].name == "SELECT"


def test_a_probe_that_cannot_start_costs_one_line(start):
    program = start(PYTHON, "-c", "print('runs')", SONDE_RING_BYTES="many", SONDE_DEBUG="0")
    output, error = program.process.communicate(timeout=60)

    assert output == "runs\n"
    assert error == "sonde: the probe is off: ring_bytes: SONDE_RING_BYTES says 'many', which is no int\n"


def test_multiprocessings_bookkeeper_is_left_alone(start, receiver):
    code = """
        import multiprocessing as m
        if __name__ == "__main__":
            from multiprocessing import resource_tracker
            resource_tracker.ensure_running()
            print(resource_tracker._resource_tracker._pid)
    """
    output, error = start(PYTHON, "-c", textwrap.dedent(code)).process.communicate(timeout=60)

    assert error == ""
    assert int(output) not in {hello["pid"] for hello in receiver.hellos}


def test_without_an_agent_the_program_runs_as_if_nothing_were_there(tmp_path):
    answer = run("--socket", str(tmp_path / "no.sock"), "--no-agent", "--", PYTHON, "-c", QUERY + "; print('ran')")

    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "ran\n", "")


def test_an_agent_is_started_where_none_listens(tmp_path):
    """The real one; it ends after the program."""
    path = str(tmp_path / "a.sock")
    answer = run("--socket", path, "--", PYTHON, "-c", QUERY + "; print('ran')", SONDE_QUEUE_DIR=str(tmp_path / "q"))

    assert (answer.returncode, answer.stdout) == (0, "ran\n")


def test_an_agent_that_cannot_start_costs_one_line(tmp_path):
    answer = run("--socket", "/proc/no/such.sock", "--", PYTHON, "-c", "print('ran')")

    assert (answer.returncode, answer.stdout) == (0, "ran\n")
    assert answer.stderr.count("sonde run: the agent ") == 1  # ended, or on a slow machine: does not listen yet


def test_a_server_of_ones_own_means_an_agent_of_ones_own_in_a_private_folder(tmp_path):
    code = (
        "import os, json; p = os.environ['SONDE_SOCKET']; print(json.dumps([p, os.stat(os.path.dirname(p)).st_mode]))"
    )
    answer = run(
        "--server",
        "http://127.0.0.1:9",
        "--token",
        "secret",
        "--",
        PYTHON,
        "-c",
        code,
        XDG_RUNTIME_DIR=str(tmp_path),
        SONDE_QUEUE_DIR=str(tmp_path / "q"),
    )

    path, mode = json.loads(answer.stdout)
    assert path.startswith(f"{tmp_path}/sonde-")
    assert path != default_agent_socket()
    assert stat.S_IMODE(mode) == 0o700


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--", "no-such-program"], 127, "sonde run: no-such-program: not found"),
        (["--", __file__], 126, f"sonde run: {__file__}: Permission denied"),
        ([], 1, "sonde run: no program: sonde run [--service NAME] -- python app.py"),
    ],
)
def test_what_cannot_be_run_is_said_in_one_line(arguments, code, message):
    answer = run("--no-agent", *arguments)

    assert (answer.returncode, answer.stderr.strip()) == (code, message)


def test_options_of_the_program_are_the_programs():
    answer = run("--no-agent", "--service", "a", PYTHON, "-c", "import sys; print(sys.argv)", "--socket", "x", "-v")

    assert answer.stdout == "['-c', '--socket', 'x', '-v']\n"
