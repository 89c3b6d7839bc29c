"""Time, memory, size and crowds: what is stopped, by whom, and what goes on meanwhile."""

# ruff: noqa: S608 - the names put into statements are the tests' own
from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from backports import zstd
from store_process_harness import PASSWORD, StoreProcess, basic, until

if TYPE_CHECKING:
    import http.client
    from collections.abc import Iterator

ENDLESS = "SELECT count() FROM system.numbers WHERE NOT ignore(sipHash64(number))"
SLOW_STREAM = "SELECT number, sleepEachRow(0.02) FROM system.numbers SETTINGS max_block_size = 5 FORMAT TSV"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreProcess]:
    """Statements above 50 ms are slow, web's may take 2 s."""
    folder = tmp_path_factory.mktemp("store")
    with StoreProcess(folder, "--slow-ms", "50", tcp=True, SONDE_QUERY_TIMEOUT_S="30") as running:
        yield running


def running(process: StoreProcess) -> float:
    return process.counter('sonde_store_running{kind="reader"}')


# -- time, memory, size -----------------------------------------------------------------------------------------------
def test_a_statement_that_takes_too_long_is_ended(process: StoreProcess) -> None:
    got = process.ask(ENDLESS, user="web", max_execution_time=0.2)
    assert (got.status, got.code) == (408, 159)


def test_a_statement_that_takes_too_much_memory_is_ended(process: StoreProcess) -> None:
    got = process.ask("SELECT groupArray(number) FROM numbers(10000000)", user="web", max_memory_usage=20 << 20)
    assert (got.status, got.code) == (500, 241)
    assert process.ask("SELECT 1").text == "1\n"


@pytest.mark.parametrize("form", ["TSV", "JSON"])
def test_a_result_that_is_too_large_is_refused(process: StoreProcess, form: str) -> None:
    sql = f"SELECT number FROM numbers(10000) FORMAT {form}"
    got = process.ask(sql, max_result_rows=100, user="web", max_block_size=1000)
    assert (got.status, got.code) == (500, 396)
    by_bytes = process.ask(sql, max_result_bytes=1000, user="web", max_block_size=1000)
    assert by_bytes.code == 396


def test_sql_gets_at_most_a_million_rows(process: StoreProcess) -> None:
    got = process.ask("SELECT number FROM numbers(1100000) FORMAT JSON", user="sql")
    assert (got.status, got.code) == (500, 396)


def test_a_statement_longer_than_the_engine_takes_is_refused(process: StoreProcess) -> None:
    sql = "SELECT length('" + "x" * (5 << 20) + "')"
    assert process.ask(sql, user="web").code == 62
    assert process.ask("SELECT length('" + "x" * (1 << 20) + "')", user="web").text == "1048576\n"


def test_a_body_larger_than_its_user_may_send_is_refused_before_it_is_read(process: StoreProcess) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65536

    connection = process.connection()
    with pytest.raises(OSError):  # noqa: PT011 - broken pipe or reset: the process stopped listening
        connection.request("POST", "/", body=endless(), headers={"X-ClickHouse-User": "sql"})
    got = connection.getresponse()
    assert (got.status, got.headers["X-ClickHouse-Exception-Code"]) == (413, "307")
    connection.close()
    assert process.ask("SELECT 1").text == "1\n"


def test_a_small_body_that_unpacks_to_a_huge_one_is_refused(process: StoreProcess) -> None:
    bomb = zstd.compress(b"x" * (64 << 20))
    assert len(bomb) < 100_000
    got = process.ask(body=bomb, user="web", headers={"Content-Encoding": "zstd"})
    assert (got.status, got.code) == (413, 307)


# -- bad HTTP ---------------------------------------------------------------------------------------------------------
def raw(process: StoreProcess, data: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(20)
        peer.connect(str(process.socket))
        with contextlib.suppress(OSError):  # it may be turned away before all is sent
            peer.sendall(data)
        answer = b""
        while piece := peer.recv(65536):
            answer += piece
        return answer


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"this is no HTTP\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: nonsense\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nzz\r\n", b"400"),
        (b"GET /?query=" + b"x" * (2 << 20) + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"h%d: x\r\n" % n for n in range(200_000)) + b"\r\n", b"431"),
    ],
    ids=["nonsense", "length", "both lengths", "long address", "many headers"],
)
def test_bytes_that_are_no_request_are_turned_away_and_counted(
    process: StoreProcess, data: bytes, status: bytes
) -> None:
    before = process.counter("sonde_store_bad_requests_total")
    assert raw(process, data).startswith(b"HTTP/1.1 " + status)
    assert process.counter("sonde_store_bad_requests_total") == before + 1
    assert process.ask("SELECT 1").text == "1\n"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_refused(process: StoreProcess, method: str) -> None:
    got = process.ask("SELECT 1", method=method)
    assert (got.status, got.code) == (501, 48)


