"""`sonde doctor`: of each process it says whether it is seen and, if not, why; nothing of the command is left."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import APPS, DEADLINE_S, environment
from sonde.cli.checkup import processes
from sonde.cli.checkup.findings import interpreter_flags, is_static
from sonde.cli.checkup.outcome import Outcome
from sonde.cli.checkup.page import Page

PYTHON = sys.executable


def gunicorn(port, *flags, app="flask_app:app"):
    return (PYTHON, "-m", "gunicorn.app.wsgiapp", "-w", "2", "-b", f"127.0.0.1:{port}", *flags, app)


class Doctor:
    """A `sonde doctor` that is run, and the processes that it left behind."""

    def __init__(self, tmp_path):
        self._tmp_path = tmp_path

    def start(self, *arguments, cwd=APPS, **more):
        # What its command and that one's children have in their environments, so that they can be found.
        self.mark = f"{os.getpid()}-{time.monotonic_ns()}"
        return subprocess.Popen(
            [PYTHON, "-m", "sonde", "doctor", *arguments],
            cwd=cwd,
            env=environment(TMPDIR=str(self._tmp_path), DOCTOR_TEST=self.mark, **more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments, **more):
        process = self.start(*arguments, **more)
        output, error = process.communicate(timeout=60)
        self.check_nothing_left()
        return process.returncode, output, error

    def findings(self, *arguments, code=0, **more):
        """What it prints as JSON, once it has ended with `code`."""
        returned, output, error = self.run("--json", *arguments, **more)
        assert returned == code, output + error
        return json.loads(output)

    def check_nothing_left(self):
        until = time.monotonic() + 10  # what is killed takes a moment to go, on a busy machine
        while (left := list(marked(self.mark))) and time.monotonic() < until:
            time.sleep(0.05)
        assert left == []
        assert list(self._tmp_path.glob("sonde-doctor-*")) == []


def marked(mark):
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if f"DOCTOR_TEST={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    yield (folder / "cmdline").read_text()
            except OSError:
                continue


@pytest.fixture
def doctor(tmp_path_factory):
    # Short, as the path of a socket has to be.
    return Doctor(tmp_path_factory.mktemp("d"))


def row(process, library):
    return next(row for row in process["rows"] if row["library"] == library)


def served(found):
    return [process for process in found["processes"] if process["requests"]]


def test_both_of_gunicorns_workers_are_proven(doctor, port):
    found = doctor.findings("--", *gunicorn(port))

    parent, *workers = found["processes"]
    assert parent["made"] == "the command"
    assert [(worker["made"], worker["parent"]) for worker in workers] == [
        (f"forked by {parent['pid']}", parent["pid"])
    ] * 2
    assert served(found) == workers
    for worker in workers:
        assert worker["spans"] == {"server": worker["requests"], "client": worker["requests"]}
        assert {line["library"] for line in worker["rows"] if line["seen"]} >= {"gunicorn", "flask", "sqlite3"}
        idle = row(worker, "werkzeug")
        assert (idle["seen"], idle["cause"], idle["signal"]) == (False, "no call", "requests")
        assert "redis" in worker["not_imported"]
    assert sum(worker["requests"] for worker in workers) == len(found["requests"]) >= 10
    assert found["missing"] == []


def test_both_of_uvicorns_workers_are_proven(doctor, port):
    found = doctor.findings(
        "--requests", "2", "--", PYTHON, "-m", "uvicorn", "--workers", "2", "--port", str(port), "fastapi_app:app"
    )

    parent = found["processes"][0]
    workers = served(found)
    assert [worker["made"] for worker in workers] == [f"spawned by {parent['pid']}"] * 2
    assert all(row(worker, "uvicorn")["seen"] and row(worker, "fastapi")["seen"] for worker in workers)


def test_the_text_has_a_table_for_each_process_and_no_colours_in_a_file(doctor, port):
    code, output, error = doctor.run("--", *gunicorn(port), COLUMNS="72")

    assert (code, error) == (0, "")
    assert output.count("gunicorn") > 3
    assert "✓ Everyone who answered is seen: 2 processes." in output
    assert "\x1b" not in output
    assert max(map(len, output.splitlines())) <= 72


def test_a_terminal_gets_colours(doctor, tmp_path):
    master, slave = pty.openpty()
    try:
        subprocess.run(
            [PYTHON, "-m", "sonde", "doctor", "--no-requests", "--", PYTHON, "-c", "import sqlite3"],
            env=environment(TMPDIR=str(tmp_path), TERM="xterm"),
            stdout=slave,
            timeout=60,
            check=False,
        )
        assert b"\x1b[32m" in os.read(master, 1 << 16)
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("no-such-program",), "no-such-program: No such file or directory"),
        (("{PYTHON}", "-c", "raise SystemExit(3)"), "the command ended with code 3 before it served anything"),
    ],
)
def test_a_command_that_cannot_start_is_code_2(doctor, command, said):
    found = doctor.findings("--", *(word.format(PYTHON=PYTHON) for word in command), code=2)

    assert found["missing"] == [said]
    assert found["summary"] == "the command could not be started"


def test_a_server_that_fails_to_start_shows_its_last_words(doctor, port):
    code, output, error = doctor.run("--", *gunicorn(port, app="no_such_module:app"))

    assert code == 2
    assert "before it served anything" in output
    assert "Worker failed to boot" in error


def test_a_process_that_leaves_out_the_environment_has_no_probe_and_is_told_how_to_get_one(doctor, port):
    found = doctor.findings("--", PYTHON, "-I", "-m", "http.server", "-b", "127.0.0.1", str(port), code=1)

    (process,) = found["processes"]
    assert process["probe"] == "none"
    assert process["why"] == "`python -I` leaves out PYTHONPATH, by which the probe is started"
    assert process["mend"] == "start it without -I, or call `sonde.start()` first thing in the program"
    assert found["missing"] == [f"{process['pid']}: it answered 10 requests and has no probe: {process['why']}"]


@pytest.mark.parametrize(
    ("flags", "given", "why"),
    [
        (("-S",), {}, "`python -S` leaves out `site`, by which the probe is started"),
        (("-sE",), {}, "`python -E` leaves out PYTHONPATH, by which the probe is started"),
        ((), {"PYTHONPATH": ".."}, "its PYTHONPATH was replaced"),
        ((), None, "its environment was cleared: there is no PYTHONPATH, SONDE_ENABLED, SONDE_SOCKET"),
        ((), {"SONDE_ENABLED": "0"}, "SONDE_ENABLED switches it off"),
    ],
)
def test_a_child_without_a_probe_is_told_apart_by_its_reason(doctor, flags, given, why):
    child = [PYTHON, *flags, "-c", "import time; time.sleep(60)"]
    code = f"""if True:
        import os, subprocess
        given, mark = {given!r}, {{"DOCTOR_TEST": os.environ["DOCTOR_TEST"]}}
        subprocess.run({child!r}, env=mark if given is None else {{**os.environ, **given}})
    """
    found = doctor.findings("--no-requests", "--wait", "0.6", "--", PYTHON, "-c", code, code=1)

    parent, process = found["processes"]
    assert (parent["probe"], process["probe"], process["why"]) == ("running", "none", why)
    assert process["made"] == f"started by {parent['pid']}"


def test_a_library_of_an_unsupported_version_is_named_with_those_that_are(doctor, tmp_path, port):
    """The library is a stand-in: what is looked at is the version that was installed."""
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "__init__.py").write_text("from redis import client")
    (tmp_path / "redis" / "client.py").write_text("class Redis:\n def execute_command(self): pass")
    (tmp_path / "redis-2.10.6.dist-info").mkdir()
    (tmp_path / "site_app.py").write_text("import redis\nfrom flask_app import app")
    found = doctor.findings(
        "--", *gunicorn(port, app="site_app:app"), PYTHONPATH=f"{tmp_path}{os.pathsep}{APPS}", code=1
    )

    for worker in served(found):
        refused = row(worker, "redis")
        assert (refused["seen"], refused["cause"], refused["version"]) == (False, "refused", "2.10.6")
        assert refused["why"].startswith("redis 2.10.6 is not among >=")
        assert "install a version that is supported" in refused["mend"]
        assert worker["missing"] == [f"redis is not seen: {refused['why']}"]


def test_a_plugin_that_the_user_switched_off_is_no_fault(doctor, port):
    found = doctor.findings("--", *gunicorn(port), SONDE_PLUGINS_OFF="sqlite3")

    for worker in served(found):
        assert row(worker, "sqlite3")["cause"] == "off"
        assert worker["spans"] == {"server": worker["requests"]}


def test_a_server_that_is_unknown_is_missing_and_said_to_be_unknown(doctor, port):
    found = doctor.findings("--", PYTHON, "-m", "http.server", "-b", "127.0.0.1", str(port), code=1)

    assert found["missing"][0].endswith("none is seen: its server and its framework are none that Sonde knows")


def test_a_probe_that_did_not_start_says_why(doctor, port):
    found = doctor.findings("--", *gunicorn(port), SONDE_RING_BYTES="many", code=1)

    assert {process["probe"] for process in found["processes"]} == {"off"}
    assert all("SONDE_RING_BYTES says 'many'" in process["why"] for process in found["processes"])


def test_what_was_imported_before_the_probe_is_said(doctor, tmp_path):
    """As by a .pth file, which Python runs before it gets to us."""
    environment_of_its_own = tmp_path / "venv"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", str(environment_of_its_own)], check=True)
    (site,) = environment_of_its_own.glob("lib/python*/site-packages")
    (site / "early.pth").write_text("import sqlite3\n")
    found = doctor.findings("--no-requests", "--", str(environment_of_its_own / "bin" / "python"), "-c", "1")

    (process,) = found["processes"]
    assert "imported before the probe started" in row(process, "sqlite3")["why"]


def test_processes_that_end_without_python_knowing_are_known_all_the_same(doctor):
    code = """if True:
        import os, signal, sqlite3, time
        for end in (lambda: os._exit(0), lambda: os.kill(os.getpid(), signal.SIGKILL)):
            if (pid := os.fork()) == 0:
                sqlite3.connect(":memory:").execute("select 1")
                time.sleep(0.5)  # longer than the sender's pause
                end()
            os.waitpid(pid, 0)
    """
    found = doctor.findings("--no-requests", "--", PYTHON, "-c", code)

    parent, *children = found["processes"]
    assert [child["made"] for child in children] == [f"forked by {parent['pid']}"] * 2
    assert all(row(child, "sqlite3")["seen"] for child in children)
    assert row(parent, "sqlite3")["cause"] == "no call"


def test_paths_are_asked_in_turn_and_an_address_can_be_given(doctor, port):
    found = doctor.findings(
        "--url", f"http://localhost:{port}", "--request", "/", "--request", "/none", "--requests", "4", "--",
        *gunicorn(port),
    )  # fmt: skip

    assert {(made["path"], made["status"]) for made in found["requests"]} == {("/", 200), ("/none", 404)}


def test_a_server_with_a_certificate_is_asked_by_https(doctor, port, tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("no openssl, which makes the certificate")
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    command = gunicorn(port, "--keyfile", str(key), "--certfile", str(certificate))
    found = doctor.findings("--url", f"https://127.0.0.1:{port}/", "--", *command)

    assert {made["status"] for made in found["requests"]} == {200}


def test_a_program_that_does_not_listen_is_told_of_the_way_without_requests(doctor):
    found = doctor.findings("--wait", "0.5", "--", PYTHON, "-c", "import time; time.sleep(60)", code=1)

    assert found["missing"] == [
        "no process listens at a TCP port; say where by --url, or --no-requests for a command without HTTP"
    ]


def test_a_process_whose_first_thread_has_ended_is_still_one(doctor):
    code = """if True:
        import ctypes, signal, threading, time
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
        threading.Thread(target=time.sleep, args=(60,)).start()
        ctypes.CDLL(None).pthread_exit(None)
    """
    found = doctor.findings("--no-requests", "--wait", "0.6", "--", PYTHON, "-c", code)

    assert any("was killed" in note for note in found["notes"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_the_command_and_says_what_is_known_so_far(doctor, number):
    code = "import os, time; os.fork(); os.setsid() if os.fork() == 0 else None; time.sleep(60)"
    process = doctor.start("--no-requests", "--wait", "50", "--", PYTHON, "-c", code)
    deadline = time.monotonic() + DEADLINE_S
    while sum("time.sleep" in line for line in marked(doctor.mark)) < 5:  # the doctor itself is among them
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.2)
    process.send_signal(number)
    output, error = process.communicate(timeout=DEADLINE_S)

    assert (process.returncode, error) == (130, "")
    assert "interrupted: what follows is as far as it went" in output
    doctor.check_nothing_left()


def test_a_process_that_was_made_while_its_parent_ended_is_found(monkeypatch):
    """The list of /proc has the parent, which ends before it is looked at, and not yet the child."""
    me, pid, child = os.getpid(), 4_194_000, 4_194_001
    running = processes._Status("S", me, pid, 1, 7)
    looks = [{}, {pid: running}, {}, {child: running._replace(session=child, born=8)}]
    monkeypatch.setattr(processes, "_statuses", lambda: looks.pop(0).items())
    watched = processes.Processes()
    watched.root = pid

    watched.look()
    watched.look()

    assert watched.alive() == [child]


def test_a_daemon_is_found_and_killed_where_it_does_not_end_by_sigterm(doctor):
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
    daemon = f"import os; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); {code}"
    found = doctor.findings("--no-requests", "--wait", "1", "--", PYTHON, "-c", daemon)

    assert any("was killed" in note for note in found["notes"])
    assert found["processes"][-1]["made"].startswith("forked by ")


@pytest.mark.parametrize("arguments", [(), ("--url", "ftp://x", "--", "true")])
def test_what_cannot_be_done_is_said_in_one_line(doctor, arguments):
    code, output, error = doctor.run(*arguments)

    assert (code, output, error.count("\n")) == (2, "", 1)
    assert error.startswith("sonde doctor: ")


@pytest.mark.parametrize(
    ("command", "letters"),
    [
        ("python -I app.py", "I"),
        ("python -sE -m app -I", "sEm"),
        ("python -W error -X dev app.py -S", "WX"),
        ("python -Werror -bb -c code", "Wbbc"),
        ("python app.py -I", ""),
        ("python --version", ""),
    ],
)
def test_pythons_own_options_are_told_from_the_programs(command, letters):
    assert interpreter_flags(command.split()) == letters


def test_a_program_with_a_dynamic_linker_is_not_static(tmp_path):
    assert not is_static(os.path.realpath(PYTHON))
    assert not is_static(str(tmp_path))
    head = bytearray(120)
    head[:6] = b"\x7fELF\x02\x01"
    head[32:40] = (64).to_bytes(8, "little")
    head[54:58] = b"\x38\0\x01\0"
    head[64] = 1  # one segment, which is loaded and no more
    (tmp_path / "static").write_bytes(head)
    assert is_static(str(tmp_path / "static"))


def test_a_narrow_terminal_gets_narrow_lines():
    outcome = Outcome(["a" * 30, "b" * 30], missing=["word " * 30])

    assert max(map(len, Page(20, colour=False).text(outcome).splitlines())) <= 40
