"""Makes processes in one of many ways, matrix_app.py WAY: each queries, and all is over when the first one ends.

Writes `pid queries` to standard output, a line for each process.
"""

import os
import sqlite3
import subprocess
import sys
import threading
import time

TIMES = 3


def query(times: int = TIMES) -> None:
    for _ in range(times):
        connection = sqlite3.connect(":memory:")
        connection.execute("select 1")
        connection.close()


def report(times: int = TIMES) -> None:
    os.write(1, b"%d %d\n" % (os.getpid(), times))


def work(_number: int = 0) -> int:
    """What most children do, as their last."""
    query()
    return os.getpid()


def in_child(then=report) -> int:
    """Fork; the child queries and ends as Python ends."""
    pid = os.fork()
    if pid == 0:
        query()
        then()
        sys.exit(0)
    return pid


def fork() -> None:
    query()
    for pid in [in_child() for _ in range(3)]:
        os.waitpid(pid, 0)
    query()
    report(2 * TIMES)


def grandchildren() -> None:
    def deeper() -> None:
        os.waitpid(in_child(), 0)
        query()
        report(2 * TIMES)

    os.waitpid(in_child(deeper), 0)
    query()
    report()


def fork_with_threads() -> None:
    """Other threads are in the middle of making spans, and of starting and ending, at each fork.

    Not of queries: a fork of a process whose other threads are inside SQLite leaves its locks shut in the child.
    """
    import sonde

    stop = threading.Event()
    counts = [0] * 4

    def span() -> None:
        with sonde.span("span"):
            pass

    def busy(at: int) -> None:
        while not stop.is_set():
            span()
            counts[at] += 1
            time.sleep(0.0005)

    def short_lived() -> None:
        while not stop.is_set():
            thread = threading.Thread(target=span)
            thread.start()
            thread.join()
            counts[3] += 1

    threads = [threading.Thread(target=busy, args=(at,)) for at in range(3)] + [threading.Thread(target=short_lived)]
    for thread in threads:
        thread.start()
    pids = []
    for _ in range(25):
        pids.append(in_child())
        time.sleep(0.005)
    for pid in pids:
        assert os.waitpid(pid, 0)[1] == 0
    stop.set()
    for thread in threads:
        thread.join()
    report(sum(counts))


def fork_in_thread() -> None:
    query()
    thread = threading.Thread(target=lambda: os.waitpid(in_child(), 0))
    thread.start()
    thread.join()
    query()
    report(2 * TIMES)


def pool(method: str) -> None:
    import concurrent.futures
    import multiprocessing

    query()
    with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context(method)) as executor:
        pids = list(executor.map(work, range(10)))
    for pid in set(pids):
        sys.stdout.write(f"{pid} {pids.count(pid) * TIMES}\n")
    report()


def multiprocessing_pool() -> None:
    import multiprocessing

    query()
    with multiprocessing.get_context("fork").Pool(2) as made:
        pids = made.map(work, range(10), 1)
        made.close()
        made.join()
    for pid in set(pids):
        sys.stdout.write(f"{pid} {pids.count(pid) * TIMES}\n")
    report()


def execute() -> None:
    """The same process id, and a new process."""
    query()
    if len(sys.argv) == 2:
        # What replaces a process ends it without Python's end. The probe has no say, so the program gives it time.
        time.sleep(float(os.environ["MATRIX_PAUSE_S"]))
        os.execv(sys.executable, [sys.executable, __file__, "execute", "again"])  # noqa: S606 - what is tested
    report(2 * TIMES)


def children() -> None:
    query()
    for start in ("subprocess.run", "os.posix_spawn", "os.system"):
        command = [sys.executable, __file__, "alone"]
        if start == "subprocess.run":
            subprocess.run(command, check=True)
        elif start == "os.posix_spawn":
            os.waitpid(os.posix_spawn(sys.executable, command, os.environ), 0)
        else:
            os.system(" ".join(command))  # noqa: S605 - likewise
    subprocess.run(command, check=True, preexec_fn=lambda: None, start_new_session=True)  # by fork, not vfork
    report()


def alone() -> None:
    query()
    report()


def daemon() -> None:
    """As old daemons do: two forks, a session of its own, every descriptor closed."""
    query()
    if os.fork():
        query()
        report(2 * TIMES)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    output = os.dup(1)
    os.closerange(0, output)
    os.closerange(output + 1, 256)
    os.dup2(output, 1)
    query()
    report()


def tasks(*, loop: str) -> None:
    """A hundred tasks at once under asyncio; then a child is forked, which has a loop of its own."""
    import asyncio

    async def task(_number: int) -> None:
        await asyncio.sleep(0)
        query(1)

    async def main() -> None:
        await asyncio.gather(*(task(number) for number in range(100)))

    def run() -> None:
        if loop == "uvloop":
            import uvloop

            uvloop.run(main())
        else:
            asyncio.run(main())
        report(100)

    run()
    pid = os.fork()
    if pid == 0:
        run()
        sys.exit(0)
    os.waitpid(pid, 0)


def gevent_fork() -> None:
    """Forked by gevent's own function, from among greenlets."""
    from gevent import monkey

    monkey.patch_all()
    import gevent

    def greenlet(_number: int) -> None:
        gevent.sleep(0.001)
        query(1)

    def run() -> None:
        gevent.joinall([gevent.spawn(greenlet, number) for number in range(50)])
        report(50)

    run()
    pid = os.fork()
    if pid == 0:
        run()
        sys.exit(0)
    os.waitpid(pid, 0)


WAYS = {
    "fork": fork,
    "grandchildren": grandchildren,
    "fork_with_threads": fork_with_threads,
    "fork_in_thread": fork_in_thread,
    "pool_fork": lambda: pool("fork"),
    "pool_spawn": lambda: pool("spawn"),
    "pool_forkserver": lambda: pool("forkserver"),
    "multiprocessing_pool": multiprocessing_pool,
    "execute": execute,
    "children": children,
    "alone": alone,
    "daemon": daemon,
    "asyncio": lambda: tasks(loop="asyncio"),
    "uvloop": lambda: tasks(loop="uvloop"),
    "gevent_fork": gevent_fork,
}

if __name__ == "__main__":
    WAYS[sys.argv[1]]()
