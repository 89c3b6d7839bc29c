"""Gates, sessions, bodies, codings and credentials by themselves."""

from __future__ import annotations

import gzip
import os
import zlib
from typing import TYPE_CHECKING

import lz4.frame
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st
from store_process_harness import Background, until

from sonde.server.store.body import HELD_BYTES, Body
from sonde.server.store.compression import PIECE_BYTES, Decoder, chosen, encoder
from sonde.server.store.counters import Counters
from sonde.server.store.errors import StoreError, StoreUnavailable
from sonde.server.store.gates import Gate
from sonde.server.store.multipart import form_fields
from sonde.server.store.sessions import Sessions
from sonde.server.store.users import Credentials, Users, credentials_of

if TYPE_CHECKING:
    from pathlib import Path


# -- gates ------------------------------------------------------------------------------------------------------------
def test_a_gate_lets_in_as_many_as_it_has_places_in_the_order_of_arrival() -> None:
    gate = Gate("readers", places=1, queue=10, patience_s=20)
    order: list[int] = []
    first = gate.place()
    first.__enter__()

    def wait(number: int) -> None:
        with gate.place():
            order.append(number)

    waiting = []
    for number in range(3):
        waiting.append(Background(lambda n=number: wait(n)))
        until(lambda n=number: gate.waiting == n + 1, "it waits")
    assert (gate.inside, order) == (1, [])
    first.__exit__(None, None, None)
    for one in waiting:
        one.result()
    assert order == [0, 1, 2]
    assert (gate.inside, gate.waiting, gate.entered, gate.refused) == (0, 0, 4, 0)


def test_a_full_queue_and_lost_patience_are_refused() -> None:
    gate = Gate("readers", places=1, queue=1, patience_s=0.05)
    with gate.place():
        with pytest.raises(StoreUnavailable, match=r"none became free in 0\.05 s"), gate.place():
            pass
        gate._patience_s = 20
        blocked = Background(lambda: gate.place().__enter__())
        until(lambda: gate.waiting == 1, "one waits")
        with pytest.raises(StoreUnavailable, match="1 wait already") as caught, gate.place():
            pass
        assert caught.value.code == 202
    blocked.result()
    assert gate.refused == 2


def test_a_gate_without_a_queue_is_open_while_it_has_places() -> None:
    gate = Gate("x", places=1, queue=0, patience_s=1)
    with gate.place(), pytest.raises(StoreUnavailable), gate.place():
        pass
    with gate.place():
        assert gate.inside == 1


# -- sessions ---------------------------------------------------------------------------------------------------------
class FakeLink:
    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_sessions_expire_belong_to_their_user_and_make_room() -> None:
    now = [0.0]
    sessions = Sessions(most=2, clock=lambda: now[0])
    links: list[FakeLink] = []

    def make() -> FakeLink:
        links.append(FakeLink())
        return links[-1]

    def use(user: str, name: str, timeout_s: int = 10) -> FakeLink:
        with sessions.link(user, name, make, timeout_s=timeout_s, must_exist=False) as link:
            return link

    one = use("web", "a")
    assert use("web", "a") is one
    assert use("sql", "a", 100) is not one
    with pytest.raises(StoreUnavailable, match="Too many sessions"):
        use("web", "b")
    now[0] = 11
    assert use("web", "b") is links[2]
    assert (one.closed, links[1].closed) == (True, False)
    with pytest.raises(StoreError, match="not found"), sessions.link("web", "a", make, timeout_s=1, must_exist=True):
        pass
    sessions.close()
    assert all(link.closed for link in links)


# -- bodies -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [0, 1, HELD_BYTES, HELD_BYTES + 1, 3 * HELD_BYTES])
@pytest.mark.parametrize("start", [0, 1])
def test_a_body_can_be_read_as_a_file_from_any_byte(tmp_path: Path, size: int, start: int) -> None:
    data = os.urandom(size)
    with Body(tmp_path, 10 * HELD_BYTES) as body:
        for at in range(0, size, 300_000):
            body.write(data[at : at + 300_000])
        assert (body.size, body.head(10)) == (size, data[:10])
        descriptor = body.descriptor(start)
        with open(f"/proc/self/fd/{descriptor}", "rb") as file:  # noqa: PTH123 - as the engine opens it
            assert file.read() == data[start:]
        os.close(descriptor)
    assert list(tmp_path.iterdir()) == []


