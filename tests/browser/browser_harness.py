"""A server as a user starts it, and somebody who looks at it with a browser."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
from browser_selectors import css

from sonde.server.supervision.second_ports import SECOND_PORTS

DEADLINE_S = 120
PATIENCE_MS = 20_000
"""How long a page may take on a machine that has other things to do."""
CONSOLE = Path(__file__).parents[2] / "src" / "sonde" / "server" / "console" / "index.html"
SONDE = [sys.executable, "-m", "sonde"]
NO_SECOND_PORTS = [word for port in SECOND_PORTS for word in (f"--{port.option}", "-1")]
PASSWORD = "correct horse battery staple"


def chromium():
    """Path of the system's browser, None when there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def eventually(condition, what):
    """Poll until `condition` gives something true; that."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {DEADLINE_S} s: {what}")


class Server:
    """`sonde up` in a folder of its own."""

    def __init__(self, folder):
        self.data = folder / "data"
        self.log = folder / "server.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*SONDE, "up", "--data", str(self.data), "--port", "0", *NO_SECOND_PORTS],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "SONDE_ADMIN_PASSWORD": PASSWORD},
            )
        self.url = eventually(self._ready_at, f"a ready server, see {self.log}")

    def _ready_at(self):
        output = self.log.read_text()
        assert self.process.poll() is None, output
        found = re.search(r"Sonde is ready: (http://\S+)", output)
        return found and found[1]

    def command(self, *words):
        done = subprocess.run(
            [*SONDE, *words, "--data", str(self.data)], capture_output=True, text=True, timeout=DEADLINE_S, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def viewer(self, name):
        """Make a user who may look and not change; their password is PASSWORD."""
        make = (
            "import sys; from sonde.server.accounts.command import opened_accounts\n"
            "with opened_accounts(sys.argv[1]) as accounts:\n"
            "    accounts.users.create(sys.argv[2], sys.argv[3], 'viewer', 'test')\n"
        )
        subprocess.run([sys.executable, "-c", make, str(self.data), name, PASSWORD], check=True, timeout=DEADLINE_S)

    def get(self, path):
        answer = httpx.get(f"{self.url}/api/v1{path}", headers={"Authorization": f"Bearer {self.token}"}, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @property
    def token(self):
        if not hasattr(self, "_token"):
            self._token = self.command("token", "create", "--scope", "read").strip()
        return self._token

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


class Visit:
    """A page of a browser without a past, and what it complained about."""

    def __init__(self, browser, url, *, theme="dark", language="en", width=1440, height=900, session=None):
        """`session`: cookies of somebody who has logged in, as `context.storage_state()` gives them."""
        self.context = browser.new_context(
            base_url=url,
            viewport={"width": width, "height": height},
            locale="en-GB",
            reduced_motion="reduce",
            storage_state=session,
        )
        self.context.add_init_script(
            f"localStorage.setItem('sonde.theme', '{theme}'); localStorage.setItem('sonde.language', '{language}')"
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message):
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def log_in(self, password=PASSWORD, user="admin"):
        self.page.goto("/login")
        self.page.fill("input[name=user]", user)
        self.page.fill("input[name=password]", password)
        self.page.press("input[name=password]", "Enter")

    def open(self, address):
        """The page at `address`, when all its data is there."""
        self.page.goto(address)
        self.page.wait_for_selector("h1")
        eventually(lambda: self.page.locator("[aria-busy=true]").count() == 0, f"data at {address}")

    def find(self, name):
        return self.page.locator(css(name))
