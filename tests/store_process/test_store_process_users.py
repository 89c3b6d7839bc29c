"""Who may do what, from where."""

# ruff: noqa: S608 - the names put into statements are the tests' own
from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from store_process_harness import PASSWORD, Answer, basic

if TYPE_CHECKING:
    from pathlib import Path

    from store_process_harness import StoreProcess


@pytest.fixture(scope="module")
def secret(process: StoreProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of somebody's, and a table of ours."""
    path = tmp_path_factory.mktemp("secret") / "secret.csv"
    path.write_text("hidden\n")
    process.ask("CREATE TABLE default.plain (x String) ENGINE = MergeTree ORDER BY x")
    process.ask("INSERT INTO default.plain VALUES ('seen')")
    return path


READING_FILES = [
    "SELECT file('{f}')",
    "SELECT `file`('{f}')",
    "SELECT \"file\"('{f}')",
    "SELECT file /* a */ -- b\n ('{f}')",
    "SELECT arrayMap(file, ['{f}'])",
    "SELECT * APPLY file FROM (SELECT '{f}')",
    "SELECT * APPLY(file) FROM (SELECT '{f}')",
    "WITH x -> file(x) AS f SELECT arrayMap(f, ['{f}'])",
    "SELECT $a$ ' $a$, file('{f}'), $a$ ' $a$",
    "SELECT 1 /* /* */ ' */, file('{f}') -- '",
    "SELECT 1 AS $x, file('{f}'), 2 AS $x, file('{f}'), 2 AS $x",
    "SELECT file\u2028('{f}')",
    "SELECT * FROM file\ufeff('{f}')",
    "SELECT ‘ ' ’, file('{f}'), ‘ ' ’",
    "SELECT '\\\\', file('{f}'), '\\\\'",
    "SELECT arrayMap({{i:Identifier}}, ['{f}'])",
    "SELECT * FROM file('{f}')",
    "SELECT * FROM FILE('{f}')",
    "SELECT * FROM `file`('{f}')",
    "DESCRIBE TABLE file('{f}')",
    "DESCRIBE TABLE `{f}`",
    "DESCRIBE '{f}'",
    "SELECT * FROM '{f}'",
    "SELECT * FROM `{f}`",
    "SELECT * FROM default.`{f}`",
    "SELECT * FROM {{p:Identifier}}",
    "EXPLAIN SELECT * FROM `{f}`",
    "SELECT * FROM merge('default', '.*secret.*')",
    "SELECT * FROM fileCluster('x', '{f}')",
    "SELECT * FROM url('file://{f}')",
    "SELECT * FROM sqlite('{f}', 't')",
    "SELECT * FROM executable('cat {f}', 'TSV', 'x String')",
    "SELECT * FROM eval('SELECT file(''{f}'')')",
    "SELECT * FROM loop(file('{f}'))",
    "CREATE TEMPORARY TABLE t ENGINE = File(CSV, '{f}')",
    "SELECT * FROM VALUES('x String', file('{f}'))",
]


@pytest.mark.parametrize("user", ["web", "sql"])
@pytest.mark.parametrize("sql", READING_FILES)
def test_readers_see_no_files(process: StoreProcess, secret: Path, user: str, sql: str) -> None:
    got = process.ask(sql.format(f=secret), user=user, param_i="file", param_p=str(secret))
    assert got.status >= 400, got.text
    assert "hidden" not in got.text


NETWORK = [
    "url('http://127.0.0.1:1/', CSV, 'x String')",
    "remote('127.0.0.1:1', system.one)",
    "s3('http://127.0.0.1:1/b/x')",
]
NETWORK += [
    "mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "python(os)",
    "PyThOn(x)",
]


@pytest.mark.parametrize("user", ["web", "sql"])
@pytest.mark.parametrize("function", NETWORK)
def test_readers_reach_neither_the_network_nor_this_process(process: StoreProcess, user: str, function: str) -> None:
    for sql in (
        f"SELECT * FROM {function}",
        f"DESCRIBE TABLE {function}",
        f"SELECT * FROM view(SELECT * FROM {function})",
    ):
        got = process.ask(sql, user=user)
        assert (got.status, got.code) == (403, 497), got.text
    assert process.ask("SELECT aiGenerate('x')", user=user).code == 497


@pytest.mark.parametrize("user", ["web", "sql", "loader"])
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 INTO OUTFILE '{f}'",
        "SELECT 1 INTO/**/outfile '{f}' TRUNCATE FORMAT TSV",
        "SHOW DATABASES INTO OUTFILE '{f}'",
        "EXPLAIN SELECT 1 INTO OUTFILE '{f}'",
        "INSERT INTO plain FROM INFILE '{f}' FORMAT CSV",
    ],
)
def test_nobody_reads_or_writes_files_by_clause(process: StoreProcess, tmp_path: Path, user: str, sql: str) -> None:
    assert process.ask(sql.format(f=tmp_path / "out"), user=user).status in {400, 403, 501}
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("user", ["web", "sql"])
@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO plain VALUES ('x')",
        "INSERT INTO plain SELECT 'x'",
        "INSERT INTO FUNCTION file('/tmp/never.csv') SELECT 1",
        "WITH 1 AS x INSERT INTO plain SELECT 'x'",
        "CREATE TABLE other (x String) ENGINE = Memory",
        "CREATE TEMPORARY TABLE other (x String)",
        "CREATE FUNCTION f AS x -> x",
        "DROP TABLE plain",
        "TRUNCATE TABLE plain",
        "ALTER TABLE plain DELETE WHERE 1",
        "OPTIMIZE TABLE plain",
        "SYSTEM DROP MARK CACHE",
        "KILL QUERY WHERE 1",
        "BACKUP TABLE plain TO File('/tmp/never')",
        "SET readonly = 0",
        "SELECT 1 SETTINGS readonly = 0",
    ],
)
def test_readers_change_nothing(process: StoreProcess, secret: Path, user: str, sql: str) -> None:
    got = process.ask(sql, user=user)
    assert (got.status, got.code) == (403, 164), got.text
    assert process.values("SELECT x FROM default.plain") == ["seen"]


