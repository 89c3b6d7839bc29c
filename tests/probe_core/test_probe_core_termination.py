"""SIGTERM: what is recorded goes first, where the program says nothing about the signal; else it is the program's."""

from __future__ import annotations

import signal

import pytest
from probe_core_harness import poll

SOON_S = 15


@pytest.fixture
def native(core):
    if core.__name__.endswith("twin"):
        pytest.skip("a handler of Python's would be seen, and run in the first thread alone")
    return core


def terminated(begun, source, how=signal.SIGTERM):
    """How the program ended."""
    process = begun(source)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(how)
    code = process.wait(SOON_S)
    assert process.stderr.read() == ""
    return code, process.stdout.read()


def names(agent):
    return sorted(span.name for span in agent.spans())


BUSY = {
    "it waits": "time.sleep(60)",
    "it computes": "while True: sum(range(1000))",
    "it is in C": "sum(range(10**12))",
    "it waits for input": "sys.stdin.readline()",
}


@pytest.mark.parametrize("busy", BUSY)
def test_the_tail_goes_and_the_signal_ends_the_process_as_ever(native, begun, agent, busy):
    code, _ = terminated(
        begun,
        f"""
        import signal
        start(flush_interval_ms=60_000)
        span("tail")
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        print("ready", flush=True)
        {BUSY[busy]}
        """,
    )

    assert code == -signal.SIGTERM
    poll(lambda: names(agent) == ["tail"])


def test_a_sender_that_sleeps_is_woken(native, begun, agent):
    code, _ = terminated(
        begun,
        """
        start()
        span("one")
        assert core.flush(10)
        time.sleep(1.5)  # longer than its looks
        print("ready", flush=True)
        time.sleep(60)
        """,
    )
    assert code == -signal.SIGTERM


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_handler_of_the_programs_own_is_the_only_one(native, begun, agent, when):
    handler = "signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b'mine\\n'), os._exit(7)))"
    code, said = terminated(
        begun,
        f"""
        import signal
        {handler if when == "before" else ""}
        start(flush_interval_ms=60_000)
        span("tail")
        {handler if when == "after" else ""}
        print("ready", flush=True)
        while True:
            time.sleep(0.01)
        """,
    )
    assert (code, said) == (7, "mine\n")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_signal_that_is_ignored_stays_so(native, begun, agent, when):
    ignore = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    process = begun(f"""
        import signal
        {ignore if when == "before" else ""}
        start(flush_interval_ms=60_000)
        span("tail")
        {ignore if when == "after" else ""}
        print("ready", flush=True)
        sys.stdin.readline()
        print("here still", flush=True)
    """)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "here still\n"
    assert process.wait(SOON_S) == 0


def test_one_that_the_program_waits_for_is_the_programs(native, begun, agent):
    process = begun("""
        import signal
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        start(flush_interval_ms=60_000)
        span("tail")
        print("ready", flush=True)
        print(signal.sigwait({signal.SIGTERM}).name, flush=True)
    """)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "SIGTERM\n"
    assert process.wait(SOON_S) == 0


def test_an_agent_that_does_not_read_puts_the_end_off_for_as_long_as_an_exit(native, begun, agent):
    agent.read_at_most = 1
    code, _ = terminated(
        begun,
        """
        start(exit_flush_ms=300, flush_interval_ms=60_000, ring_bytes=1 << 22)
        for number in range(20_000):
            span(f"number {number}")
        print("ready", flush=True)
        time.sleep(600)
        """,
    )
    assert code == -signal.SIGTERM


def test_a_forked_child_is_ended_at_once_and_one_with_spans_of_its_own_sends_them(native, begun, agent):
    process = begun("""
        import signal
        start(flush_interval_ms=60_000)
        span("parent")
        ends = []
        for own in (False, True):
            read, write = os.pipe()
            child = os.fork()
            if child == 0:
                if own:
                    span("child")
                os.write(write, b"!")
                while True:
                    time.sleep(0.01)
            os.read(read, 1)
            os.kill(child, signal.SIGTERM)
            ends.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        print(ends, flush=True)
    """)
    assert process.stdout.readline() == f"{[-signal.SIGTERM, -signal.SIGTERM]}\n"
    assert process.wait(SOON_S) == 0
    poll(lambda: names(agent) == ["child", "parent"])


def test_a_program_that_is_executed_inherits_nothing(native, begun, agent):
    process = begun("""
        start()
        span("before")
        assert core.flush(10)
        caught = "print([line.split()[1] for line in open('/proc/self/status') if 'SigCgt' in line], flush=True)"
        os.execv(sys.executable, [sys.executable, "-c", caught])
    """)
    mask = int(process.stdout.readline().strip("[]'\n"), 16)
    assert not mask & 1 << signal.SIGTERM - 1
    assert process.wait(SOON_S) == 0


def test_without_time_at_the_end_and_after_a_stop_there_is_no_handler(native, begun, agent):
    process = begun("""
        def caught():
            mask = next(int(line.split()[1], 16) for line in open("/proc/self/status") if line.startswith("SigCgt"))
            return bool(mask & 1 << 14)
        found = []
        for ms in (0, 500):
            start(exit_flush_ms=ms)
            span("one")
            assert core.flush(10)
            found.append(caught())
            core.stop(1)
            found.append(caught())
        print(found, flush=True)
    """)
    assert process.stdout.readline() == "[False, False, True, False]\n"
    assert process.wait(SOON_S) == 0
