"""`sonde up`, from the settings to the stop: the whole server on one machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sonde import settings
from sonde.server.folders import Folders
from sonde.server.supervision.child import Child
from sonde.server.supervision.lock import only_server
from sonde.server.supervision.parent_death import dies_with_parent
from sonde.server.supervision.ports import http_address, listen
from sonde.server.supervision.second_ports import SecondPorts
from sonde.server.supervision.signals import heard_signals
from sonde.server.supervision.watch import Watch

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from sonde.settings import Settings

WEB_STOPS_WITHIN_S = 15.0
STORE_STOPS_WITHIN_S = 20.0
"""It lets writers finish; killed, it would only do more on the next start."""
_QUIET_GRPC = {"GRPC_VERBOSITY": "NONE"}
"""Else each bad request of anybody is a line in our log; what is refused is counted."""


class StartError(Exception):
    """The server cannot start; the message says why."""


def run(values: Settings, say: Callable[[str], None]) -> None:
    """Serve until a stop signal. `say` prints a line for the user.

    Raises SettingError, PortError, FolderInUseError, StartError, HopelessError.
    """
    os.umask(0o077)
    for row in settings.rows():
        if row.part == "server":
            values[row]  # a mistake in any of them is said now, and not by a child that starts again and again
    folders = Folders.of(values)
    with ExitStack() as running:
        note_address = running.enter_context(only_server(folders.lock))
        web = running.enter_context(listen(values[settings.HOST], values[settings.PORT], "port"))
        address = http_address(web)
        note_address(address)
        second = running.enter_context(SecondPorts(values))
        running.callback(folders.forget_store_socket)
        login = prepare_accounts(values)
        if login:
            say(f"admin password: {login['password']}  (user: {login['user']}; also in {folders.first_login})")
            for line in second.for_xtransit(login):
                say(line)
            say(f"what to set for everything else: {address}/connect")
        children = [] if values[settings.STORE_URL] else [store_child(values, folders)]
        children.append(web_child(values, folders, web, second))

        def on_ready(child: Child) -> None:
            if child.name == "web":
                say("  ".join([f"Sonde is ready: {address}", *second.said()]))

        Watch(children, running.enter_context(heard_signals()), on_ready).run()


def prepare_accounts(values: Settings) -> dict[str, str] | None:
    """Bring the metadata database up to date, in a process of its own: it needs much memory, once.

    User and password of the first admin, if one was made with a random password, and `app` and `secret` of the first
    app. Raises StartError.
    """
    done = subprocess.run(
        [sys.executable, "-m", "sonde.server.accounts.prepare"],
        env=values.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
        preexec_fn=dies_with_parent(),
    )
    if done.returncode:
        raise StartError("the accounts could not be prepared; the message stands above")
    login: dict[str, str] | None = json.loads(done.stdout)
    return login


def store_child(values: Settings, folders: Folders) -> Child:
    """The embedded engine."""
    command = [sys.executable, "-m", "sonde.server.store.process"]
    command += ["--data", str(folders.store), "--socket", str(folders.store_socket()), "--spool", str(folders.spool)]
    if values[settings.STORE_PORT] >= 0:
        command += ["--port", str(values[settings.STORE_PORT])]
    return Child("store", command, values.environment(), STORE_STOPS_WITHIN_S)


def web_child(values: Settings, folders: Folders, web: socket.socket, second: SecondPorts) -> Child:
    """Intake, loader, API and console."""
    command = [sys.executable, "-m", "sonde.server.web", "--store-socket", str(folders.store_socket())]
    command += ["--listen", str(web.fileno()), *second.arguments()]
    environment = values.environment() | _QUIET_GRPC
    return Child("web", command, environment, WEB_STOPS_WITHIN_S, [web.fileno(), *second.inherited()])
