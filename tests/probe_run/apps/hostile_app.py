"""Does what a program should not, hostile_app.py WAY: what comes of it has to be the same with and without the probe.

What it writes to standard output says nothing that differs between two runs.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import gc
import http.client
import importlib
import importlib.util
import io
import os
import resource
import signal
import sqlite3
import sys
import threading
import time
import unittest.mock
from pathlib import Path
from wsgiref.handlers import SimpleHandler

import sonde


def say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201


def name_of(thing: object) -> str:
    """Of its type, whatever that makes of the question."""
    return type.__dict__["__name__"].__get__(type(thing))


def attempt(name: str, call) -> None:
    """What came of it: the result's type, or the exception with the functions of ours it went through."""
    try:
        result = call()
    except BaseException as error:
        context = name_of(error.__context__)
        said = [word if type(word) is str else name_of(word) for word in error.args[:1]]
        say(name, "raised", name_of(error), said, context)
    else:
        say(name, "returned", name_of(result))


def query(connection=None) -> None:
    made = connection or sqlite3.connect(":memory:")
    made.execute("select 1").fetchall()
    if connection is None:
        made.close()


class EvilError(Exception):
    def __str__(self):
        raise ValueError("str")

    def __repr__(self):
        raise ValueError("repr")

    def __hash__(self):
        raise ValueError("hash")

    def __eq__(self, other):
        raise ValueError("eq")

    def __getattr__(self, name):
        if name.startswith("__"):  # Python's own traceback asks for these
            raise AttributeError(name)
        raise ValueError(f"getattr {name}")


class Evil:
    """Refuses everything."""

    def _refuse(self, *_args):
        raise EvilError

    __str__ = __repr__ = __hash__ = __eq__ = __bool__ = __len__ = __iter__ = __int__ = __float__ = _refuse
    __format__ = __bytes__ = __index__ = __contains__ = __getitem__ = _refuse

    def __getattr__(self, name):
        raise EvilError(name)

    def __del__(self):
        query()


class EvilText(str):
    """A string in name."""

    __slots__ = ()

    def _refuse(self, *_args):
        raise EvilError

    __str__ = __repr__ = __hash__ = __eq__ = __len__ = __iter__ = __getitem__ = __format__ = encode = _refuse
    split = strip = lower = upper = startswith = partition = isascii = _refuse


class EvilType(type):
    def __repr__(cls):
        raise EvilError

    def __getattribute__(cls, name):
        if name in {"__module__", "__name__", "__qualname__", "__mro__"}:
            raise EvilError(name)
        return super().__getattribute__(name)


class EvilExit(BaseException, metaclass=EvilType):
    pass


def attributes() -> None:
    def evil_start() -> None:
        with sonde.span("span", evil=Evil(), text=EvilText("x")):
            pass

    def evil_values() -> None:
        with sonde.span("span"):
            for value in (Evil(), EvilText("y"), [Evil()], {"a": Evil()}, (EvilText("z"),), object(), type, len):
                sonde.tag("key", value)
                sonde.event("event", key=value)

    def evil_block() -> None:
        with sonde.span("with"):
            raise EvilError

    attempt("start", evil_start)
    attempt("values", evil_values)
    attempt("block", evil_block)
    attempt("error", raiser(EvilError()))
    attempt("class", raiser(EvilExit()))
    query()
    gc.collect()


def raiser(error):
    @sonde.traced
    def call():
        raise error

    return call


def statements() -> None:
    connection = sqlite3.connect(":memory:")
    for number, statement in enumerate(
        (EvilText("select 1"), Evil(), None, 1, b"select 1", "", "select", "\0", "select '\ud800'", "🙂" * 1000)
    ):
        attempt(f"statement {number}", lambda statement=statement: connection.execute(statement))
        attempt(f"many {number}", lambda statement=statement: connection.executemany(statement, [()]))
    attempt("evil parameters", lambda: connection.execute("select ?", Evil()))
    attempt("evil parameter", lambda: connection.execute("select ?", [Evil()]))
    attempt("arguments", connection.execute)
    attempt("more arguments", lambda: connection.execute("select 1", (), 3, x=4))
    attempt("connect", sqlite3.connect)
    attempt("connect to evil", lambda: sqlite3.connect(Evil()))
    attempt("connect by evil", lambda: sqlite3.connect(":memory:", factory=Evil))
    attempt("request", lambda: http.client.HTTPConnection(EvilText("127.0.0.1"), 9).request("GET", "/"))
    attempt("request to evil", lambda: http.client.HTTPConnection("127.0.0.1", 9).request(Evil(), Evil()))