def test_requests_in_one_packet_are_answered_in_order(process: StoreProcess) -> None:
    one = b"POST / HTTP/1.1\r\nHost: x\r\nX-ClickHouse-User: web\r\nContent-Length: 8\r\n\r\nSELECT %d"
    last = one.replace(b"Host: x", b"Host: x\r\nConnection: close")
    answer = raw(process, one % 1 + one % 2 + last % 3)
    assert [line for line in answer.split(b"\r\n") if line in {b"1\n", b"2\n", b"3\n"}] == [b"1\n", b"2\n", b"3\n"]


def test_an_old_client_gets_no_chunks(process: StoreProcess) -> None:
    answer = raw(process, b"GET /?query=SELECT+1&user=web HTTP/1.0\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == b"1\n"
    assert b"chunked" not in head


def test_a_client_that_asks_whether_to_send_is_told_to(process: StoreProcess) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nX-ClickHouse-User: web\r\nExpect: 100-continue\r\nConnection: close\r\n"
    answer = raw(process, head + b"Content-Length: 8\r\n\r\nSELECT 1")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("parameters", "code"), [({"compress": 1}, 48), ({"decompress": 1}, 48), ({"a-b": 1}, 115), ({"a b": 1}, 115)]
)
def test_what_is_not_known_is_told(process: StoreProcess, parameters: dict[str, object], code: int) -> None:
    assert process.ask("SELECT 1", user="web", **parameters).code == code


def test_external_tables_are_told_to_be_unknown(process: StoreProcess) -> None:
    body = b'--e\r\nContent-Disposition: form-data; name="t"; filename="t"\r\n\r\n1\n\r\n--e--\r\n'
    got = process.ask(
        "SELECT * FROM t", body, headers={"Content-Type": "multipart/form-data; boundary=e"}, t_structure="a Int8"
    )
    assert (got.status, got.code) == (501, 48)


# -- ending statements ------------------------------------------------------------------------------------------------
def started(process: StoreProcess, sql: str, user: str = "web", **parameters: object) -> http.client.HTTPConnection:
    """A connection on which `sql` runs, known to the engine."""
    connection = process.connection()
    address = "/?" + urlencode({"query_id": "started", **parameters})
    connection.request("POST", address, body=sql, headers={"X-ClickHouse-User": user})
    known = "SELECT count() > 1 FROM system.processes WHERE query LIKE '%system.numbers%'"
    until(lambda: process.values(known) == ["1"], "the statement runs")
    return connection


@pytest.mark.parametrize("sql", [ENDLESS, SLOW_STREAM])
def test_a_client_that_hangs_up_ends_its_query(process: StoreProcess, sql: str) -> None:
    killed = process.counter("sonde_store_killed_total")
    connection = started(process, sql)
    connection.close()
    until(lambda: running(process) == 0, "the query is gone")
    assert process.counter("sonde_store_killed_total") == killed + 1


def test_a_client_that_hangs_up_over_tcp_ends_its_query(process: StoreProcess) -> None:
    connection = process.tcp()
    connection.request("POST", "/", body=ENDLESS, headers=basic("sql", PASSWORD))
    until(lambda: running(process) == 1, "the statement runs")
    connection.close()
    until(lambda: running(process) == 0, "the query is gone")


def test_a_writer_whose_client_hangs_up_finishes(process: StoreProcess) -> None:
    process.ask("CREATE TABLE finished (a UInt64) ENGINE = MergeTree ORDER BY a")
    connection = process.connection()
    sql = "INSERT INTO finished SELECT number + sleepEachRow(0.05) FROM numbers(20)"
    connection.request("POST", "/?max_block_size=1", body=sql, headers={"X-ClickHouse-User": "loader"})
    connection.close()
    until(lambda: process.values("SELECT count() FROM finished") == ["20"], "the insert is done")