@pytest.mark.parametrize("user", ["web", "sql"])
def test_readers_cannot_lift_read_only_within_a_session(process: StoreProcess, user: str) -> None:
    session = f"lift-{user}"
    assert process.ask("SET readonly = 0", user=user, session_id=session).code == 164
    assert process.ask("SELECT 1", user=user, session_id=session, readonly=0).code == 164
    assert process.ask("CREATE TABLE z (x String) ENGINE = Memory", user=user, session_id=session).code == 164


@pytest.mark.parametrize("user", ["web", "sql"])
def test_readers_read(process: StoreProcess, secret: Path, user: str) -> None:
    for sql, text in {
        "SELECT x FROM plain": "seen\n",
        "SELECT 'file(1)' -- file('x')": "file(1)\n",
        "SELECT t.file FROM (SELECT 1 AS `x`, 2 AS y) AS t ARRAY JOIN [1] AS z": None,
        "SELECT format('{}-{}', 'a', 'b')": "a-b\n",
        "SELECT sum(number) FROM numbers(10)": "45\n",
        "SELECT count() FROM system.tables WHERE name = 'plain'": "1\n",
        "SELECT 'INTO OUTFILE'": "INTO OUTFILE\n",
    }.items():
        got = process.ask(sql, user=user)
        assert got.code != 497, got.text
        assert text is None or got.text == text


def test_web_may_set_within_its_caps(process: StoreProcess) -> None:
    assert process.ask("SELECT getSetting('max_threads')", user="web", max_threads=1).text == "1\n"
    clause = "SELECT getSetting('max_threads') SETTINGS max_threads = 1"
    assert process.ask(clause, user="web").text == "1\n"
    assert process.ask("SELECT getSetting('max_execution_time')", user="web", max_execution_time=3).text == "3\n"
    for value in ("1000000", "0", "-1"):
        got = process.ask("SELECT 1", user="web", max_execution_time=value)
        assert (got.code, "max_execution_time" in got.text) == (452, True)
    assert process.ask("SELECT 1 SETTINGS max_execution_time = 1000000", user="web").code == 452
    for hidden in (
        "SELECT * FROM (SELECT 1 SETTINGS max_execution_time = 1000000)",
        "SELECT 1 SETTINGS readonly = 0 UNION ALL SELECT 2",
        "SELECT 1 SETTINGS max_threads = 1 SETTINGS max_threads = 2",
        "SELECT * FROM (SELECT 1 settings /* */ `max_threads` = 1) SETTINGS max_threads = 1",
    ):
        assert process.ask(hidden, user="web").code in {62, 164}


def test_sql_sets_nothing(process: StoreProcess) -> None:
    assert process.ask("SELECT 1", user="sql", max_threads=1).code == 164
    assert process.ask("SELECT 1 SETTINGS max_threads = 1", user="sql").code == 164
    assert (
        process.ask("SELECT getSetting('readonly'), getSetting('max_result_rows')", user="sql").text == "1\t1000000\n"
    )


# -- over TCP ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "headers",
    [basic("sql", PASSWORD), {"X-ClickHouse-User": "sql", "X-ClickHouse-Key": PASSWORD}],
    ids=["basic", "headers"],
)
def test_sql_is_let_in_over_tcp_with_its_password(process: StoreProcess, headers: dict[str, str]) -> None:
    connection = process.tcp()
    connection.request("POST", "/", body="SELECT 1", headers=headers)
    assert connection.getresponse().read() == b"1\n"
    connection.close()


