"""Children are started again, stopped in order, and never left behind."""

import os
import signal

from supervision_harness import eventually, is_alive

from sonde.server.supervision.child import FIRST_PAUSE_S, LONGEST_PAUSE_S, STEADY_S, Child

SERVE = "ready(); signal.pause()"
STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN); ready()\nwhile True: time.sleep(60)"


def test_a_killed_child_is_started_again_and_the_other_is_left_alone(supervise):
    server = supervise({"store": SERVE, "web": SERVE})
    store, web = server.wait_for("store"), server.wait_for("web")

    for starts in (2, 3):
        os.kill(store, signal.SIGKILL)
        store = server.wait_for("store", starts)

    assert server.starts("web") == [web]
    assert is_alive(web)


def test_a_stop_signal_ends_the_last_child_first(supervise, tmp_path):
    leave = "signal.signal(signal.SIGTERM, lambda *_: (note('order').write({0!r} + '\\n'), sys.exit(0))); ready()\n"
    leave += "while True: time.sleep(60)"
    server = supervise({name: leave.format(name) for name in ("store", "web")})
    assert {server.process.stdout.readline() for _ in range(2)} == {"store is ready\n", "web is ready\n"}

    code, _ = server.end()

    assert code == 0
    assert (tmp_path / "order").read_text().split() == ["web", "store"]
    assert server.alive() == []


def test_a_child_that_does_not_stop_is_killed(supervise):
    server = supervise({"web": STUBBORN}, stop_within_s=0.2)
    assert "ready" in server.process.stdout.readline()

    code, errors = server.end()

    assert code == 0
    assert "did not stop in time" in errors
    assert server.alive() == []


def test_a_second_stop_signal_does_not_wait(supervise):
    server = supervise({"web": STUBBORN}, stop_within_s=3600)
    assert "ready" in server.process.stdout.readline()

    server.process.send_signal(signal.SIGINT)
    eventually(lambda: server.process.send_signal(signal.SIGINT) or server.process.poll() is not None, "it is over")

    assert server.alive() == []


def test_no_child_outlives_a_supervisor_that_was_killed(supervise):
    server = supervise({"store": STUBBORN, "web": STUBBORN})
    for name in ("store", "web"):
        server.wait_for(name)

    server.process.kill()

    eventually(lambda: not server.alive(), "every child is gone")


def test_a_child_that_never_comes_up_ends_the_server(supervise):
    server = supervise({"store": SERVE, "web": "sys.exit('no such folder')"})

    _, errors = server.process.communicate(timeout=20)

    assert server.process.returncode == 1
    assert "the web process does not come up" in errors
    assert "no such folder" in errors
    assert server.alive() == []


def test_a_child_that_was_up_once_is_tried_for_ever(supervise, tmp_path):
    once = "import pathlib; first = not pathlib.Path({0!r}).exists(); pathlib.Path({0!r}).touch()\n"
    once += "first and ready()\nsys.exit(3)"
    server = supervise({"web": once.format(str(tmp_path / "was-here"))})

    server.wait_for("web", starts=7)

    assert server.process.poll() is None


def failing(child, lived_s, *, ready):
    child.ready, child._started_at_s = ready, 100.0
    child.schedule_restart(100.0 + lived_s)
    return round(child.restart_at_s - 100.0 - lived_s, 3)


def test_the_pause_grows_with_each_failure_and_starts_anew_after_a_good_while():
    child = Child("web", [], {}, 1.0)

    pauses = [failing(child, 0.1, ready=True) for _ in range(9)]

    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert pauses[-1] == LONGEST_PAUSE_S
    assert failing(child, STEADY_S, ready=False) == LONGEST_PAUSE_S, "it lived long, and never served"
    assert failing(child, STEADY_S, ready=True) == FIRST_PAUSE_S
