"""What files are made of: bodies of uploads, lock files, lists of processes."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodejs_harness import capture

from sonde.server.nodejs import packages
from sonde.server.nodejs.errors import UploadError
from sonde.server.nodejs.multipart import Multipart, PartBegins, PartData, PartEnds, boundary_of
from sonde.server.nodejs.processes import listed
from sonde.server.nodejs.storage import Storage


def body_of(parts, boundary="frontier"):
    pieces = []
    for name, data in parts:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.gz"\r\n\r\n'
        pieces.append(head.encode() + data + b"\r\n")
    return b"".join(pieces) + f"--{boundary}--\r\n".encode()


def read(body, sizes):
    reader = Multipart(b"frontier")
    found, at = [], 0
    for size in [*sizes, len(body)]:
        for event in reader.feed(body[at : at + size]):
            if isinstance(event, PartBegins):
                found.append([event.name, b"", False])
            elif isinstance(event, PartData):
                found[-1][1] += event.data
            elif isinstance(event, PartEnds):
                found[-1][2] = True
        at += size
    return found, reader.ended


NAMED = st.tuples(
    st.sampled_from(["a", "b"]), st.binary(max_size=200) | st.sampled_from([b"\r\n--front", b"\r\n", b"\r"])
)


@given(st.lists(NAMED, max_size=3), st.lists(st.integers(1, 40), max_size=60))
def test_parts_are_the_same_however_the_body_is_cut(parts, sizes):
    parts = [(name, data) for name, data in parts if b"--frontier" not in data]

    found, ended = read(body_of(parts), sizes)

    assert [(name, data) for name, data, _ in found] == parts
    assert ended
    assert all(whole for _, _, whole in found)


@given(st.binary(max_size=400), st.lists(st.integers(1, 50), max_size=20))
def test_no_body_breaks_the_reader(body, sizes):
    try:
        read(body, sizes)
        read(body_of([("a", b"x")])[:20] + body, sizes)
    except UploadError:
        return


def test_a_body_that_stops_half_way_has_not_ended():
    body = body_of([("a", b"x" * 100)])

    found, ended = read(body[:-20], [30])

    assert not ended
    assert not found[0][2]


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "multipart/form-data", "multipart/form-data; boundary="]
)
def test_a_body_without_a_boundary_is_refused(content_type):
    with pytest.raises(UploadError):
        boundary_of(content_type)


def test_boundaries_come_plain_and_in_quotes():
    assert boundary_of("multipart/form-data; boundary=--abc") == b"--abc"
    assert boundary_of('multipart/form-data; charset=x; boundary="a b"') == b"a b"


@pytest.fixture
def storage(tmp_path):
    return Storage(tmp_path / "nodejs", file_max_bytes=1 << 20, max_bytes=2 << 20, min_free_bytes=0)


def put(storage, data):
    with storage.begin("/log/x.cpuprofile") as incoming:
        incoming.write(data)
        return incoming.finish()


def used(storage):
    return next(storage.samples())[2]


def test_a_stored_file_is_gzip_and_can_be_read_without(storage):
    part = put(storage, gzip.compress(b"hello " * 1000))

    assert part.name == "x.cpuprofile"
    assert part.plain_bytes == 6000
    assert b"".join(storage.plain(part)) == b"hello " * 1000
    assert used(storage) == part.bytes
    storage.remove(part)
    storage.remove(part)
    assert used(storage) == 0


def test_a_bomb_is_refused_before_it_takes_room(storage):
    with pytest.raises(UploadError, match="decompressed"):
        put(storage, gzip.compress(bytes(20 << 20)))
    assert used(storage) == 0


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"no gzip", id="something else"),
        pytest.param(gzip.compress(b"x" * 99)[:-5], id="cut short"),
        pytest.param(gzip.compress(b"x") + b"more", id="more behind it"),
    ],
)
def test_what_is_no_whole_gzip_is_refused_and_leaves_nothing(storage, tmp_path, data):
    with pytest.raises(UploadError):
        put(storage, data)
    assert used(storage) == 0
    assert not list((tmp_path / "nodejs").iterdir())


def test_a_full_folder_refuses_and_what_a_kill_left_goes_at_the_start(storage, tmp_path):
    import secrets

    noise = gzip.compress(secrets.token_bytes(900_000), 1)
    kept = [put(storage, noise), put(storage, noise)]
    with pytest.raises(UploadError, match="nodejs_files_max_bytes"):
        put(storage, noise)
    (tmp_path / "nodejs" / ".u-half").write_bytes(b"half")

    again = Storage(tmp_path / "nodejs", file_max_bytes=1 << 20, max_bytes=2 << 20, min_free_bytes=0)
    assert used(again) == sum(part.bytes for part in kept)
    again.sweep({kept[0].storage})
    assert used(again) == kept[0].bytes
    assert [path.name for path in (tmp_path / "nodejs").iterdir()] == [kept[0].storage]


PKG = json.dumps({"name": "shop", "version": "1.2.3", "dependencies": {"a": "^1"}, "devDependencies": {"b": "~2"}})
_FLAT = {
    "": {},
    "node_modules/a": {"version": "1.5.0"},
    "node_modules/b": {"version": "2.0.1"},
    "node_modules/a/node_modules/c": {"version": "3.0.0"},
}
_TREE = {"a": {"version": "1.5.0", "dependencies": {"c": {"version": "3.0.0"}}}, "b": {"version": "2.0.1"}}
LOCKS = {
    1: {"lockfileVersion": 1, "dependencies": _TREE},
    2: {"lockfileVersion": 2, "packages": _FLAT, "dependencies": _TREE},
    3: {"lockfileVersion": 3, "packages": _FLAT},
}


@pytest.mark.parametrize("version", LOCKS)
def test_lock_files_of_every_version_say_the_same(version):
    found = packages.read(PKG, json.dumps(LOCKS[version]))

    assert (found.name, found.version, found.lock_version, found.problem) == ("shop", "1.2.3", version, "")
    assert {(it["name"], it["locked"], it["kind"]) for it in found.dependencies} == {
        ("a", "1.5.0", "dependency"),
        ("b", "2.0.1", "dev"),
    }
    assert {(it["name"], it["version"], it["path"]) for it in found.locked} == {
        ("a", "1.5.0", "node_modules/a"),
        ("b", "2.0.1", "node_modules/b"),
        ("c", "3.0.0", "node_modules/a/node_modules/c"),
    }


@pytest.mark.parametrize(("pkg", "lock"), [("{", None), ("[]", None), (PKG, "{"), (PKG, "[]"), (PKG, "{}")])
def test_what_cannot_be_read_is_said(pkg, lock):
    assert packages.read(pkg, lock).problem


WORDS = st.sampled_from(["name", "version", "dependencies", "packages", "lockfileVersion", "node_modules/a"])


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5), lambda inner: st.dictionaries(WORDS, inner), max_leaves=20
    )
)
def test_no_package_breaks_the_reader(document):
    packages.read(json.dumps(document), json.dumps(document))


def test_the_recorded_list_of_processes_is_read():
    _, records = capture()
    asked = {json.loads(it["raw"])["traceId"]: it for it in records if it["kind"] == "exec_command/get_node_processes"}
    answers = [json.loads(it["raw"]) for it in records if it["kind"] == "response"]
    answer = next(it for it in answers if it["traceId"] in asked)

    found = listed(answer["data"]["data"]["stdout"])

    assert found[9] == "node app.js"
    assert set(found) == {9, 10, 11, 64}
    assert listed("x\0y\n-1\0z\nno line\n") == {}
