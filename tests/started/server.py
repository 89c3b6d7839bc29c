"""A whole server, started as a user starts it, on free ports and a folder of its own."""

import contextlib
import functools
import re
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psutil

from sonde.server.accounts.accounts import Accounts
from sonde.server.folders import Folders
from sonde.server.store.client import StoreClient
from sonde.server.supervision.second_ports import SECOND_PORTS
from sonde.settings import DATA_DIR, Settings
from started import first_data
from started.program import Program
from started.waiting import eventually

SONDE = [sys.executable, "-m", "sonde"]
NO_SECOND_PORTS = [word for port in SECOND_PORTS for word in (f"--{port.option}", "-1")]
READY_WITHIN_S = 150
PATIENCE_S = 60


class Server(Program):
    """`sonde up` on `data`: flags as a user would write them, settings by their names.

    A folder that is empty gets what a first start makes, unless this is to be the `first` start.
    """

    def __init__(self, data, *flags, port=0, first=False, **settings):
        self.data = Path(data)
        if not first and not (self.data.exists() and any(self.data.iterdir())):
            first_data.copy_to(self.data, _make_first_data)
        environ = {f"SONDE_{name.upper()}": str(value) for name, value in settings.items()}
        command = [*SONDE, "up", "--data", str(self.data), "--port", str(port), *NO_SECOND_PORTS, *flags]
        log = self.data.parent / f"server-{secrets.token_hex(4)}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(command, log, environ)

    def __enter__(self):
        try:
            return self.wait()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def wait(self):
        """When it is ready; itself."""
        eventually(lambda: self._said("ready") or self.process.poll() is not None, "a ready server", READY_WITHIN_S)
        assert self.process.poll() is None, self.output
        return self

    def _said(self, what, address=r"\S+"):
        found = re.search(rf"{what}(?: at|:) ({address})", self.output)
        return found and found[1]

    @property
    def url(self):
        return self._said("ready")

    @property
    def port(self):
        return int(self.url.rpartition(":")[2])

    @property
    def otlp_url(self):
        return self._said("OTLP/HTTP")

    @property
    def skywalking_grpc(self):
        return self._said("SkyWalking/gRPC")

    @property
    def skywalking_http(self):
        return self._said("SkyWalking/HTTP").removeprefix("http://")

    @property
    def xtransit_url(self):
        return self._said("xtransit", r"ws://\S+")

    @property
    def printed_password(self):
        """None when it printed none."""
        found = re.search(r"^admin password: (\S+)", self.output, re.MULTILINE)
        return found and found[1]

    def readyz(self):
        return httpx.get(f"{self.url}/readyz", timeout=PATIENCE_S)

    def child(self, module):
        """The process that runs `module`."""
        for process in psutil.Process(self.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):  # it ended just now, or is a zombie
                if module in process.cmdline():
                    return process
        return None

    @contextlib.contextmanager
    def accounts(self):
        """Beside the running server, as commands open them."""
        values = Settings({DATA_DIR.name: str(self.data)})
        accounts = Accounts.of(values, Folders.of(values).data)
        try:
            yield accounts
        finally:
            accounts.close()

    def token(self, scope):
        with self.accounts() as accounts:
            return accounts.tokens.create("test", scope, "test")[0]

    def app(self, name=""):
        """`id`, `secret` and `token` of a new one."""
        with self.accounts() as accounts:
            made = accounts.apps.create(name or secrets.token_hex(8), "test")
        return {"id": made.app.id, "secret": made.secret, "token": made.token}

    def viewer(self, name):
        """Make a user who may look and not change; their password is the administrator's."""
        with self.accounts() as accounts:
            accounts.users.create(name, first_data.PASSWORD, "viewer", "test")

    def client(self, token=None, path=""):
        """Whose addresses begin with `path`; without a token, a stranger's."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url + path, headers=headers, timeout=PATIENCE_S)

    @functools.cached_property
    def reader(self):
        """A client of the API that may read."""
        return self.client(self.token("read"), "/api/v1")

    @functools.cached_property
    def admin(self):
        """One that may do everything."""
        return self.client(self.token("admin"), "/api/v1")

    def rows(self, sql, **parameters):
        """Straight from the store."""
        socket = Folders.of(Settings({DATA_DIR.name: str(self.data)})).store_socket()
        with contextlib.closing(StoreClient.embedded(socket, "web")) as store:
            return store.rows(sql, parameters)

    def get(self, path, **query):
        """What the API says there."""
        answer = self.reader.get(path, params=query or None)  # an empty one would take what stands in the path
        assert answer.status_code == 200, answer.text
        return answer.json()

    def stop(self, number=signal.SIGTERM):
        """The exit code."""
        for name in ("reader", "admin"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()
        return super().stop(number)


def command(*words):
    """What `sonde WORDS` prints."""
    done = subprocess.run([*SONDE, *words], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _make_first_data(folder):
    with Server(folder, first=True, admin_password=first_data.PASSWORD):
        pass