def test_sql_is_let_in_with_the_password_in_the_address(process: StoreProcess) -> None:
    connection = process.tcp()
    connection.request("GET", "/?user=sql&password=a%20password%20with%20%3A%20in%20it&query=SELECT%201")
    assert connection.getresponse().read() == b"1\n"
    connection.close()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("sql", "wrong"),
        basic("sql", ""),
        basic("loader", PASSWORD),
        basic("web", PASSWORD),
        basic("nobody", PASSWORD),
        basic("default", ""),
        {"Authorization": "Basic !!!"},
        {"Authorization": "Bearer abc"},
        {"X-ClickHouse-User": "loader"},
        {**basic("sql", PASSWORD), "X-ClickHouse-User": "loader"},
    ],
)
def test_everybody_else_is_refused_over_tcp(process: StoreProcess, headers: dict[str, str]) -> None:
    connection = process.tcp()
    connection.request("POST", "/", body="SELECT 1", headers=headers)
    got = connection.getresponse()
    assert (got.status, got.headers["X-ClickHouse-Exception-Code"]) == (401, "516")
    assert b"AUTHENTICATION_FAILED" in got.read()
    connection.close()


def test_over_tcp_there_are_no_counters_and_no_spool(process: StoreProcess) -> None:
    connection = process.tcp()
    connection.request("GET", "/metrics")
    got = connection.getresponse()
    assert got.status == 404
    got.read()
    spool = {**basic("sql", PASSWORD), "X-Sonde-Spool-File": "1.tsv"}
    connection.request("POST", "/?query=INSERT+INTO+plain+FORMAT+TSV", body=b"", headers=spool)
    got = connection.getresponse()
    assert got.status == 403
    got.read()
    connection.close()


def test_an_unknown_user_of_the_unix_socket_is_refused(process: StoreProcess) -> None:
    assert process.ask("SELECT 1", user="nobody").code == 516
    assert process.ask("SELECT 1", headers={"X-ClickHouse-User": ""}).code == 516


def test_the_unix_socket_is_for_its_owner(process: StoreProcess) -> None:
    assert process.socket.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_id_is_refused_even_where_the_file_mode_lets_it_in(process: StoreProcess) -> None:
    """Mode and folder could be opened by mistake: the peer's user id is asked of the kernel as well."""
    code = f"""
import os, socket
s = socket.socket(socket.AF_UNIX)
os.chdir({str(process.folder)!r})
os.setgroups([]), os.setgid(65534), os.setuid(65534)
s.connect({process.socket.name!r})
try:
    s.sendall(b"GET /ping HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    print(s.recv(100))
except ConnectionError:
    print(b"")
"""
    process.socket.chmod(0o666)
    modes = {folder: folder.stat().st_mode for folder in (process.folder, *process.folder.parents[:3])}
    try:
        for folder in modes:
            folder.chmod(0o755)
        got = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    finally:
        process.socket.chmod(0o600)
        for folder, mode in modes.items():
            folder.chmod(mode)
    assert got.stdout == "b''\n"


def test_clickhouse_connect_as_it_is_works_for_a_reader(process: StoreProcess, secret: Path) -> None:
    client = process.client(user="sql")
    assert client.query("SELECT x FROM plain WHERE x = {x:String}", parameters={"x": "seen"}).result_rows == [("seen",)]
    client.close()


def test_grafanas_data_source_for_clickhouse_is_answered_over_tcp(process: StoreProcess, secret: Path) -> None:
    """Its requests as ClickHouse's client for Go writes them: Basic, the database and its settings in the address, the
    statement as the body, the format as a default.
    """

    def ask(sql: str, **more: object) -> Answer:
        shown = {"database": "default", "default_format": "Native", "max_execution_time": 10, **more}
        connection = process.tcp()
        try:
            connection.request("POST", f"/?{urlencode(shown)}", body=sql, headers=basic("sql", PASSWORD))
            got = connection.getresponse()
            return Answer(got.status, dict(got.headers), got.read())
        finally:
            connection.close()

    for sql in (
        "SELECT 1",
        "SELECT timeZone()",
        "SELECT displayName(), version(), revision(), timezone()",
        "SELECT name FROM system.databases",
        "SELECT name FROM system.tables WHERE database = 'default'",
        "DESC TABLE default.plain",
    ):
        got = ask(sql)
        assert got.status == 200, got.text
    assert b"seen" in ask("SELECT x FROM default.plain").body
    too_long = ask("SELECT 1", max_execution_time=3600)
    assert too_long.code == 452, too_long.text
    assert ask("SELECT 1", max_threads=8).code == 164
