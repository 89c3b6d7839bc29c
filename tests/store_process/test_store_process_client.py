"""StoreClient: the way our own code speaks to the store."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from store_process_harness import Background, StoreProcess

from sonde.server.store.client import POOL_CONNECTIONS, StoreClient, StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def loader(process: StoreProcess) -> Iterator[StoreClient]:
    client = StoreClient.embedded(process.socket, "loader")
    client.command("CREATE DATABASE IF NOT EXISTS sonde")
    client.command("CREATE TABLE IF NOT EXISTS rows (a Int32, b String) ENGINE = MergeTree ORDER BY a")
    yield client
    client.close()


@pytest.fixture(scope="module")
def web(process: StoreProcess, loader: StoreClient) -> Iterator[StoreClient]:
    client = StoreClient.embedded(process.socket, "web")
    yield client
    client.close()


def test_names_without_a_database_are_in_ours(loader: StoreClient, web: StoreClient) -> None:
    assert web.rows("SELECT currentDatabase()") == [("sonde",)]
    assert web.rows("SELECT count() FROM sonde.rows") == web.rows("SELECT count() FROM rows")


def test_rows_are_python_objects(web: StoreClient) -> None:
    sql = """SELECT 1, 'x', toFixedString('ab', 2), [1, 2], map('k', 1.5), (1, 'y'), NULL,
             toDateTime64('2026-01-02 03:04:05.678901', 6, 'UTC'), toDateTime('2026-01-02 03:04:05', 'UTC')"""
    ((*values,),) = web.rows(sql)
    assert values == [
        *(1, "x", b"ab", [1, 2], {"k": 1.5}, (1, "y"), None),
        *(datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), datetime(2026, 1, 2, 3, 4, 5, 0, UTC)),
    ]


def test_rows_by_name_and_no_rows(web: StoreClient) -> None:
    assert web.dicts("SELECT number AS n, 'x' AS s FROM numbers(2)") == [{"n": 0, "s": "x"}, {"n": 1, "s": "x"}]
    assert web.rows("SELECT 1 WHERE 0") == []
    assert web.dicts("SELECT 1 WHERE 0") == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("String", "it's a \\ \n\t ü % {x}"),
        ("UInt64", 2**63),
        ("Array(String)", ["a'b", "c\\d", ""]),
        ("Array(UInt8)", []),
        ("Nullable(String)", None),
        ("DateTime64(6, 'UTC')", datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)),
        ("DateTime('UTC')", datetime(2026, 1, 2, 3, 4, 5, 0, UTC)),
        ("Bool", True),
        ("Float64", 0.1),
    ],
)
def test_a_parameter_comes_back_as_it_went(web: StoreClient, kind: str, value: object) -> None:
    ((back,),) = web.rows(f"SELECT {{x:{kind}}}", {"x": value})
    assert back == value


def test_settings_of_a_call_and_of_a_statement(web: StoreClient) -> None:
    assert web.rows("SELECT getSetting('max_threads')", settings={"max_threads": 1}) == [(1,)]
    assert web.rows("SELECT getSetting('max_threads') SETTINGS max_threads = 1") == [(1,)]


def test_an_error_has_code_name_and_the_stores_words(web: StoreClient, loader: StoreClient) -> None:
    with pytest.raises(StoreError) as caught:
        web.rows("SELECT * FROM not_there")
    error = caught.value
    assert (error.code, error.name) == (60, "UNKNOWN_TABLE")
    assert "not_there" in error.message
    assert "version" not in error.message
    with pytest.raises(StoreError) as caught:
        web.command("INSERT INTO rows VALUES (1, 'x')")
    assert caught.value.code == 164
    with pytest.raises(StoreError) as caught:
        web.rows("SELECT throwIf(number = 400000) FROM numbers(1000000)", settings={"max_block_size": 1000})
    assert caught.value.code == 395


def test_a_file_of_the_spool_is_inserted_once_under_its_token(process: StoreProcess, loader: StoreClient) -> None:
    loader.command(
        "CREATE TABLE once (a Int32) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 9"
    )
    path = process.spool / "5.tsv"
    path.write_text("1\n2\n")
    for _ in range(2):
        loader.insert_file("INSERT INTO once (a) FORMAT TSV", path, settings={"insert_deduplication_token": "5"})
    assert loader.rows("SELECT a FROM once ORDER BY a") == [(1,), (2,)]


def test_a_file_goes_as_the_body_where_the_store_is_elsewhere(process: StoreProcess, tmp_path: Path) -> None:
    """No server is here: what is sent is looked at instead."""
    import http.server

    seen: list[tuple[str, bytes]] = []

    class Elsewhere(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            if self.headers.get("Transfer-Encoding") == "chunked":
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
            else:
                body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((self.path, body))
            answer = process.ask(body=body, path=self.path, user="loader", headers={"X-ClickHouse-Database": "default"})
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.startswith(("X-", "Content-Type")):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST  # noqa: N815 - the base class asks for this name

        def log_message(self, *_: object) -> None:
            """Quiet."""

    process.ask("CREATE DATABASE IF NOT EXISTS other")
    process.ask("CREATE TABLE IF NOT EXISTS other.t (a Int32) ENGINE = MergeTree ORDER BY a")
    path = tmp_path / "rows.tsv"
    path.write_bytes(b"".join(b"%d\n" % n for n in range(50_000)))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = StoreClient.remote(f"http://u:p%40@127.0.0.1:{server.server_address[1]}/other")
        client.insert_file(
            "INSERT INTO t (a) SETTINGS max_threads = 1 FORMAT TSV", path, settings={"insert_deduplication_token": "r"}
        )
        assert client.rows("SELECT count() FROM t") == [(50_000,)]
        client.close()
        server.shutdown()
    (sent,) = [(target, body) for target, body in seen if "INSERT" in target]
    assert "insert_deduplication_token=r" in sent[0]
    assert "database=other" in sent[0]
    assert sent[1] == path.read_bytes()


@pytest.mark.parametrize("url", ["", "localhost:8123", "ftp://x/", "http://"])
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(ValueError, match="looks like"):
        StoreClient.remote(url)


def test_a_store_that_is_away_is_unavailable_and_found_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    client = StoreClient.embedded(tmp_path / "store.sock", "web")
    with pytest.raises(StoreUnavailable):
        client.rows("SELECT 1")
    with StoreProcess(tmp_path) as process:
        StoreClient.embedded(process.socket, "loader").command("CREATE DATABASE sonde")
        assert client.rows("SELECT 1") == [(1,)]
        process.process.kill()
        process.process.wait()
        with pytest.raises(StoreUnavailable):
            client.rows("SELECT 1")
        process.start()
        assert client.rows("SELECT 2") == [(2,)]
        assert process.stop() == 0
    assert caplog.records == []
    client.close()


def test_many_threads_share_one_client(web: StoreClient) -> None:
    def ask(number: int) -> list[tuple[object, ...]]:
        return web.rows("SELECT {n:UInt32}", {"n": number})

    calls = [Background(lambda n=n: ask(n)) for n in range(3 * POOL_CONNECTIONS)]
    assert [call.result() for call in calls] == [[(n,)] for n in range(3 * POOL_CONNECTIONS)]


def test_the_client_brings_no_numeric_libraries_and_no_engine() -> None:
    heavy = ("numpy", "pandas", "pyarrow", "chdb")
    code = f"import sys, sonde.server.store.client; print([m for m in {heavy} if m in sys.modules])"
    got = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert got.stdout == "[]\n"
