"""Fork, spawn, exit: nothing lost, nothing twice, nothing that hangs."""

import pytest
from probe_core_harness import poll

from sonde.wire.frames import Kind


def names(agent):
    return sorted(span.name for span in agent.spans())


def test_no_thread_runs_before_the_first_span(program):
    outcome = program("""
        start()
        op = core.operation("op", core.INTERNAL)
        before = len(os.listdir("/proc/self/task"))
        core.leaf(op).finish()
        print(before, len(os.listdir("/proc/self/task")))
    """)
    assert outcome.stdout == "1 2\n"


def test_what_is_unsent_at_exit_is_sent(program, agent):
    program("""
        start(flush_interval_ms=10_000)
        span("last words")
    """)
    poll(lambda: names(agent) == ["last words"])
    assert agent.frames(Kind.STATUS)


def test_exit_waits_no_longer_than_it_may(program, tmp_path):
    """Nobody listens: that is known at once. Somebody listens and does not read: exit_flush_ms bounds the wait."""
    program(
        """
        core.start({}, path + ".nobody", hello={}, flush_interval_ms=10_000, exit_flush_ms=30_000)
        span("lost")
        """,
        timeout_s=20,
    )


def test_exit_with_a_deaf_agent_is_bounded(program, tmp_path):
    program(
        """
        import socket
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path + ".deaf")
        listener.listen()
        core.start({}, path + ".deaf", hello={}, flush_interval_ms=10_000, exit_flush_ms=100, ring_bytes=1 << 22)
        for _ in range(10_000):
            span("stuck")
        """,
        timeout_s=20,
    )


def test_os_exit_hangs_on_nothing(program, agent):
    program("""
        start()
        span("sent")
        assert core.flush(10)
        span("maybe")
        os._exit(0)
    """)
    poll(lambda: "sent" in names(agent))


def test_a_forked_child_sends_its_own_spans_over_its_own_connection(program, agent):
    program("""
        start(flush_interval_ms=10_000)
        span("parent before")
        child = os.fork()
        if child == 0:
            span("child")
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        span("parent after")
    """)
    poll(lambda: names(agent) == ["child", "parent after", "parent before"])
    assert len(agent.connections) == 2
    assert len(set(agent.frames(Kind.HELLO))) == 2


def test_a_forked_child_starts_with_counters_of_its_own(program):
    outcome = program("""
        start(flush_interval_ms=10_000)
        span("parent")
        if os.fork() == 0:
            span("child")
            counts = core.counters()
            print(counts["opened"], counts["finished"], counts["sent_spans"], flush=True)
            os._exit(0)
        os.wait()
    """)
    assert outcome.stdout == "1 1 0\n"


def test_a_master_that_forks_workers_stays_free_of_threads(program, agent):
    outcome = program("""
        start()
        for number in range(3):
            if os.fork() == 0:
                span(f"worker {number}")
                sys.exit(0)
        print(len(os.listdir("/proc/self/task")))
        for number in range(3):
            assert os.wait()[1] == 0
    """)
    assert outcome.stdout == "1\n"
    poll(lambda: names(agent) == ["worker 0", "worker 1", "worker 2"])


def test_a_span_open_across_the_fork_is_the_parents(program, agent):
    outcome = program("""
        start()
        with core.scope(core.operation("open", core.INTERNAL)) as parent:
            if os.fork() == 0:
                span("below it")
                parent.set("key", 1)
                parent.finish()
                assert core.current() is None
                print(core.counters()["dropped_inherited"], flush=True)
                core.flush(10)
                os._exit(0)
            assert os.wait()[1] == 0
    """)
    assert outcome.stdout == "1\n"
    poll(lambda: names(agent) == ["below it", "open"])
    below, parent = sorted(agent.spans(), key=lambda span: span.name)
    assert below.parent_span_id == parent.span_id


def test_forking_in_the_middle_of_everything_deadlocks_nobody(program, agent):
    """Threads record, the sender sends, flushes come and go, and the main thread forks all the time."""
    program(
        """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # CPython 3.12 does not like what we test here
        start(flush_interval_ms=5)
        stop = threading.Event()
        def busy():
            while not stop.wait(0.001):
                for _ in range(20):
                    span("busy")
        def flushing():
            while not stop.wait(0.0005):
                core.flush(1)
        def short():
            while not stop.is_set():
                thread = threading.Thread(target=span, args=("short",))
                thread.start()
                thread.join()
        threads = [threading.Thread(target=what) for what in (busy, flushing, short)]
        for thread in threads:
            thread.start()
        for number in range(40):
            child = os.fork()
            if child == 0:
                span(f"child {number}")
                os._exit(0 if core.flush(20) else 1)
            assert os.waitpid(child, 0)[1] == 0, number
        stop.set()
        for thread in threads:
            thread.join()
        """,
        timeout_s=120,
    )
    poll(lambda: {name for name in names(agent) if name.startswith("child")} == {f"child {n}" for n in range(40)})
    assert len({span.span_id for span in agent.spans()}) == len(agent.spans())


