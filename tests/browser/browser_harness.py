"""Somebody who looks at a server with a browser."""

import shutil
from pathlib import Path

from browser_selectors import css

from started.first_data import PASSWORD
from started.waiting import eventually

PATIENCE_MS = 20_000
"""How long a page may take on a machine that has other things to do."""
CONSOLE = Path(__file__).parents[2] / "src" / "sonde" / "server" / "console" / "index.html"


def chromium():
    """Path of the system's browser: of the one without windows if there is, it costs a fifth less. None: no browser."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


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
