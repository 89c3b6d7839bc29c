"""sonde.track_leaks, the leak log, `sonde leaks` and the pytest plugin."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import sonde
from sonde.cli import main
from sonde.probe.plugins import asgi, wsgi
from sonde.probe.tools.leaks.handles import marking
from sonde.probe.tools.leaks.lines import Growing, Line, read, written
from sonde.probe.tools.leaks.log import LeakLog, rotated

HERE = __file__
kept = []


@pytest.fixture
def log(tmp_path, monkeypatch):
    path = tmp_path / "state" / "leaks.log"
    monkeypatch.setenv("SONDE_LEAK_LOG", str(path))
    yield path
    marking.off()
    kept.clear()


def line_of(marker):
    lines = Path(HERE).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith(f"# {marker}"))


def places(log):
    """Lines that have kept memory in most loops: an event loop's own queue does so now and then."""
    found = {}
    for line in read(log.read_text().splitlines()):
        if line.kind == "line":
            found.setdefault(line.place, set()).add(line.loop)
    return {place for place, loops in found.items() if len(loops) >= 4}


def test_a_loops_lines_have_the_known_form():
    text = written(
        24265, 8,
        [Line("/app/http_server.py:125", 12928), Line("/app/http_server.py:129", 12928)],
    )  # fmt: skip

    assert text == (
        "[24265 (Loop 8)] /app/http_server.py:125 => [12928]\n"
        "[24265 (Loop 8)] /app/http_server.py:129 => [12928]\n"
        "[24265 (Loop 8)] ❌ This Loop TotalLeak: [25856]\n"
    )
    assert written(16916, 5, []) == "[16916 (Loop 5)] ✅ Nice!! No Leak Were Detected In This Loop\n"


def test_what_is_written_is_read_back():
    text = written(
        7, 2,
        [Line("/a b/ü.py:37", -12288, ((0, "/a b/ü.py:42", 12288),))],
        [Growing("/a b/ü.py:5", 8, 2304)],
    )  # fmt: skip

    assert "Free Pre (Loop 0) : /a b/ü.py:42 => [12288]\n" in text
    assert (
        "The Possible Leak As Malloc Size Keep Growth:\n/a b/ü.py:5 => Growth Times : [8]; Growth Size : [2304]\n"
        in text
    )
    found = {line.kind: line for line in read(text.splitlines())}
    assert (found["line"].pid, found["line"].loop, found["line"].size) == (7, 2, -12288)
    assert (found["freed"].loop, found["freed"].place, found["freed"].size) == (0, "/a b/ü.py:42", 12288)
    assert found["total"].size == -12288
    assert (found["growing"].times, found["growing"].size) == (8, 2304)


def test_at_the_top_of_a_function_each_call_ends_the_loop_before(log):
    def handler(i):
        sonde.track_leaks()
        kept.append("top" * 30 + str(i))  # top

    for i in range(8):
        handler(i)

    assert places(log) == {f"{HERE}:{line_of('top')}"}
    assert {line.loop for line in read(log.read_text().splitlines())} == {2, 3, 4, 5, 6}


def test_as_a_block_only_what_is_in_it_counts(log):
    for i in range(8):
        with sonde.track_leaks():
            kept.append("in" * 30 + str(i))  # in the block
        kept.append("out" * 30 + str(i))

    assert places(log) == {f"{HERE}:{line_of('in the block')}"}


def test_as_a_decorator_it_is_around_each_call(log):
    @sonde.track_leaks
    def plain(i):
        """Said of it."""
        kept.append("plain" * 30 + str(i))  # plain
        return i

    @sonde.track_leaks()
    async def later(i):
        await asyncio.sleep(0)
        kept.append("later" * 30 + str(i))  # later
        return i

    assert [plain(i) for i in range(8)] == list(range(8))
    assert plain.__doc__ == "Said of it."

    async def serve():
        return [await later(i) for i in range(8)]

    assert asyncio.run(serve()) == list(range(8))
    assert places(log) == {f"{HERE}:{line_of('plain')}", f"{HERE}:{line_of('later')}"}


def test_an_exception_passes_and_ends_the_loop(log):
    @sonde.track_leaks
    def failing(i):
        raise ValueError(i)

    for i in range(6):
        with pytest.raises(ValueError, match=str(i)):
            failing(i)

    assert log.read_text().count("No Leak") == 4


def test_as_middleware_each_request_is_a_loop_until_its_body_is_closed(log):
    @sonde.track_leaks
    def application(environ, start_response):
        start_response("200 OK", [])

        def body():
            yield b"a"
            kept.append("body" * 30 + environ["PATH_INFO"])  # body

        return body()

    for i in range(8):
        body = application({"wsgi.input": None, "PATH_INFO": f"/{i}"}, lambda *_: None)
        assert b"".join(body) == b"a"
        body.close()

    assert places(log) == {f"{HERE}:{line_of('body')}"}


