"""The data folder of a server that was started once: with all tables, an administrator and the first app.

Making those takes half of a first start. The first test of a run that wants a server makes them, the others begin with
a copy; tests of first starts themselves do without.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PASSWORD = "correct horse battery staple"
"""Of the administrator."""
_FOLDER = "FIRST_DATA_OF_TESTS"
"""Environment variable: where this run of tests keeps it, for all its processes."""


@contextlib.contextmanager
def kept_for_a_run():
    """For the process that was started first."""
    with tempfile.TemporaryDirectory(prefix="first-data-") as folder:
        os.environ[_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[_FOLDER]


def copy_to(data, make):
    """`make` starts a server on the folder it is given, and stops it."""
    folder = Path(os.environ[_FOLDER])
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "data").exists():
            make(folder / "making")
            (folder / "making").rename(folder / "data")
    shutil.copytree(folder / "data", data, symlinks=True, dirs_exist_ok=True)
