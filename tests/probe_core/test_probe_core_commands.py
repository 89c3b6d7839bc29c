"""The agent's commands: heard at once, by whatever process, and never in the sender's way."""

import json
import os
import subprocess
import sysconfig
import threading
import time
from pathlib import Path

import pytest
from probe_core_harness import poll

from sonde.wire.frames import MAX_SETTINGS_BYTES, Kind

SOON_S = 5
"""Far below what it would take to be heard by chance, far above what a busy machine needs."""


def command(**members):
    return json.dumps({"id": "1", **members}).encode()


@pytest.fixture
def heard(sending):
    """The commands that `sending` has handed to Python."""
    payloads = []
    sending.on_command(payloads.append)
    yield payloads
    sending.on_command(None)


def meet(core):
    """Have the sender make its connection."""
    core.leaf(core.operation("op", core.INTERNAL)).finish()
    assert core.flush(10)


def threads_of(pid):
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def test_an_idle_process_hears_a_command_at_once(sending, heard, agent):
    meet(sending)
    asleep = threading.Event()
    assert not asleep.wait(0.3)  # sixty intervals: by now the sender sleeps
    for number in range(3):
        agent.say(Kind.COMMAND, command(number=number))
        poll(lambda number=number: len(heard) == number + 1, SOON_S)
    assert [json.loads(payload)["number"] for payload in heard] == [0, 1, 2]


def test_a_busy_process_hears_a_command_within_its_flush_interval(core, agent):
    core.stop(0)
    core.start({}, agent.path, hello={}, flush_interval_ms=60_000)
    heard, stop = [], threading.Event()
    core.on_command(heard.append)

    def busy():
        op = core.operation("busy", core.INTERNAL)
        while not stop.is_set():
            core.leaf(op).finish()

    thread = threading.Thread(target=busy)
    meet(core)
    thread.start()
    agent.say(Kind.COMMAND, command())
    try:
        poll(lambda: heard == [command()], SOON_S)
    finally:  # else it keeps every test after this one from its processor
        stop.set()
        thread.join()
    core.on_command(None)
    core.stop(1)


def test_settings_are_heard_at_once(sending, agent):
    heard = []

    def tick(_wait_ns, _whole, said):
        heard.extend(said)
        return ()

    sending.on_tick(tick, 1000.0)
    meet(sending)
    agent.say(Kind.SETTINGS, b"{}")
    poll(lambda: heard == [(Kind.SETTINGS, b"{}")], SOON_S)
    sending.on_tick(None)


def test_a_command_that_nobody_hears_yet_waits(sending, agent):
    meet(sending)
    agent.say(Kind.COMMAND, command())
    heard = []
    sending.on_command(heard.append)
    meet(sending)
    poll(lambda: heard == [command()], SOON_S)
    sending.on_command(None)


def test_a_command_to_a_probe_that_was_stopped_is_not_for_the_next_one(sending, agent):
    meet(sending)
    agent.say(Kind.COMMAND, command())
    sending.stop(1)
    heard = []
    sending.on_command(heard.append)
    sending.start({}, agent.path, hello={}, flush_interval_ms=5)
    meet(sending)
    poll(lambda: len(agent.connections) == 2)
    agent.say(Kind.COMMAND, command(second=True))
    poll(lambda: heard, SOON_S)
    assert heard == [command(second=True)]
    sending.on_command(None)


def test_what_hears_commands_is_a_function_or_none(core):
    with pytest.raises(TypeError):
        core.on_command("no function")


def test_the_agents_path_is_known_while_it_runs(sending, agent):
    assert sending.agent_path() == agent.path
    sending.stop(1)
    assert sending.agent_path() == ""


def test_a_fault_of_who_hears_is_counted_and_ends_nothing(sending, agent):
    heard = []

    def fail_once(payload):
        heard.append(payload)
        if len(heard) == 1:
            raise KeyError(payload)

    sending.on_command(fail_once)
    before = sending.counters()["internal_errors"]
    meet(sending)
    agent.say(Kind.COMMAND, command())
    poll(lambda: sending.counters()["internal_errors"] == before + 1, SOON_S)
    agent.say(Kind.COMMAND, command())
    poll(lambda: len(heard) == 2, SOON_S)
    sending.on_command(None)


def test_the_longest_command_is_heard_and_a_longer_one_ends_the_connection(sending, heard, agent):
    meet(sending)
    longest = b"x" * MAX_SETTINGS_BYTES
    agent.say(Kind.COMMAND, longest)
    poll(lambda: heard == [longest], SOON_S)
    agent.say(Kind.COMMAND, longest + b"x")
    check_reconnects(sending, heard, agent)


def test_garbage_ends_the_connection_and_nothing_else(sending, heard, agent):
    meet(sending)
    agent.say_bytes(os.urandom(100))
    check_reconnects(sending, heard, agent)


def check_reconnects(core, heard, agent):
    before = len(heard)
    poll(lambda: (meet(core), len(agent.connections) == 2)[1])
    agent.say(Kind.COMMAND, command())
    poll(lambda: len(heard) == before + 1, SOON_S)


