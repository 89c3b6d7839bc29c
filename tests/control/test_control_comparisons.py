"""Two runs of heap or leaks beside each other: files that the tools have written themselves, and files of strangers."""

import gc
import json
import threading

import pytest
from control_harness import NODE, file_of

from sonde.probe.plugins import wsgi
from sonde.probe.tools.heap import Heap
from sonde.probe.tools.leaks import Leaks
from sonde.server.insight import heap_comparison, leaks_comparison, run_files
from sonde.server.insight.run_files import HeapFile, LeaksFile

PID = 4711


class Order:
    """What the heaps differ by."""

    def __init__(self, number):
        self.name = f"order {number}"


ORDERS: list = []


def looked():
    """heap.json of this process."""
    found = []

    def host():
        tool = Heap()
        tool.start({name: option.default for name, option in Heap.options.items()} | {"max_pause_ms": 1000.0}, 0)
        found.append(tool.stop().artifacts[0].content)

    thread = threading.Thread(target=host)
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.slow
def test_what_was_made_between_two_looks_is_on_top_with_its_sign():
    ORDERS.clear()
    gc.collect()
    before = looked()
    ORDERS.extend(Order(number) for number in range(20_000))
    now = looked()
    ORDERS.clear()

    compared = heap_comparison.compared(run_files.read(before, HeapFile), run_files.read(now, HeapFile))

    orders = next(row for row in compared.types if row.name == f"{__name__}.Order")
    assert (orders.state, orders.change_objects, orders.at_least) in {("new", 20_000, False), ("grown", None, True)}
    assert 0 < orders.change_bytes <= orders.now_bytes
    assert compared.types[0].change_bytes > 0
    assert compared.now_bytes - compared.before_bytes >= orders.change_bytes
    held = [row for row in compared.holders if row.where.endswith(".ORDERS")]
    assert [row.name for row in held] == ["list"]
    assert held[0].change_bytes > 20_000 * 50
    assert compared.roots[0].change_bytes > 0
    assert compared.roots[0].now_objects is None

    back = heap_comparison.compared(run_files.read(now, HeapFile), run_files.read(before, HeapFile))
    assert next(row.change_bytes for row in back.types if row.name == orders.name) == -orders.change_bytes


def heap(types, type_count=0, **more):
    found = {"format": "sonde.heap.v1", "objects": 10, "bytes": 1000, "types": types, "type_count": type_count}
    return json.dumps(found | more).encode()


def compared_heaps(before, now):
    return heap_comparison.compared(run_files.read(before, HeapFile), run_files.read(now, HeapFile))


def test_a_table_that_is_cut_tells_no_more_than_it_knows():
    before = heap([["app.big", "app", 5, 900], ["app.least", "app", 1, 100]], type_count=50)
    now = heap([["app.big", "app", 5, 900], ["app.risen", "app", 3, 300], ["app.tiny", "app", 1, 60]], type_count=3)

    compared = compared_heaps(before, now)

    found = {row.name: row for row in compared.types}
    assert (found["app.risen"].state, found["app.risen"].change_bytes, found["app.risen"].at_least) == (
        "grown",
        200,
        True,
    )
    assert found["app.risen"].before_bytes is None
    assert found["app.risen"].change_objects is None
    assert "app.tiny" not in found
    assert compared.untold == 1
    assert found["app.least"].state == "gone", "the newer table is whole"
    assert (found["app.big"].state, found["app.big"].change_bytes) == ("same", 0)


def test_holders_at_different_places_of_a_list_are_one():
    def holders(*indexes):
        chains = [[["module shop", "module", 1], [".CACHE", "list", 1], [f"[{at}]", "dict", 1]] for at in indexes]
        return [{"type": "dict", "retained_bytes": 100, "chain": chain} for chain in chains]

    compared = compared_heaps(heap([], retained=holders(3)), heap([], retained=holders(1, 2, 70)))

    (row,) = compared.holders
    assert (row.where, row.before_objects, row.now_objects, row.change_bytes) == ("module shop.CACHE[*]", 1, 3, 200)


def application(lines):
    """Keeps what each of these lines makes."""

    def answer(environ, start_response):
        for keep in lines:
            keep(environ["PATH_INFO"])
        start_response("200 OK", [])
        return [b"ok"]

    return answer


kept: list = []


def always(path):
    kept.append(path * 20)


def at_first(path):
    kept.append(path * 30)


def later(path):
    kept.append(path * 40)


def watched(lines):
    """leaks.json of 40 requests."""
    tool = Leaks()
    tool.start({name: option.default for name, option in Leaks.options.items()} | {"confirm": False}, 60)
    app = application(lines)
    for number in range(40):
        environ = {
            "REQUEST_METHOD": "GET", "wsgi.url_scheme": "http", "SERVER_NAME": "t", "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1", "SCRIPT_NAME": "", "PATH_INFO": f"/orders/{number + 100}",
        }  # fmt: skip
        assert b"".join(wsgi.serve(app, environ, lambda *_: None)) == b"ok"
    artifacts = {artifact.name: artifact.content for artifact in tool.stop().artifacts}
    return artifacts["leaks.json"]