def wsgi() -> None:
    from flask import Flask

    def run(name, application):
        output, errors = io.BytesIO(), io.StringIO()
        environ = {
            "REQUEST_METHOD": "GET", "SERVER_NAME": "localhost", "SERVER_PORT": "80", "PATH_INFO": "/",
            "SERVER_PROTOCOL": "HTTP/1.1",
        }  # fmt: skip
        handler = SimpleHandler(io.BytesIO(), output, errors, environ)
        handler.http_version = "1.0"
        attempt(name, lambda: handler.run(application))
        last = errors.getvalue().strip().splitlines()[-1:]
        say(name, [line for line in output.getvalue().splitlines() if not line.startswith(b"Date")], last)

    def start(status="200 OK", headers=()):
        def application(_environ, start_response):
            start_response(status, list(headers))
            return [b"body"]

        return application

    def generator(_environ, start_response):
        try:
            start_response("200 OK", [])
            yield b"one"
            yield b"two"
        finally:
            raise EvilError

    class Body:
        def __init__(self, then=None):
            self.then = then

        def __iter__(self):
            return iter([b"x"])

        def close(self):
            say("closed")
            if self.then:
                raise self.then

    def body(then):
        def application(_environ, start_response):
            start_response("200 OK", [])
            return Body(then)

        return application

    def twice(_environ, start_response):
        start_response("200 OK", [])
        try:
            int("in between")
        except ValueError:
            start_response("500 Oh", [], sys.exc_info())
        return [b"second"]

    def raising(_environ, _start_response):
        raise EvilExit

    def of_environ(environ, start_response):
        start_response("200 OK", [])
        environ.clear()
        return [b"cleared"]

    def written(_environ, start_response):
        start_response("200 OK", [])(b"written")
        return iter(())

    def nothing(_environ, start_response):
        start_response("200 OK", [])

    framework = Flask("hostile")

    @framework.route("/")
    def index():
        raise EvilError

    for name, application in {
        "plain": start(), "short": start(""), "text": start(EvilText("200 OK")), "evil": start(Evil()),
        "number": start(200), "header": start(headers=[(Evil(), Evil())]), "generator": generator,
        "close": body(None), "raises in close": body(EvilError()), "exits in close": body(EvilExit()),
        "twice": twice, "raising": raising, "environ": of_environ, "written": written, "nothing": nothing,
        "none": None, "framework": framework,
    }.items():  # fmt: skip
        run(name, application)


def asgi() -> None:
    gc.disable()  # an asynchronous generator that was left open is complained of when it is collected

    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse, StreamingResponse
    from starlette.routing import Route

    async def evil(_request):
        raise EvilExit

    async def plain(_request):
        return PlainTextResponse("plain")

    async def stream(_request):
        async def chunks():
            try:
                yield b"a"
                yield b"b"
            finally:
                raise ValueError("in aclose")

        return StreamingResponse(chunks())

    application = Starlette(routes=[Route("/plain", plain), Route("/evil", evil), Route("/stream", stream)])

    async def run(name, scope, fail_at=-1):
        sent = []

        async def receive():
            await asyncio.sleep(0)
            return {"type": "http.disconnect"}

        async def send(message):
            if len(sent) == fail_at:
                raise EvilError
            sent.append(message.get("type"))

        try:
            await application(scope, receive, send)
        except BaseException as error:
            say(name, name_of(error), name_of(error.__context__), sent)
        else:
            say(name, "went", sent)

    async def all_of_them():
        for path in ("/plain", "/evil", "/stream", "/none"):
            scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b"", "root_path": ""}
            await run(path, dict(scope))
            await run(f"{path} send", dict(scope), 0)
            await run(f"{path} later", dict(scope), 1)
            await run(f"{path} headers", {**scope, "headers": [(b"traceparent", b"\xff" * 10_000)]})
            await run(f"{path} server", {**scope, "server": ("x", None), "client": None, "http_version": "3"})
            task = asyncio.create_task(run(f"{path} cancelled", dict(scope)))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await run("kind", {"type": "other"})

    asyncio.run(all_of_them())


