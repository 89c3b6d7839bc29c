"""What stands in the way of a start is said in one line."""

import socket
import subprocess
import sys

import pytest

from sonde.server.folders import Folders
from sonde.server.supervision.lock import FolderInUseError, only_server
from sonde.server.supervision.ports import PortError, http_address, listen, reserve
from sonde.server.supervision.second_ports import SECOND_PORTS
from sonde.settings import SettingError, Settings


def test_a_second_server_on_a_folder_is_told_where_the_first_listens(tmp_path):
    lock = tmp_path / "run" / "server.lock"
    lock.parent.mkdir()
    with only_server(lock) as note:
        note("http://127.0.0.1:8600")

        with (
            pytest.raises(FolderInUseError, match=r"runs on .* already: pid \d+, http://127.0.0.1:8600"),
            only_server(lock),
        ):
            pass

    with only_server(lock):
        pass


def test_a_taken_port_is_said_with_the_flag_that_changes_it():
    with listen("127.0.0.1", 0, "port") as first:
        port = first.getsockname()[1]

        with pytest.raises(PortError, match=f"port {port} is taken on 127.0.0.1; choose another with --port"):
            listen("127.0.0.1", port, "port")


def test_an_address_that_is_not_this_machines_is_refused():
    with pytest.raises(PortError, match=r"cannot listen on 192\.0\.2\.1"):
        listen("192.0.2.1", 0, "port")
    with pytest.raises(PortError, match="no address"):
        listen("no such host.invalid", 0, "port")


def test_everybodys_address_is_shown_as_one_that_a_browser_can_open():
    with listen("0.0.0.0", 0, "port") as everywhere, listen("127.0.0.1", 0, "port") as here:
        assert http_address(everywhere) == f"http://127.0.0.1:{everywhere.getsockname()[1]}"
        assert http_address(here) == f"http://127.0.0.1:{here.getsockname()[1]}"


@pytest.mark.parametrize("port", SECOND_PORTS, ids=lambda port: port.row.name)
def test_a_second_port_may_be_taken_unless_somebody_asked_for_it(port, caplog, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(PortError, match=f"--{port.row.name.replace('_', '-')}"):
            port.open(Settings({port.row.name: taken}, environ={}))

        monkeypatch.setattr(port.row, "default", taken)
        assert port.open(Settings(environ={})) is None

    assert f"port {taken} is taken" in caplog.text
    assert f"there is no port for {port.protocol}" in caplog.text


@pytest.mark.parametrize("port", SECOND_PORTS, ids=lambda port: port.row.name)
def test_a_second_port_can_be_switched_off(port):
    assert port.open(Settings({port.row.name: -1}, environ={})) is None


def test_a_reserved_port_is_taken_for_others_and_open_to_a_child_that_shares_it():
    with reserve("127.0.0.1", 0, "otlp-grpc-port") as held:
        port = held.getsockname()[1]
        for opened in (reserve, listen):
            with pytest.raises(PortError, match=f"port {port} is taken"):
                opened("127.0.0.1", port, "otlp-grpc-port")

        for _ in range(2):  # a child that is started again finds it free
            with socket.create_server(("127.0.0.1", port), reuse_port=True) as child:
                with socket.create_connection(("127.0.0.1", port)), child.accept()[0]:
                    pass
                with pytest.raises(PortError, match="is taken"):
                    reserve("127.0.0.1", port, "otlp-grpc-port")


def test_the_supervisor_imports_nothing_heavy():
    """It runs for as long as the server, and only waits: what the children need it must not load."""
    heavy = {"asyncio", "sqlalchemy", "fastapi", "uvicorn", "pydantic", "chdb", "clickhouse_connect", "grpc"}
    heavy.add("logging.config")
    code = "import sys, sonde.cli.up, sonde.server.supervisor; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert heavy.isdisjoint(loaded)


def test_the_folder_is_private_and_made_when_missing(tmp_path):
    folders = Folders.of(Settings({"data": str(tmp_path / "a" / "b")}, environ={}))

    for folder in (folders.data, folders.store, folders.spool, folders.run):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_is_a_setting_error(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(SettingError, match="cannot be used"):
        Folders.of(Settings({"data": str(tmp_path / "file" / "data")}, environ={}))


def test_the_stores_socket_has_a_path_that_a_socket_can_have(tmp_path):
    near = Folders(tmp_path)
    far = Folders(tmp_path / ("deep" * 40))

    assert near.store_socket() == tmp_path / "run" / "store.sock"
    socket_path = far.store_socket()
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(socket_path))
        assert far.store_socket() == socket_path, "the same each time"
        assert socket_path.parent.stat().st_mode & 0o777 == 0o700
    finally:
        far.forget_store_socket()
    assert not socket_path.parent.exists()
