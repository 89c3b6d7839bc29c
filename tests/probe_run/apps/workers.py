"""Runs a query in two processes that multiprocessing makes, and one in its own: workers.py fork|spawn|forkserver."""

import multiprocessing
import os
import sqlite3
import sys


def query(number: int) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute(f"select {number} as from_{multiprocessing.parent_process() is not None}")
    connection.close()


if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    query(0)
    processes = [context.Process(target=query, args=(number,)) for number in (1, 2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    sys.stdout.write(" ".join(map(str, [os.getpid(), *(process.pid for process in processes)])))