def test_the_loader_kills_by_the_clients_own_query_id(process: StoreProcess) -> None:
    connection = started(process, ENDLESS, query_id="the-endless-one")
    got = process.ask("KILL QUERY WHERE query_id = 'the-endless-one' ASYNC")
    assert got.status == 200, got.text
    answer = connection.getresponse()
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (500, "394")
    answer.read()
    connection.close()


def test_a_client_that_does_not_read_is_ended_by_its_time_limit(process: StoreProcess) -> None:
    """The limit counts what is left of the query while the client makes it wait."""
    connection = started(process, "SELECT repeat('x', 1000) FROM system.numbers FORMAT TSV", max_execution_time=0.5)
    answer = connection.getresponse()
    body = answer.read()
    assert b"TIMEOUT_EXCEEDED" in body[-2000:] or b"TOO_MANY_ROWS_OR_BYTES" in body[-2000:]
    connection.close()


def test_slow_statements_are_logged_in_one_line_without_parameters(process: StoreProcess) -> None:
    process.ask("SELECT sleep(0.1),\n {p:String}", user="web", query_id="slow-one", param_p="a secret of somebody")
    until(lambda: "slow-one" in process.log, "the slow statement is in the log")
    (line,) = [line for line in process.log.splitlines() if "slow-one" in line]
    assert "SELECT sleep(0.1), {p:String}" in line
    assert "secret" not in process.log


def test_errors_and_statements_are_counted(process: StoreProcess) -> None:
    errors = process.counter('sonde_store_errors_total{code="60"')
    selects = process.counter('sonde_store_statements_total{user="web",kind="select"}')
    process.ask("SELECT * FROM not_there", user="web")
    assert process.counter('sonde_store_errors_total{code="60"') == errors + 1
    assert process.counter('sonde_store_statements_total{user="web",kind="select"}') == selects + 1


# -- crowds -----------------------------------------------------------------------------------------------------------
def test_a_crowd_of_readers_is_turned_away_and_the_loader_gets_in(process: StoreProcess) -> None:
    process.ask("CREATE TABLE crowded (a UInt64) ENGINE = MergeTree ORDER BY a")
    sql = "SELECT sleepEachRow(0.5) FROM system.numbers"
    crowd = [process.connection() for _ in range(80)]
    try:
        for connection in crowd:
            connection.request("POST", "/?max_block_size=1", body=sql, headers={"X-ClickHouse-User": "web"})
        until(lambda: process.counter('sonde_store_gate_waiting{gate="readers"}') == 64, "the queue is full")
        late = process.ask("SELECT 1", user="web")
        assert (late.status, late.code) == (503, 202)
        assert int(late.headers["Retry-After"]) >= 1
        assert process.ask("INSERT INTO crowded VALUES (1)").status == 200
        assert process.values("SELECT count() FROM crowded") == ["1"]
        until(lambda: process.counter('sonde_store_gate_waiting{gate="readers"}') == 0, "those in the queue gave up")
        assert process.counter('sonde_store_gate_refused_total{gate="readers"}') >= 65
    finally:
        for connection in crowd:
            connection.close()
    until(lambda: running(process) == 0, "all are gone")
    assert process.ask("SELECT 1", user="web").text == "1\n"


def test_more_connections_than_there_is_room_for_are_turned_away(process: StoreProcess) -> None:
    refused = process.counter("sonde_store_connections_refused_total")
    crowd = [process.tcp() for _ in range(70)]
    try:
        for connection in crowd:
            connection.connect()
        until(lambda: process.counter("sonde_store_connections_refused_total") >= refused + 6, "six were one too many")
        crowd[-1].request("GET", "/ping")
        assert crowd[-1].getresponse().status == 503
        assert process.ask("SELECT 1").text == "1\n"
    finally:
        for connection in crowd:
            connection.close()


def test_sessions_are_bounded(process: StoreProcess) -> None:
    got = [process.ask("SELECT 1", user="web", session_id=f"s{n}", session_timeout=1) for n in range(70)]
    assert {answer.status for answer in got} <= {200, 503}
    assert got[0].status == 200
    until(
        lambda: process.ask("SELECT 1", user="web", session_id="later", session_timeout=1).status == 200, "one expired"
    )
    assert process.counter("sonde_store_sessions") <= 64