def test_a_grandchild_records_too(program, agent):
    program("""
        start()
        span("parent")
        child = os.fork()
        if child == 0:
            span("child")
            grandchild = os.fork()
            if grandchild == 0:
                span("grandchild")
                sys.exit(0)
            os.waitpid(grandchild, 0)
            sys.exit(0)
        os.waitpid(child, 0)
    """)
    poll(lambda: names(agent) == ["child", "grandchild", "parent"])


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_send_what_they_have(program, agent, method):
    """They end by os._exit: `atexit` is not asked."""
    program(f"""
        import multiprocessing
        def work(number):
            if not core.leaf(core.operation("?", core.INTERNAL)).recording:
                start(flush_interval_ms=10_000)
            span(f"work {{number}}")
        if __name__ == "__main__":
            context = multiprocessing.get_context({method!r})
            start(flush_interval_ms=10_000)
            children = [context.Process(target=work, args=(number,)) for number in range(3)]
            for child in children:
                child.start()
            for child in children:
                child.join()
                assert child.exitcode == 0
    """)
    poll(lambda: names(agent) == ["work 0", "work 1", "work 2"])


def test_starting_other_programs_disturbs_nothing(program, agent):
    program("""
        import subprocess
        start()
        for number in range(20):
            span(f"before {number}")
            subprocess.run(["true"], check=True)
            subprocess.run(["true"], check=True, preexec_fn=lambda: None, close_fds=True)  # by fork, not vfork
        span("after")
    """)
    poll(lambda: len(agent.spans()) == 21)


def test_daemon_threads_that_record_until_the_end_do_not_crash_the_interpreter(program):
    for _ in range(3):
        program("""
            start()
            def busy():
                op = core.operation("busy", core.INTERNAL)
                while True:
                    with core.scope(op) as outer:
                        outer.set("key", "value")
                        core.leaf(op).finish()
            for _ in range(4):
                threading.Thread(target=busy, daemon=True).start()
            time.sleep(0.05)
        """)


def test_a_program_that_closes_every_descriptor_keeps_its_own_files_clean(program, agent):
    """It turns itself into a daemon: our socket's number becomes a file of its own."""
    outcome = program("""
        start()
        span("before")
        assert core.flush(10)
        os.closerange(3, 64)
        own = [os.open(f"{path}.own", os.O_CREAT | os.O_RDWR) for _ in range(8)]
        span("after")
        assert core.flush(10)
        print(os.path.getsize(f"{path}.own"))
    """)
    assert outcome.stdout == "0\n"
    poll(lambda: names(agent) == ["after", "before"])


def test_signals_stay_with_the_applications_threads(program):
    program("""
        import signal
        start()
        span("op")
        assert core.flush(10)
        seen = []
        signal.signal(signal.SIGUSR1, lambda *_: seen.append(threading.current_thread() is threading.main_thread()))
        for _ in range(50):
            os.kill(os.getpid(), signal.SIGUSR1)
            span("op")
        assert all(seen) and seen
    """)


def test_a_signal_handler_may_record_in_the_middle_of_anything(program, agent):
    program("""
        import signal
        start()
        signal.signal(signal.SIGALRM, lambda *_: span("in handler"))
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        until = time.monotonic() + 1
        while time.monotonic() < until:
            with core.scope(core.operation("outer", core.INTERNAL)) as outer:
                outer.set("key", ["value", 1])
                outer.event("event", {"a": 1})
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert core.current() is None
    """)
    poll(lambda: "in handler" in names(agent))


def test_a_process_that_has_recorded_forks_without_a_thread(program, agent):
    """Python 3.12 warns of forking with threads; some run with warnings as errors."""
    outcome = program("""
        import warnings
        warnings.simplefilter("error")
        def threads():
            return len(os.listdir("/proc/self/task"))
        start(flush_interval_ms=10_000)
        for number in range(3):
            span(f"parent {number}")
            assert threads() == 2
            if os.fork() == 0:
                span(f"child {number}")
                sys.exit(0)
            late = sys.version_info[:2] == (3, 13) and "twin" in core.__name__  # counts after the last hook
            assert threads() == (1 if late else 2)
            assert os.wait()[1] == 0
        print(threads_at_fork)
    """)
    assert outcome.stdout == "[1, 1, 1]\n"
    poll(lambda: names(agent) == ["child 0", "child 1", "child 2", "parent 0", "parent 1", "parent 2"])
    assert len(agent.connections) == 4  # the parent kept its own


def test_a_fork_waits_for_no_agent(program):
    """The agent is away: what is unsent stays the parent's, and goes on being tried."""
    program("""
        os.rename(path, path + ".away")
        start()
        span("parent")
        for _ in range(3):
            if os.fork() == 0:
                os._exit(0)
            assert os.wait()[1] == 0
        os.rename(path + ".away", path)
        while not core.flush(1):
            pass
        assert core.counters()["sent_spans"] == 1
    """)