def test_a_body_stops_at_its_limit(tmp_path: Path) -> None:
    with Body(tmp_path, 10) as body:
        body.write(b"x" * 10)
        with pytest.raises(StoreError) as caught:
            body.write(b"x")
    assert caught.value.code == 307


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with Body(tmp_path / "not there", 10 * HELD_BYTES) as body, pytest.raises(StoreError) as caught:
        body.write(b"x" * (HELD_BYTES + 1))
    assert caught.value.code == 243


# -- codings ----------------------------------------------------------------------------------------------------------
PACK = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd.compress, "lz4": lz4.frame.compress}
UNPACK = {"gzip": gzip.decompress, "deflate": zlib.decompress, "zstd": zstd.decompress, "lz4": lz4.frame.decompress}


def unpacked(coding: str, pieces: list[bytes]) -> bytes:
    decoder = Decoder(coding)
    out = b"".join(b"".join(decoder.decompress(piece)) for piece in pieces)
    decoder.finish()
    return out


@pytest.mark.parametrize("coding", PACK)
@given(data=st.binary(max_size=2000), cut=st.integers(1, 100), frames=st.integers(1, 3))
def test_a_body_unpacks_from_any_pieces(coding: str, data: bytes, cut: int, frames: int) -> None:
    packed = PACK[coding](data) * frames
    assert unpacked(coding, [packed[at : at + cut] for at in range(0, len(packed), cut)]) == data * frames


@pytest.mark.parametrize("coding", PACK)
@given(st.lists(st.binary(max_size=500), max_size=5))
def test_an_answer_packs_piece_by_piece(coding: str, pieces: list[bytes]) -> None:
    coder = encoder(coding)
    packed = b"".join([*(coder.compress(memoryview(piece)) for piece in pieces), coder.flush()])
    assert UNPACK[coding](packed) == b"".join(pieces)


@pytest.mark.parametrize("coding", PACK)
def test_a_bomb_comes_in_bounded_pieces_and_a_cut_body_is_damage(coding: str) -> None:
    data = b"x" * (5 << 20)
    packed = PACK[coding](data)
    pieces = list(Decoder(coding).decompress(packed))
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) <= PIECE_BYTES
    with pytest.raises(StoreError, match="end too early"):
        unpacked(coding, [packed[:-2]])


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("", ""),
        ("gzip", "gzip"),
        ("gzip, zstd;q=1, br", "zstd"),
        ("lz4;q=0, gzip", "gzip"),
        ("*", ""),
        ("GZIP", "gzip"),
    ],
)
def test_the_cheapest_coding_that_both_know_is_chosen(accept: str, coding: str) -> None:
    assert chosen(accept) == coding


# -- users ------------------------------------------------------------------------------------------------------------
def test_without_a_password_nobody_is_let_in_over_tcp() -> None:
    users = Users(memory_bytes=1 << 30, query_timeout_s=30)
    for password in (None, ""):
        with pytest.raises(StoreError):
            users.admit(Credentials("sql", password), local=False)
    assert users.admit(Credentials("sql", None), local=True).name == "sql"


def test_passwords_may_be_any_text() -> None:
    users = Users(memory_bytes=1 << 30, query_timeout_s=30, password="pä:ss")
    given_ = credentials_of({"authorization": "Basic c3FsOnDDpDpzcw=="}, {})
    assert users.admit(given_, local=False).name == "sql"


# -- forms and counters -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=e", b""),
        ("multipart/form-data; boundary=e", b'--e\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'),
        ("multipart/form-data; boundary=e", b"--e\r\nContent-Disposition: form-data\r\n\r\n1\r\n--e--"),
        ("multipart/form-data; boundary=e", b'--e\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--e--'),
    ],
)
def test_a_damaged_form_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(StoreError) as caught:
        form_fields(kind, body)
    assert caught.value.code == 36


@given(st.dictionaries(st.text("abc_", min_size=1), st.text(max_size=20), max_size=5))
def test_a_form_gives_back_what_was_put_in(fields: dict[str, str]) -> None:
    parts = [f'--e1\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    body = ("".join(parts) + "--e1--\r\n").encode()
    assert form_fields('multipart/form-data; boundary="e1"', body) == fields


def test_counters_read_as_prometheus_text() -> None:
    counters = Counters()
    counters.add("sonde_store_errors_total", code="60", name="X")
    counters.add("sonde_store_errors_total", 2, code="60", name="X")
    text = counters.text({"sonde_store_sessions": 4})
    assert 'sonde_store_errors_total{code="60",name="X"} 3\n' in text
    assert text.endswith("sonde_store_sessions 4\n")