def test_as_asgi_middleware_it_leaves_lifespan_alone(log):
    seen = []

    class Application:
        async def __call__(self, scope, receive, send):
            seen.append(scope["type"])
            await asyncio.sleep(0)
            kept.append("asgi" * 30 + str(len(seen)))  # asgi

    application = sonde.track_leaks(Application())

    async def serve():
        await application({"type": "lifespan"}, None, None)
        for _ in range(8):
            await asyncio.create_task(application({"type": "http"}, None, None))

    asyncio.run(serve())

    assert seen[0] == "lifespan"
    assert places(log) == {f"{HERE}:{line_of('asgi')}"}


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_in_a_handler_of_a_request_that_the_probe_sees_it_lasts_until_the_requests_end(log, interface):
    def handle(i):
        sonde.track_leaks()
        return i

    def application(environ, start_response):
        handle(0)
        start_response("200 OK", [])
        kept.append("after" * 30 + environ["PATH_INFO"])  # after the handler
        return [b""]

    async def asgi_application(scope, receive, send):
        handle(0)
        await asyncio.sleep(0)
        kept.append("after" * 30 + scope["path"])  # in the coroutine

    async def requests():
        for i in range(9):
            scope = {"type": "http", "method": "GET", "path": f"/{i}", "headers": []}
            await asyncio.create_task(asgi.serve(asgi_application, scope, None, None))
            kept.append("between" * 30 + str(i))

    if interface == "asgi":
        asyncio.run(requests())
        expected = "in the coroutine"
    else:
        for i in range(9):
            environ = {
                "REQUEST_METHOD": "GET", "wsgi.url_scheme": "http", "SERVER_NAME": "t", "SERVER_PORT": "80",
                "SERVER_PROTOCOL": "HTTP/1.1", "PATH_INFO": f"/{i}",
            }  # fmt: skip
            wsgi.serve(application, environ, lambda *_: None)
            kept.append("between" * 30 + str(i))
        expected = "after the handler"

    assert f"{HERE}:{line_of(expected)}" in places(log)
    assert len(places(log)) == 1


def test_the_analysis_names_leaks_of_all_processes_and_forgets_what_was_freed(log, capsys):
    log.parent.mkdir()
    text = ""
    for pid in (11, 12):
        for loop in range(2, 12):
            text += written(
                pid, loop,
                [Line("/app/shop.py:5", 100), Line("/app/shop.py:9", 60)]
                + ([Line("/app/shop.py:11", -60, ((loop - 2, "/app/shop.py:9", 60),))] if loop > 3 else []),
            )  # fmt: skip
    log.write_text(text)

    assert main(["leaks", "analyze"]) == 1

    said = capsys.readouterr().out.splitlines()
    assert said[0] == "20 loops of 2 processes judged, 0 of them clean"
    rows = [line.split() for line in said[2:]]
    assert rows[0] == ["leak", "2,000", "20", "100", "2", "/app/shop.py:5"]
    assert all(row[-1] != "/app/shop.py:9" or row[0] != "leak" for row in rows)


def test_the_log_can_be_cleaned_and_missing_it_is_said(log, capsys):
    LeakLog(log, 1 << 20).write(written(1, 2, []))
    LeakLog(rotated(log), 1 << 20).write(written(1, 1, []))

    assert main(["leaks", "clean"]) == 0
    assert not log.exists()
    assert not rotated(log).exists()
    assert main(["leaks", "clean"]) == 0
    assert main(["leaks", "analyze", str(log)]) == 1
    assert "there is no such log" in capsys.readouterr().err


def test_a_clean_log_is_no_failure(log, capsys):
    LeakLog(log, 1 << 20).write(written(1, 2, []))

    assert main(["leaks", "analyze"]) == 0
    assert "no line keeps memory" in capsys.readouterr().out


def test_the_log_stays_within_bounds_and_is_its_owners_alone(log):
    writer = LeakLog(log, 1 << 14)
    for loop in range(2000):
        writer.write(written(1, loop, [Line("/app/shop.py:5", 100)]))

    assert log.stat().st_mode & 0o777 == 0o600
    assert log.stat().st_size + rotated(log).stat().st_size <= (1 << 14) + 200
    assert writer.lost == 0


def test_a_log_that_cannot_be_written_is_counted_and_the_program_goes_on(tmp_path):
    (tmp_path / "file").write_text("")
    writer = LeakLog(tmp_path / "file" / "leaks.log", 1 << 20)

    writer.write("x\n")

    assert writer.lost == 1
    assert writer.last_error


def test_forked_workers_track_their_own_loops(log):
    program = textwrap.dedent(
        """
        import os
        import sonde
        kept = []
        def handler(i):
            sonde.track_leaks()
            kept.append("worker" * 20 + str(i))
        for i in range(4):
            handler(i)
        for _ in range(2):
            if os.fork() == 0:
                for i in range(12):
                    handler(i)
                os._exit(0)
        for _ in range(2):
            _, status = os.wait()
            assert status == 0, status
        """
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, env=os.environ)

    pids = {line.pid for line in read(log.read_text().splitlines()) if line.kind == "total"}
    assert len(pids) == 3


def test_the_pytest_plugin_fails_a_test_that_keeps_memory_and_leaves_others_alone(tmp_path):
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent(
            """
            import pytest
            store, calls = [], []

            @pytest.mark.no_leaks(loops=12)
            def test_keeps():
                store.append({"a": [1, 2, 3]})

            @pytest.mark.no_leaks
            def test_clean(tmp_path):
                assert [{"a": i} for i in range(10)]

            def test_unmarked():
                calls.append(1)
                store.append({"b": len(calls)})
                assert len(calls) == 1

            @pytest.mark.no_leaks
            def test_fails():
                assert "this" == "that"
            """
        )
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "sonde.pytest_plugin"]
    bare = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # where it is installed, it would be there twice

    ran = subprocess.run(
        [*command, "test_it.py"], cwd=tmp_path, env=bare, capture_output=True, text=True, timeout=120, check=False
    )

    assert "2 failed, 2 passed" in ran.stdout, ran.stdout + ran.stderr
    assert "test_it.py:7 => " in ran.stdout
    assert "held by test_it.store → list[" in ran.stdout
    assert "AssertionError" in ran.stdout
    ran = subprocess.run(
        [*command, "--sonde-leaks", "-k", "clean or unmarked", "test_it.py"],
        cwd=tmp_path, env=bare, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "1 failed, 1 passed" in ran.stdout, "asked for all, the unmarked one is run in loops, too"