def test_a_command_in_pieces_is_heard_as_one(sending, heard, agent):
    meet(sending)
    payload = command(text="x" * 100)
    for byte in b"SD\x01\x07" + len(payload).to_bytes(4, "little") + payload:
        agent.say_bytes(bytes([byte]))
    poll(lambda: heard == [payload], SOON_S)


def test_pythons_part_has_a_thread_only_while_there_is_some(begun, agent):
    process = begun("""
        start()
        core.on_command(lambda payload: time.sleep(0.2))
        span("op")
        assert core.flush(10)
        print("ready", flush=True)
        sys.stdin.readline()
    """)
    process.stdout.readline()
    assert threads_of(process.pid) == 2
    for _ in range(3):
        agent.say(Kind.COMMAND, command())
    poll(lambda: threads_of(process.pid) == 3)
    poll(lambda: threads_of(process.pid) == 2)


STUCK = """
    import ctypes
    start(flush_interval_ms=300)
    heard = []
    core.on_command(heard.append)
    core.on_tick(lambda *_: (), 0.05)
    span("before")
    assert core.flush(10)
    print("ready", flush=True)
    sys.stdin.readline()
    span("last")
    ctypes.PyDLL(None).usleep(900_000)  # with the GIL
    ctypes.PyDLL(None).usleep(900_000)
    ctypes.PyDLL(None).usleep(900_000)
    print("awake", flush=True)
    sys.stdin.readline()
    print(len(heard), flush=True)
"""


def test_a_stuck_interpreter_keeps_the_native_sender_from_nothing(begun, agent, core):
    """The twin's sender is Python's: there, nothing goes until the interpreter goes on."""
    process = begun(STUCK)
    process.stdout.readline()
    process.stdin.write("\n")
    process.stdin.flush()
    if "twin" not in core.__name__:
        poll(lambda: [span.name for span in agent.spans()] == ["before", "last"], 2)
    for _ in range(5):
        agent.say(Kind.COMMAND, command())
        time.sleep(0.05)
        assert threads_of(process.pid) <= 3
    assert process.stdout.readline() == "awake\n"
    poll(lambda: [span.name for span in agent.spans()] == ["before", "last"])
    time.sleep(0.3)
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "5\n"


@pytest.fixture
def hook(tmp_path, core):
    """A library that answers `stacks` without the GIL, the way native/tools does."""
    if "twin" in core.__name__:
        pytest.skip("the twin's sender is Python's: it has nobody to ask who does without")
    source = tmp_path / "hook.c"
    source.write_text(HOOK)
    library = tmp_path / "hook.so"
    compiler = sysconfig.get_config_var("CC").split()[0]
    native = Path(__file__).parents[2] / "native" / "sending"
    subprocess.run([compiler, "-shared", "-fPIC", "-Wall", "-Werror", f"-I{native}", "-o", library, source], check=True)
    return str(library)


HOOK = r"""
#include "commands.h"
#include <stdio.h>
#include <string.h>

static const Commands *core;

static bool answers(const uint8_t *json, size_t size) {
    char id[65], text[256];
    if (!core->text_of(json, size, "id", id, sizeof id))
        return false;
    int length = snprintf(text, sizeof text, "{\"id\":\"%s\",\"event\":\"result\"}", id);
    core->say(FRAME_REPLY, text, (size_t)length);
    return true;
}

void begin(const Commands *given) {
    core = given;
    core->answer_by(answers);
}

void end(void) {
    core->answer_by(NULL);
}
"""

HOOKED = """
    import ctypes
    pointer = ctypes.pythonapi.PyCapsule_Import
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int]
    library = ctypes.CDLL({hook!r})
    library.begin.argtypes = [ctypes.c_void_p]
    library.begin(pointer(b"sonde.probe.core._core._commands", 0))
"""


def test_stacks_are_answered_while_the_interpreter_is_stuck(begun, agent, hook):
    process = begun(HOOKED.format(hook=hook) + STUCK)
    process.stdout.readline()
    process.stdin.write("\n")
    process.stdin.flush()
    poll(lambda: [span.name for span in agent.spans()] == ["before", "last"], 2)  # now it is stuck
    agent.say(Kind.COMMAND, command(do="start", tool="stacks"))
    poll(lambda: agent.frames(Kind.REPLY) == [b'{"id":"1","event":"result"}'], 1)
    assert process.stdout.readline() == "awake\n"