def patched() -> None:
    """Others wrap what we wrap, before and after us, and take it away again, in any order."""
    calls = []
    first = sqlite3.connect

    @functools.wraps(first)
    def outer(*args, **kwargs):
        calls.append("outer")
        return first(*args, **kwargs)

    sqlite3.connect = outer
    query()
    with unittest.mock.patch("sqlite3.connect") as mocked:
        sqlite3.connect(":memory:")
        say(mocked.call_count)
    sqlite3.connect = first
    query()
    for module in ("sqlite3", "sqlite3.dbapi2"):
        importlib.reload(sys.modules[module])
    query()
    for module in ("sqlite3", "sqlite3.dbapi2"):
        del sys.modules[module]
    import sqlite3 as again

    again.connect(":memory:").execute("select 1")
    del sys.modules["sonde"]
    again.connect(":memory:").execute("select 1")
    say(calls, sqlite3.connect.__name__, sqlite3.connect.__module__)

    class Connection(http.client.HTTPConnection):
        def request(self, *args, **kwargs):
            calls.append("request")
            return super().request(*args, **kwargs)

        def putrequest(self, *args, **kwargs):
            calls.append("putrequest")
            return super().putrequest(*args, **kwargs)

    attempt("subclass", lambda: Connection("127.0.0.1", 9).request("GET", "/"))
    say(calls)


def imports() -> None:
    """Finders and loaders that misbehave."""
    query()

    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name.startswith("evil"):
                raise EvilError

    before = list(sys.meta_path)
    sys.meta_path.insert(0, Finder())
    attempt("evil", lambda: importlib.import_module("evil"))
    attempt("none", lambda: importlib.import_module("redis.no_such_module"))
    sys.meta_path[:] = [finder for finder in before if isinstance(finder, type)]
    attempt("without ours", lambda: importlib.import_module("wsgiref.simple_server"))
    sys.meta_path[:] = before
    spec = importlib.util.find_spec("redis")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = sys.modules["redis"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    attempt("lazy", lambda: module.Redis)
    sys.modules["flask"] = None
    attempt("forbidden", lambda: importlib.import_module("flask"))


def huge() -> None:
    text = "x" * (10 << 20)
    recursive: list = []
    recursive.append(recursive)
    mapping: dict = {}
    mapping["self"] = mapping
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    values = (
        text,
        text.encode(),
        recursive,
        mapping,
        deep,
        [text] * 3,
        1 << 100_000,
        float("nan"),
        -(1 << 63),
        "\ud800",
    )
    for value in values:
        with sonde.span("huge", value=value) as span:
            span.set(text[: 1 << 20], 1)
            sonde.event("event", value=value)
    with sonde.span(text):
        sonde.event(text)
    with sonde.span("many") as span:
        for number in range(20_000):
            span.set(f"key {number}", number)
            span.event("event", {"number": number})
    attempt("message", raiser(ValueError(text[:3])))
    attempt("long statement", lambda: sqlite3.connect(":memory:").execute(f"select '{text}'"))
    with contextlib.suppress(ValueError), sonde.span("error"):
        raise ValueError(text)
    while deep:
        deep = deep[0]


def tasks() -> None:
    async def task(number: int) -> int:
        async with sonde.span("task", number=number):
            await asyncio.sleep(0.01)
            query()
            return number

    async def main() -> int:
        made = [asyncio.create_task(task(number)) for number in range(10_000)]
        for victim in made[::10]:
            asyncio.get_running_loop().call_soon(victim.cancel)
        results = await asyncio.gather(*made, return_exceptions=True)
        return sum(result for result in results if isinstance(result, int))

    say(asyncio.run(main()))


def threads() -> None:
    ready = threading.Barrier(1000)
    done = []

    def run() -> None:
        with sonde.span("thread"):
            ready.wait()
            query()
        done.append(1)

    started = [threading.Thread(target=run) for _ in range(1000)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    say(len(done))


def daemons() -> None:
    """Threads that are still calling while the interpreter ends."""

    def run() -> None:
        while True:
            with sonde.span("daemon"):
                query()

    for _ in range(4):
        threading.Thread(target=run, daemon=True).start()
    time.sleep(0.2)
    atexit.register(query)
    say("ends")


class AtTheEnd:
    def __del__(self):
        with sonde.span("late"):
            query()
        say("deleted")


def shutdown() -> None:
    """Spans from wherever Python runs code while it ends."""
    sys.modules["__main__"].kept = AtTheEnd()
    atexit.register(lambda: (query(), say("atexit")))
    threading._register_atexit(query)

    def generator():
        with sonde.span("open"):
            try:
                yield
            finally:
                query()

    sys.modules["__main__"].open_generator = generator()
    next(sys.modules["__main__"].open_generator)
    sys.modules["__main__"].open_span = sonde.span("never closed")
    sys.modules["__main__"].open_span.__enter__()


def late() -> None:
    """The first span of a process is one of its last steps: nothing but a traceback keeps what makes it."""

    class Kept:
        def __del__(self):
            query()
            say("deleted")

    kept = Kept()
    raise ValueError(type(kept).__name__)


def interpreters() -> None:
    """Another interpreter in the same process queries as well."""
    import _xxsubinterpreters as subinterpreters

    other = subinterpreters.create()
    code = "import sqlite3; sqlite3.connect(':memory:').execute('select 1')"
    subinterpreters.run_string(other, code)
    query()
    say("went")


def interpreters_to_the_end() -> None:
    """One that ends with the process: CPython 3.11 ends the first thread when something in there lets the GIL go."""
    import _xxsubinterpreters as subinterpreters

    global kept_interpreter  # noqa: PLW0603 - to be freed when modules are
    kept_interpreter = subinterpreters.create()
    subinterpreters.run_string(kept_interpreter, "import sqlite3; sqlite3.connect(':memory:').execute('select 1')")
    query()
    say("went")


def exit_in_thread() -> None:
    def run() -> None:
        with sonde.span("thread"):
            query()
            sys.exit(5)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    with sonde.span("main"):
        query()
        sys.exit(6)


def exit_at_once() -> None:
    with sonde.span("main"):
        query()
        os._exit(7)


def die() -> None:
    query()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(10)


def unhandled() -> None:
    with sonde.span("main"):
        query()
        raise ValueError("unhandled")


def signals() -> None:
    """A handler that makes spans, in the middle of making spans, of flushes and of the exit."""
    counts = [0]
    with sonde.span("first"):  # its import is no business of a handler
        query()

    def handler(*_args) -> None:
        counts[0] += 1
        with sonde.span("handler"):
            query()

    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    until = time.monotonic() + 0.7
    while time.monotonic() < until:
        with sonde.span("main"):
            query()
    signal.setitimer(signal.ITIMER_REAL, 0)
    say(counts[0] > 10)


def recursion() -> None:
    @sonde.traced
    def deeper(connection, depth: int) -> None:
        connection.execute("select 1")
        with sonde.span("deeper", value=depth):
            deeper(connection, depth + 1)

    connection = sqlite3.connect(":memory:")
    for limit in (60, 100, 1000):
        sys.setrecursionlimit(limit)
        try:
            deeper(connection, 0)
        except RecursionError:
            say("recursion error")
        query(connection)
    sys.setrecursionlimit(40)
    query(connection)


def memory() -> None:
    """No room for the rings of more threads, then for hardly anything."""
    query()
    threading.stack_size(256 << 10)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (24 << 20),) * 2)
    done = []

    def run() -> None:
        with sonde.span("thread"):
            query()
        done.append(1)

    for _ in range(20):
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    say(len(done))
    kept = []
    try:
        while True:
            kept.append(bytearray(1 << 16))
    except MemoryError:
        del kept[-8:]
    for _ in range(100):
        with sonde.span("scarce", text="x" * 100):
            query()
    say("went")


