"""Supervisors that leave nothing behind, whatever the test finds."""

import os
import signal

import pytest
from supervision_harness import Supervised


@pytest.fixture
def supervise(tmp_path):
    made = []

    def start(children, **more):
        made.append(Supervised(tmp_path, children, **more))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()
        for pid in one.alive():
            os.kill(pid, signal.SIGKILL)
