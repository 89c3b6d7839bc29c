"""The disk queue: what it keeps, in which order it gives, what it loses first."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonde.agent import AgentError
from sonde.agent.counters import Counters
from sonde.agent.disk_queue import queue_folder
from sonde.agent.disk_queue.batch import OpenBatch
from sonde.agent.disk_queue.batch_file import BatchFileError, Header
from sonde.agent.disk_queue.queue import MAX_OPEN, MAX_SPLITS, BatchQueue
from sonde.agent.signals import Signal

MIB = 1 << 20


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def queue_in(folder: Path, counters: Counters, clock: Clock, **more: int) -> BatchQueue:
    sizes = {"max_bytes": 8 * MIB, "batch_max_bytes": MIB, **more}
    return BatchQueue(folder, batch_max_age_s=1.0, counters=counters, clock=clock, **sizes)


@pytest.fixture
def queue(tmp_path, counters, clock):
    with queue_in(tmp_path, counters, clock) as made:
        yield made


def content(batch) -> bytes:
    return b"".join(batch.chunks())


def dropped(counters: Counters, reason: str) -> int:
    return counters.total("sonde.agent.frames.dropped", reason=reason)


def test_a_batch_is_given_when_it_has_its_age(queue, clock):
    queue.append("", Signal.TRACES, b"a")
    queue.append("", Signal.TRACES, b"b")
    assert queue.take(0) is None
    clock.now = 1.0
    assert content(queue.take(0)) == b"ab"
    assert queue.take(0) is None


def test_a_batch_is_given_when_it_has_its_size(queue):
    queue.append("", Signal.TRACES, b"x" * MIB)
    assert content(queue.take(0)) == b"x" * MIB


def test_a_batch_grows_as_long_as_nobody_comes_to_take_it(queue, clock):
    for moment in range(10):
        clock.now = float(moment)
        queue.append("", Signal.TRACES, b"%d" % moment)
    assert content(queue.take(0)) == b"0123456789"


def test_tokens_and_signals_are_never_joined(queue, clock):
    for token in ("", "other"):
        for signal in Signal:
            queue.append(token, signal, f"{token}{signal.word}".encode())
    clock.now = 1.0
    given = [queue.take(0) for _ in range(2 * len(Signal))]
    assert {(it.header.token, it.header.signal, content(it).decode()) for it in given} == {
        (token, signal, f"{token}{signal.word}") for token in ("", "other") for signal in Signal
    }


def test_a_held_token_keeps_its_batches_and_lets_others_pass(queue, clock):
    queue.append("bad", Signal.TRACES, b"1")
    queue.append("good", Signal.TRACES, b"2")
    clock.now = 1.0
    assert content(queue.take(0, {"bad"})) == b"2"
    assert queue.take(0, {"bad"}) is None
    assert content(queue.take(0)) == b"1"


def test_a_batch_that_is_put_back_is_the_next_one_and_unchanged(queue):
    for letter in b"abc":
        queue.append("", Signal.TRACES, bytes([letter]))
        queue.seal()
    first = queue.take(0)
    before = first.path.read_bytes()
    queue.put_back(first)
    again = queue.take(0)
    assert again is first
    assert again.path.read_bytes() == before


def test_with_a_backlog_every_second_batch_is_the_newest(queue):
    for letter in b"abcdefgh":
        queue.append("", Signal.TRACES, bytes([letter]))
        queue.seal()
    assert b"".join(content(queue.take(0)) for _ in range(8)) == b"hagbcdef"


def test_with_a_backlog_what_is_still_open_counts_as_the_newest(queue, clock):
    for letter in b"abcdefgh":
        queue.append("", Signal.TRACES, bytes([letter]))
        queue.seal()
    queue.append("", Signal.TRACES, b"live")
    clock.now = 1.0
    assert content(queue.take(0)) == b"live"


def test_when_full_the_oldest_goes_and_is_counted(tmp_path, counters, clock):
    with queue_in(tmp_path, counters, clock, max_bytes=MIB) as queue:
        for number in range(20):
            queue.append("", Signal.TRACES, bytes([number]) * 100_000)
        assert queue.size_bytes <= MIB
        assert dropped(counters, "queue_full") == 10
        queue.seal()
        left = [content(queue.take(0))[0] for _ in range(10)]
    assert sorted(left) == list(range(10, 20))


def test_the_batch_that_is_being_sent_does_not_make_way(tmp_path, counters, clock):
    with queue_in(tmp_path, counters, clock, max_bytes=MIB) as queue:
        queue.append("", Signal.TRACES, b"a" * 140_000)
        taken = queue.take(0)
        for _ in range(20):
            queue.append("", Signal.TRACES, b"b" * 140_000)
        assert content(taken) == b"a" * 140_000


def test_a_payload_larger_than_the_queue_costs_no_other(tmp_path, counters, clock):
    with queue_in(tmp_path, counters, clock, max_bytes=MIB) as queue:
        queue.append("", Signal.TRACES, b"small")
        queue.append("", Signal.TRACES, b"x" * (MIB + 1))
        queue.seal()
        assert content(queue.take(0)) == b"small"
    assert dropped(counters, "queue_full") == 1


def test_tokens_without_end_do_not_take_descriptors_without_end(queue, tmp_path):
    for number in range(MAX_OPEN * 3):
        queue.append(f"token{number}", Signal.TRACES, b"x")
    ours = [link for link in os.scandir("/proc/self/fd") if str(Path(link.path).readlink()).startswith(str(tmp_path))]
    assert len(ours) <= MAX_OPEN
    assert queue.batch_count == MAX_OPEN * 3


@given(
    sizes=st.lists(st.integers(1, 300_000), max_size=40),
    takes=st.lists(st.booleans(), max_size=40),
)
def test_the_folder_never_holds_more_than_its_quota(tmp_path_factory, sizes, takes):
    """Whatever comes and goes; and every payload is either given or counted as dropped, once."""
    folder, counters = tmp_path_factory.mktemp("queue"), Counters()
    given_out = 0
    with queue_in(folder, counters, Clock(), max_bytes=MIB) as queue:
        for number, size in enumerate(sizes):
            queue.append("", Signal.TRACES, b"x" * size)
            assert sum(file.stat().st_size for file in folder.glob("*.batch")) == queue.size_bytes <= MIB
            if number < len(takes) and takes[number] and (batch := queue.take(0)):
                given_out += batch.chunk_count
                queue.remove(batch)
        queue.seal()
        while batch := queue.take(0):
            given_out += batch.chunk_count
            queue.remove(batch)
        assert queue.size_bytes == 0
    assert given_out + counters.total("sonde.agent.frames.dropped") == len(sizes)


# -- what a next start finds ------------------------------------------------------------------------------------------
def test_the_next_start_finds_what_the_last_one_left(tmp_path, counters, clock):
    with queue_in(tmp_path, counters, clock) as queue:
        queue.append("t", Signal.LOGS, b"a")
        queue.append("t", Signal.LOGS, b"b")
    with queue_in(tmp_path, counters, clock) as queue:
        batch = queue.take(0)
        assert (batch.header, content(batch), batch.chunk_count) == (Header(Signal.LOGS, "t"), b"ab", 2)
        queue.remove(batch)
        queue.append("t", Signal.LOGS, b"c")
        queue.seal()
        assert content(queue.take(0)) == b"c"


@given(cut=st.integers(1, 60))
def test_a_torn_end_is_cut_off_and_counted_wherever_it_is_torn(tmp_path_factory, cut):
    folder, counters = tmp_path_factory.mktemp("queue"), Counters()
    with queue_in(folder, counters, Clock()) as queue:
        queue.append("t", Signal.TRACES, b"whole")
        queue.append("t", Signal.TRACES, b"torn" * 20)
    (file,) = folder.glob("*.batch")
    os.truncate(file, file.stat().st_size - cut)
    with queue_in(folder, counters, Clock()) as queue:
        assert content(queue.take(0)) == b"whole"
    assert counters.total("sonde.agent.bytes.dropped", reason="torn") == 88 - cut


def test_damaged_bytes_end_the_sound_part(tmp_path, counters, clock):
    with queue_in(tmp_path, counters, clock) as queue:
        queue.append("", Signal.TRACES, b"whole")
        queue.append("", Signal.TRACES, b"damaged")
    (file,) = tmp_path.glob("*.batch")
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with queue_in(tmp_path, counters, clock) as queue:
        assert content(queue.take(0)) == b"whole"


@pytest.mark.parametrize(
    "junk", [b"", b"SDB1", b"junk that is no batch", b"SDB1\x09\x00\x00\x00", b"SDB1\x02\x00\xff\xff"]
)
def test_what_is_no_batch_is_removed_and_counted(junk, tmp_path, counters, clock):
    (tmp_path / "0000000000000001.batch").write_bytes(junk)
    with queue_in(tmp_path, counters, clock) as queue:
        assert queue.take(0) is None
    assert counters.total("sonde.agent.batches.unreadable") == 1
    assert not list(tmp_path.glob("*.batch"))


def test_a_smaller_quota_is_kept_from_the_start(tmp_path, counters, clock):
    with queue_in(tmp_path, counters, clock, max_bytes=32 * MIB) as queue:
        for number in range(4):
            queue.append("", Signal.TRACES, bytes([number]) * MIB)
    with queue_in(tmp_path, counters, clock, max_bytes=2 * MIB) as queue:
        assert queue.size_bytes <= 2 * MIB
        assert content(queue.take(0))[0] == 3


def test_two_agents_do_not_share_a_folder(tmp_path):
    with (
        queue_folder.claimed([tmp_path / "q"]),
        pytest.raises(AgentError, match="another agent uses the queue folder"),
        queue_folder.claimed([tmp_path / "q"]),
    ):
        pass


def test_agents_of_programs_find_a_folder_each_and_come_back_to_the_first(tmp_path):
    """But never one of another token: what is left there would be sent under ours."""

    def claimed(token: str):
        return queue_folder.claimed(queue_folder.companion_folders(tmp_path, "http://server", token))

    with claimed("a") as first, claimed("a") as second, claimed("b") as other:
        assert len({first, second, other}) == 3
    with claimed("a") as again:
        assert again == first


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(AgentError, match="file/q cannot be used: Not a directory"),
        queue_folder.claimed([tmp_path / "file/q"]),
    ):
        pass


def test_files_are_their_owners_alone(queue, tmp_path):
    queue.append("secret-token", Signal.TRACES, b"x")
    (file,) = tmp_path.glob("*.batch")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


# -- what became of a batch -------------------------------------------------------------------------------------------
def test_a_refused_batch_is_split_until_the_bad_payload_stands_alone(queue, counters):
    for number in range(8):
        queue.append("", Signal.TRACES, b"%d" % number)
    queue.seal()
    stored = []
    while batch := queue.take(0):
        if b"5" in content(batch):
            queue.split(batch, "http_400")
        else:
            stored.append(content(batch))
            queue.remove(batch)
    assert sorted(b"".join(stored)) == sorted(b"0123467")
    assert dropped(counters, "http_400") == 1
    assert queue.size_bytes == 0


def test_a_server_that_refuses_everything_is_not_asked_for_each_payload(queue, counters):
    for _ in range(1000):
        queue.append("", Signal.TRACES, b"x")
    queue.seal()
    asked = 0
    while batch := queue.take(0):
        asked += 1
        queue.split(batch, "http_400")
    assert asked == 2 ** (MAX_SPLITS + 1) - 1
    assert dropped(counters, "http_400") == 1000


def test_a_batch_damaged_while_it_waits_is_told_from_a_good_one(queue):
    queue.append("", Signal.TRACES, b"damaged")
    queue.seal()
    batch = queue.take(0)
    batch.path.write_bytes(batch.path.read_bytes()[:-1] + b"?")
    with pytest.raises(BatchFileError, match="is damaged at byte"):
        content(batch)


# -- a full disk ------------------------------------------------------------------------------------------------------
def full_disk_for(monkeypatch, payload: bytes, times: int) -> None:
    """The disk fills while `payload` is written: half of it fits, then ENOSPC. A real one that small needs a mount."""
    write, failures = os.write, iter(range(times))

    def full(file: int, data: memoryview) -> int:
        if payload in bytes(data) and next(failures, None) is not None:
            write(file, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data)

    monkeypatch.setattr(os, "write", full)


def test_a_full_disk_costs_the_oldest_batch_and_not_the_newest(queue, counters, monkeypatch):
    queue.append("", Signal.LOGS, b"oldest")
    queue.append("", Signal.TRACES, b"older")
    queue.seal()
    queue.append("", Signal.TRACES, b"before,")
    full_disk_for(monkeypatch, b"newest", times=1)
    queue.append("", Signal.TRACES, b"newest")
    queue.seal()
    assert sorted(content(queue.take(0)) for _ in range(2)) == [b"before,newest", b"older"]
    assert dropped(counters, "disk_full") == 1


def test_a_full_disk_with_nothing_to_give_up_is_a_counted_loss(queue, counters, monkeypatch, tmp_path):
    full_disk_for(monkeypatch, b"lost", times=9)
    queue.append("", Signal.TRACES, b"lost")
    assert dropped(counters, "disk_full") == 1
    assert (queue.take(0), queue.size_bytes, list(tmp_path.glob("*.batch"))) == (None, 0, [])
    queue.append("", Signal.TRACES, b"good")
    queue.seal()
    assert content(queue.take(0)) == b"good"


def test_a_batch_cannot_be_opened_twice(tmp_path):
    first = OpenBatch(tmp_path, 1, Header(Signal.TRACES, ""), 0.0)
    with pytest.raises(FileExistsError):
        OpenBatch(tmp_path, 1, Header(Signal.TRACES, ""), 0.0)
    first.close()