def closed() -> None:
    """Started without 0, 1 and 2: whatever is opened first gets these numbers, and nobody writes there by accident."""
    found = []
    for _ in range(3):
        query()
        time.sleep(0.15)
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
            found.append(f"{descriptor} is open")
        except OSError as error:
            found.append(f"{descriptor}: {error.strerror}")
    attempt("print", lambda: None) if sys.stdout else None
    Path(os.environ["HOSTILE_OUTPUT"]).write_text("\n".join(found))


def closerange() -> None:
    """Everything is closed, and files of the program get the numbers."""
    query()
    time.sleep(0.3)
    folder = Path(os.environ["HOSTILE_OUTPUT"])
    os.closerange(3, 1024)
    files = [(folder / f"{number}").open("wb+") for number in range(20)]
    say([file.fileno() for file in files])
    for _ in range(5):
        query()
        time.sleep(0.1)
    for file in files:
        file.write(b"mine")
        file.close()
    say({(folder / f"{number}").read_bytes() for number in range(20)})
    query()


def elsewhere() -> None:
    """In a folder that is no longer there."""
    folder = Path(os.environ["HOSTILE_OUTPUT"]) / "gone"
    folder.mkdir()
    os.chdir(folder)
    folder.rmdir()
    query()
    attempt("cwd", os.getcwd)
    importlib.import_module("redis")
    os.environ.clear()
    sys.path.clear()
    sys.argv.clear()
    query()
    attempt("import", lambda: importlib.import_module("flask"))


def arguments() -> None:
    query()
    say([os.fsencode(word) for word in sys.argv[2:]], sys.getfilesystemencoding(), sys.flags.utf8_mode)


def streams() -> None:
    """Nothing of ours writes there, or minds."""
    sys.stdout = sys.stderr = sys.__stderr__ = None
    query()
    os.write(1, b"written\n")


if __name__ == "__main__":
    globals()[sys.argv[1]]()