@pytest.mark.parametrize(
    ("payload", "native"),
    [
        (b'{"id":"a-1","do":"start","tool":"stacks"}', True),
        (
            b' { "tool" : "stacks" , "options" : {"do":"x","a":["}",1,"\\""]}, "seconds": 1, "id":"a-1", "do":"start"}',
            True,
        ),
        (b'{"id":"a-1","do":"start","tool":"cpu"}', False),
        (b'{"id":"a-1","do":"stop","tool":"stacks"}', False),
        (b'{"id":"a-1","options":{"do":"start","tool":"stacks"}}', False),
        (b'{"id":"a-1","do":"st\\u0061rt","tool":"stacks"}', False),
        (b'{"do":"start","tool":"stacks"}', False),
        (b'{"id":1,"do":"start","tool":"stacks"}', False),
        (b'["do","start","tool","stacks"]', False),
        (b'{"id":"a-1","do":"start","tool":"stacks', False),
        (b'{"id":"a-1","do":"start","x":"\\', False),
        (b'{"id":"a-1","x":{{{{', False),
        (b"", False),
    ],
)
def test_only_a_start_of_stacks_is_answered_natively(begun, agent, hook, payload, native):
    process = begun(
        HOOKED.format(hook=hook)
        + """
    start()
    core.on_command(lambda payload: print(payload, flush=True))
    span("op")
    assert core.flush(10)
    print("ready", flush=True)
    sys.stdin.readline()
    """
    )
    process.stdout.readline()
    agent.say(Kind.COMMAND, payload)
    if native:
        poll(lambda: agent.frames(Kind.REPLY) == [b'{"id":"a-1","event":"result"}'], SOON_S)
    else:
        assert process.stdout.readline() == f"{payload}\n"


def test_a_fork_during_a_command_leaves_both_sides_hearing(begun, agent):
    process = begun("""
        import warnings
        warnings.simplefilter("error")
        start()
        def hear(payload):
            os.write(1, f"{os.getpid() == parent} {payload.decode()}\\n".encode())
            time.sleep(0.3)
        parent = os.getpid()
        core.on_command(hear)
        span("parent")
        assert core.flush(10)
        print("ready", flush=True)
        sys.stdin.readline()
        child = os.fork()
        span("child" if child == 0 else "parent")
        assert core.flush(10)
        if child == 0:
            sys.stdin.readline()
            os._exit(0)
        print("forked", flush=True)
        os.waitpid(child, 0)
    """)
    process.stdout.readline()
    agent.say(Kind.COMMAND, b"first")
    assert process.stdout.readline() == "True first\n"
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "forked\n"
    poll(lambda: len(agent.connections) == 2)
    agent.say(Kind.COMMAND, b"second")
    assert sorted([process.stdout.readline(), process.stdout.readline()]) == ["False second\n", "True second\n"]
    process.stdin.close()
    assert process.wait(20) == 0
    assert process.stderr.read() == ""


def test_a_command_may_fork(begun, agent):
    process = begun("""
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # it is a thread that forks
        start()
        def hear(payload):
            child = os.fork()
            if child == 0:
                span("child")
                os._exit(0 if core.flush(10) else 1)
            print(os.waitpid(child, 0)[1], flush=True)
        core.on_command(hear)
        span("parent")
        assert core.flush(10)
        print("ready", flush=True)
        sys.stdin.readline()
    """)
    process.stdout.readline()
    for _ in range(2):
        agent.say(Kind.COMMAND, command())
        assert process.stdout.readline() == "0\n"
    poll(lambda: sorted(span.name for span in agent.spans()) == ["child", "child", "parent"])


@pytest.mark.parametrize(
    "busy_with", ["time.sleep(30)", "[None for _ in iter(int, 1)]", "__import__('ctypes').PyDLL(None).usleep(300_000)"]
)
def test_the_interpreter_ends_in_the_middle_of_a_command(begun, agent, busy_with):
    process = begun(f"""
        start(exit_flush_ms=200)
        def hear(payload):
            print("begun", flush=True)
            {busy_with}
        core.on_command(hear)
        span("op")
        assert core.flush(10)
        print("ready", flush=True)
        sys.stdin.readline()
    """)
    process.stdout.readline()
    agent.say(Kind.COMMAND, command())
    assert process.stdout.readline() == "begun\n"
    process.stdin.close()
    assert process.wait(10) == 0
    assert process.stderr.read() == ""


def test_a_command_that_comes_while_the_interpreter_ends_harms_nothing(begun, agent):
    for _ in range(5):
        process = begun("""
            start()
            core.on_command(lambda payload: sum(range(1000)))
            core.on_tick(lambda *_: (), 0.001)
            span("op")
            assert core.flush(10)
            print("ready", flush=True)
        """)
        process.stdout.readline()
        for _ in range(200):
            if process.poll() is not None:
                break
            agent.say(Kind.COMMAND, command())
        assert process.wait(20) == 0
        assert process.stderr.read() == ""


def test_descriptors_that_are_taken_away_cost_no_time_and_no_span(program):
    """Each of ours becomes a file of the program's own, which always has something to read."""
    outcome = program("""
        start()
        span("before")
        assert core.flush(10)
        time.sleep(0.3)  # sixty intervals: by now the sender sleeps
        def used():
            return sum(float(open(f"/proc/self/task/{task}/schedstat").read().split()[0]) / 1e9
                       for task in os.listdir("/proc/self/task") if int(task) != os.getpid())
        file = os.open(sys.argv[0], os.O_RDONLY)
        for number in range(3, 256):
            if number != file:
                os.dup2(file, number)
        began = used()
        time.sleep(0.5)
        print(used() - began < 0.1)
        span("after")
        assert core.flush(10)
        assert core.counters()["sent_spans"] == 2
    """)
    assert outcome.stdout == "True\n"
