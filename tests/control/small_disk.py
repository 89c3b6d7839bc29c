"""A disk that is soon full."""

import contextlib
import os
import shutil
import subprocess

import pytest


@contextlib.contextmanager
def small_disk(folder, mib):
    """`folder`, which is made, as a disk of so many MiB. Skips the test where none can be mounted."""
    folder.mkdir(parents=True)
    mount = shutil.which("mount")
    if (
        os.geteuid()
        or not mount
        or subprocess.run([mount, "-t", "tmpfs", "-o", f"size={mib}m", "none", folder], check=False).returncode
    ):
        pytest.skip("no disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(path, but=0):
    """Every block of the disk that `path` is to be on, but for so many bytes."""
    disk = os.statvfs(path.parent)
    path.write_bytes(bytes(disk.f_bavail * disk.f_frsize - but))
