"""What every command has in common: how it ends."""

from __future__ import annotations

import os
import subprocess
import sys


def test_a_reader_that_has_seen_enough_is_no_error_worth_a_word(tmp_path):
    """`sonde app list | head -0`: nobody reads any more when the first line is written."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "sonde", "app", "create", "shop", "--data", str(tmp_path)]

    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)

    assert (done.returncode, done.stderr) == (141, b"")
