"""A program of its own process, with what it says in a file."""

import os
import signal
import subprocess

STOPS_WITHIN_S = 60


class Program:
    """Started at once, with `environ` beside our own variables. What it prints is added to `log`.

    `first_line`: wait for this line on standard output, which is not kept then.
    """

    def __init__(self, command, log, environ=None, first_line=""):
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE if first_line else output,
                stderr=output,
                env={**os.environ, **(environ or {})},
            )
        if first_line:
            assert self.process.stdout.readline().decode().strip() == first_line, log.read_text()

    @property
    def pid(self):
        return self.process.pid

    @property
    def output(self):
        return self.log.read_text(errors="replace")

    def stop(self, number=signal.SIGTERM):
        """The exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            if self.process.stdout:
                self.process.stdout.close()
        return self.process.returncode