def test_lines_are_new_gone_grown_or_the_same():
    before = watched([always, at_first])
    now = watched([always, later])
    more = watched([always, later, later])
    kept.clear()
    line = {function.__name__: function.__code__.co_firstlineno + 1 for function in (always, at_first, later)}

    def states(then, here):
        compared = leaks_comparison.compared(run_files.read(then, LeaksFile), run_files.read(here, LeaksFile))
        return compared, {row.line: row for row in compared.lines if row.file == __file__ and row.type == "str"}

    compared, found = states(before, now)
    assert {number: row.state for number, row in found.items()} == {
        line["always"]: "same",
        line["at_first"]: "gone",
        line["later"]: "new",
    }
    assert found[line["later"]].now_verdict == "leak"
    assert found[line["later"]].before_bytes_per_request is None
    assert found[line["at_first"]].change_bytes_per_request < 0
    assert compared.lines[0].state == "new"
    assert not compared.cut

    _, found = states(now, more)
    assert found[line["later"]].state == "grown"
    assert found[line["later"]].change_bytes_per_request == pytest.approx(
        found[line["later"]].before_bytes_per_request, rel=0.1
    )


def leaks(*sites):
    """leaks.json with (line, verdict, bytes of each request)."""
    rows = [
        {"file": "shop.py", "line": line, "type": "dict", "via": None, "verdict": verdict, "bytes": round(each * 50),
         "blocks": 50, "bytes_per_loop": each, "approximate": False, "held_by": ""}
        for line, verdict, each in sites
    ]  # fmt: skip
    found = {"format": "sonde.leaks.v1", "loops": 50, "leaked_bytes": 0, "sites": rows}
    return run_files.read(json.dumps(found).encode(), LeaksFile)


def test_lines_that_leak_or_did_come_before_what_is_new_and_a_part_of_a_byte_is_no_change():
    before = leaks((5, "leak", 70.0), (7, "leak", 200.0), (9, "warm-up", 0.9), (11, "warm-up", 50.0))
    now = leaks((3, "warm-up", 900.0), (5, "leak", 90.0), (9, "warm-up", 0.2), (11, "warm-up", 20.0))

    compared = leaks_comparison.compared(before, now)

    assert [(row.line, row.state) for row in compared.lines] == [
        (5, "grown"),
        (7, "gone"),
        (3, "new"),
        (11, "shrunk"),
        (9, "same"),
    ]


@pytest.fixture
def ready(played, api):
    """An agent that has told of one process."""
    played.processes(PID)
    api.process(PID)
    return played


def finished(ready, api, tool, name, content):
    """A job with that file."""
    job = api.start(NODE, PID, tool)
    ready.accept(job["id"])
    ready.upload(job["id"], name, content)
    ready.done(job["id"], [file_of(name, content)])
    assert api.ended(job["id"])["state"] == "done"
    return job["id"]


def test_two_jobs_are_compared_or_it_is_said_why_they_cannot_be(ready, api, client):
    before = finished(ready, api, "heap", "heap.json", heap([["dict", "builtins", 5, 900]]))
    now = finished(ready, api, "heap", "heap.json", heap([["dict", "builtins", 7, 1000]]))
    cpu = api.start(NODE, PID, "cpu")["id"]

    answer = client.get(f"/jobs/{now}/compare/{before}")

    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["tool"], said["now"]["id"], said["before"]["id"], said["leaks"]) == ("heap", now, before, None)
    assert [
        (row["name"], row["state"], row["change_objects"], row["change_bytes"]) for row in said["heap"]["types"]
    ] == [("dict", "grown", 2, 100)]
    assert client.get(f"/jobs/{now}/compare/{cpu}").json()["error"]["code"] == "not_comparable"
    assert client.get(f"/jobs/{cpu}/compare/{cpu}").json()["error"]["code"] == "not_comparable"
    assert client.get(f"/jobs/{now}/compare/{'f' * 32}").status_code == 404
    unfinished = api.start("nobody", PID, "heap")["id"]
    assert client.get(f"/jobs/{now}/compare/{unfinished}").status_code == 404

    bad = finished(ready, api, "heap", "heap.json", heap([["dict", "builtins", -1, 900]]))
    answer = client.get(f"/jobs/{now}/compare/{bad}")
    assert answer.status_code == 409
    assert f"heap.json of the job {bad} cannot be read" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"\xff",
        heap("types"),
        heap([["dict", "builtins", -1, 900]]),
        heap([["dict", "builtins", 1 << 70, 900]]),
        heap([["dict", "builtins", 5]]),
        b'{"objects":1,"bytes":1,"types":' + b"[" * 100_000,
    ],
    ids=["cut", "a list", "no text", "no table", "negative", "huge", "short row", "deep"],
)
def test_a_file_that_is_none_is_said_to_be_none(content):
    with pytest.raises(ValueError, match=r"\S"):
        run_files.read(content, HeapFile)
