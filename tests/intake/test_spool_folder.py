"""The spool over its life: accepted means synced, refused means nothing stays, and a restart finds both to be so."""

from __future__ import annotations

import dataclasses
import errno
import multiprocessing
import os
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest
from intake_world import bodies, in_folder, traces

from sonde.server.spool import open_file
from sonde.server.spool.entry import Signal
from sonde.server.spool.names import OPEN_SUFFIX, spool_files
from sonde.server.spool.spool import Spool, SpoolInUseError, SpoolRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sonde.server.spool.backlog import BacklogFile
    from sonde.server.spool.limits import SpoolLimits

DEADLINE_S = 10


def accept(spool: Spool, body: bytes, signal: Signal = Signal.TRACES, items: int = 1) -> bool:
    """Store and wait until it is synced; whether it was a duplicate."""
    submission = spool.store(signal, "shop", body, items)
    submission.synced.result(DEADLINE_S)
    return submission.duplicate


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def next_file(spool: Spool) -> BacklogFile:
    file = spool.backlog(Signal.TRACES).next(DEADLINE_S)
    assert file is not None
    return file


def crash(folder: Path, limits: SpoolLimits, numbers: range) -> None:
    """Accept requests in a process that is gone without a word, the last file still open."""
    process = multiprocessing.get_context("spawn").Process(target=_accept_and_die, args=(folder, limits, numbers))
    process.start()
    process.join()
    assert process.exitcode == 0


def _accept_and_die(folder: Path, limits: SpoolLimits, numbers: range) -> None:
    spool = Spool(folder, limits)
    for number in numbers:
        accept(spool, traces(number))
    os._exit(0)


def test_a_request_is_in_a_file_when_it_is_said_to_be(spool: Spool) -> None:
    assert accept(spool, traces(1)) is False
    assert bodies(spool.folder) == [traces(1)]


def test_a_file_is_closed_by_age_when_the_loader_has_nothing_to_do(tmp_path: Path, limits: SpoolLimits) -> None:
    with Spool(tmp_path, dataclasses.replace(limits, file_max_age_s=0.02)) as spool:
        accept(spool, traces(1))
        file = next_file(spool)

        assert (file.closed.entries, file.closed.items) == (1, 1)
        assert file.closed.path.stat().st_size == file.closed.size


def test_while_the_loader_is_busy_a_file_grows_until_it_is_full(tmp_path: Path, limits: SpoolLimits) -> None:
    with Spool(tmp_path, dataclasses.replace(limits, file_max_age_s=0.01, file_max_items=500)) as spool:
        accept(spool, traces(0))
        first = next_file(spool)
        for number in range(1, 11):
            accept(spool, traces(number), items=100)
        until(lambda: spool.backlog(Signal.TRACES).counts()[0] == 3)  # 1 being loaded, 2 of 500 items
        accept(spool, traces(11), items=100)
        assert len(spool_files(tmp_path, OPEN_SUFFIX)) == 1

        for _ in range(3):
            spool.stored(Signal.TRACES, next_file(spool))

        assert next_file(spool).closed.items == 100  # closed by age, as soon as there was nothing else to load
        assert first.closed.path.exists() is False


def test_a_stored_file_is_kept_aside_a_while_and_then_deleted(tmp_path: Path, limits: SpoolLimits) -> None:
    with Spool(tmp_path, dataclasses.replace(limits, file_max_age_s=0.01, keep_s=0.2)) as spool:
        accept(spool, traces(1))
        spool.stored(Signal.TRACES, next_file(spool))
        assert len(list((tmp_path / "loaded").iterdir())) == 1

        def pruned() -> bool:
            spool.prune()
            return not list((tmp_path / "loaded").iterdir())

        until(pruned)


def test_loaded_files_are_kept_only_up_to_their_bound(tmp_path: Path, limits: SpoolLimits) -> None:
    with Spool(tmp_path, dataclasses.replace(limits, file_max_bytes=1, loaded_max_bytes=500)) as spool:
        for number in range(20):
            accept(spool, traces(number))
            spool.stored(Signal.TRACES, next_file(spool))
        spool.prune()

        kept = list((tmp_path / "loaded").iterdir())
        assert 0 < sum(path.stat().st_size for path in kept) <= 500


def test_the_next_start_finds_what_was_accepted_and_knows_it_when_it_is_sent_again(
    tmp_path: Path, limits: SpoolLimits
) -> None:
    crash(tmp_path, limits, range(5))

    with Spool(tmp_path, limits) as spool:
        assert bodies(tmp_path) == [traces(number) for number in range(5)]
        assert all(accept(spool, traces(number)) for number in range(5))
        assert accept(spool, traces(5)) is False
        assert next_file(spool).closed.entries == 5


@pytest.mark.parametrize(
    "tail", [b"\0" * 100, b"\xff" * 9, traces(9), b"\x40"], ids=["zeros", "ones", "body", "length"]
)
def test_a_torn_tail_is_cut_off_at_the_next_start(tmp_path: Path, limits: SpoolLimits, tail: bytes) -> None:
    crash(tmp_path, limits, range(3))
    (torn,) = spool_files(tmp_path, OPEN_SUFFIX)
    with torn.open("ab") as file:
        file.write(tail)

    with Spool(tmp_path, limits) as spool:
        assert spool.cut_bytes == len(tail)
        closed = next_file(spool).closed
        assert (closed.entries, closed.path.stat().st_size) == (3, closed.size)
        assert accept(spool, traces(9)) is False


def test_a_file_without_a_whole_entry_is_gone_at_the_next_start(tmp_path: Path, limits: SpoolLimits) -> None:
    crash(tmp_path, limits, range(1))
    (torn,) = spool_files(tmp_path, OPEN_SUFFIX)
    os.truncate(torn, 10)

    with Spool(tmp_path, limits):
        assert in_folder(tmp_path) == []


def test_numbers_go_on_after_a_restart_and_bodies_of_loaded_files_are_known(
    tmp_path: Path, limits: SpoolLimits
) -> None:
    fast = dataclasses.replace(limits, file_max_bytes=1)
    with Spool(tmp_path, fast) as spool:
        accept(spool, traces(1))
        before = next_file(spool)
        spool.stored(Signal.TRACES, before)

    with Spool(tmp_path, fast) as spool:
        assert accept(spool, traces(1)) is True
        accept(spool, traces(2))
        assert next_file(spool).closed.path.name > before.closed.path.name


def test_after_the_machine_went_down_loaded_files_are_offered_to_the_store_again(
    tmp_path: Path, limits: SpoolLimits
) -> None:
    """The store syncs later than it answers; under the names it knows it takes only what it lost."""
    fast = dataclasses.replace(limits, file_max_bytes=1)
    with Spool(tmp_path, fast, boot=lambda: "monday") as spool:
        accept(spool, traces(1))
        name = next_file(spool).closed.path.name
        spool.stored(Signal.TRACES, next_file(spool))
    with Spool(tmp_path, fast, boot=lambda: "monday") as spool:
        assert spool.backlog(Signal.TRACES).next(0) is None

    with Spool(tmp_path, fast, boot=lambda: "tuesday") as spool:
        assert next_file(spool).closed.path.name == name
        assert accept(spool, traces(1)) is True


def test_a_folder_has_one_owner(tmp_path: Path, spool: Spool, limits: SpoolLimits) -> None:
    with pytest.raises(SpoolInUseError):
        Spool(spool.folder, limits)


def test_when_the_spool_is_full_it_refuses_until_the_store_has_taken_some(tmp_path: Path, limits: SpoolLimits) -> None:
    with Spool(tmp_path, dataclasses.replace(limits, file_max_bytes=1, max_bytes=1000)) as spool:
        for number in range(5):
            accept(spool, traces(number))
        with pytest.raises(SpoolRefusedError, match="full") as refusal:
            accept(spool, traces(5, spans=10))
        assert refusal.value.reason == "spool_full"
        assert bodies(tmp_path) == [traces(number) for number in range(5)]

        spool.stored(Signal.TRACES, next_file(spool))

        spool.stored(Signal.TRACES, next_file(spool))

        assert accept(spool, traces(6)) is False


def test_a_nearly_full_disk_is_left_alone_and_loaded_files_go_first(tmp_path: Path, limits: SpoolLimits) -> None:
    with Spool(tmp_path, dataclasses.replace(limits, file_max_bytes=1)) as spool:
        accept(spool, traces(1))
        spool.stored(Signal.TRACES, next_file(spool))
    with Spool(tmp_path, dataclasses.replace(limits, min_free_bytes=1 << 60)) as spool:
        with pytest.raises(SpoolRefusedError) as refusal:
            accept(spool, traces(2))
        assert refusal.value.reason == "disk_low"

        spool.prune()

        assert list((tmp_path / "loaded").iterdir()) == []


@pytest.mark.parametrize("broken", ["fdatasync", "writev"])
def test_a_failing_disk_means_refused_and_not_kept_and_the_next_write_is_tried_anew(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """An entry whose sync failed may be on the disk or not: it is cut off, for its sender will send it again."""
    accept(spool, traces(1))
    real = getattr(os, broken)
    failures = [OSError(errno.EIO, "Input/output error")]

    def fails_once(*arguments: object) -> object:
        if failures:
            raise failures.pop()
        return real(*arguments)

    monkeypatch.setattr(open_file.os, broken, fails_once)

    with pytest.raises(SpoolRefusedError) as refusal:
        accept(spool, traces(2))
    assert refusal.value.reason == "write_failed"
    assert bodies(spool.folder) == [traces(1)]
    assert accept(spool, traces(2)) is False
    assert bodies(spool.folder) == [traces(1), traces(2)]
    assert next_file(spool).closed.entries == 1  # nothing more goes into a file that failed


def test_while_a_failed_write_cannot_be_cut_off_nothing_is_accepted(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept(spool, traces(1))

    def fails(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(open_file.os, "fdatasync", fails)
        broken.setattr(open_file.os, "ftruncate", fails)
        for number in (2, 3):
            with pytest.raises(SpoolRefusedError):
                accept(spool, traces(number))

    assert accept(spool, traces(3)) is False
    assert bodies(spool.folder) == [traces(1), traces(3)]


def test_many_that_wait_go_in_with_one_sync(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    accept(spool, traces(0))
    real, held, go_on = os.fdatasync, threading.Event(), threading.Event()

    def slow(fd: int) -> None:
        held.set()
        assert go_on.wait(DEADLINE_S)
        real(fd)

    monkeypatch.setattr(open_file.os, "fdatasync", slow)
    submissions = [spool.store(Signal.TRACES, "shop", traces(1), 1)]
    assert held.wait(DEADLINE_S)
    submissions += [spool.store(Signal.TRACES, "shop", traces(number), 1) for number in range(2, 1500)]
    assert not any(submission.synced.done() for submission in submissions)
    go_on.set()
    for submission in submissions:
        submission.synced.result(DEADLINE_S)

    syncs = {name: value for name, labels, value in spool.samples() if labels.get("signal") == Signal.TRACES}
    assert syncs["sonde_spool_syncs_total"] == 3
    assert bodies(spool.folder) == [traces(number) for number in range(1500)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], check=False).returncode:
        pytest.skip("a small disk of its own needs the right to mount")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_refuses_loses_nothing_and_resumes_by_itself(small_disk: Path, limits: SpoolLimits) -> None:
    with Spool(small_disk / "spool", limits) as spool:
        accepted: list[bytes] = []
        refusals: set[str] = set()
        for number in range(60):
            body = traces(number, spans=100)
            try:
                accept(spool, body)
                accepted.append(body)
            except SpoolRefusedError as refusal:
                refusals.add(refusal.reason)
        assert refusals == {"write_failed"}
        assert 0 < len(accepted) < 60
        assert bodies(spool.folder) == accepted

        spool.stored(Signal.TRACES, next_file(spool))
        spool.prune()  # what is loaded makes room for what is not

        assert accept(spool, traces(99, spans=100)) is False
        assert bodies(spool.folder)[-1] == traces(99, spans=100)


def test_a_bad_entry_is_found_by_halves_and_everything_else_is_kept(tmp_path: Path, limits: SpoolLimits) -> None:
    crash(tmp_path, limits, range(10))
    with Spool(tmp_path, limits) as spool:
        loaded: list[bytes] = []
        rejected = 0
        while (file := spool.backlog(Signal.TRACES).next(0)) is not None:
            content = bodies_of(file.closed.path)
            if traces(6) in content:  # the store's opinion
                rejected += spool.isolate(Signal.TRACES, file)
            else:
                loaded += content
                spool.stored(Signal.TRACES, file)

        assert sorted(loaded) == sorted(traces(number) for number in range(10) if number != 6)
        assert rejected == 1
        (aside,) = (tmp_path / "rejected").iterdir()
        assert bodies_of(aside) == [traces(6)]
        assert next(value for name, _, value in spool.samples() if name == "sonde_spool_bytes") == 0


def test_what_has_no_structure_any_more_is_set_aside_and_the_entries_before_it_are_kept(
    tmp_path: Path, limits: SpoolLimits
) -> None:
    with Spool(tmp_path, limits) as spool:
        accept(spool, traces(1))
        accept(spool, traces(2))
    (closed,) = spool_files(tmp_path)
    content = bytearray(closed.read_bytes())
    content[len(content) // 2 :] = b"\xff" * (len(content) - len(content) // 2)
    closed.write_bytes(content)

    with Spool(tmp_path, limits) as spool:
        assert spool.isolate(Signal.TRACES, next_file(spool)) is False
        assert bodies_of(next_file(spool).closed.path) == [traces(1)]
        spool.stored(Signal.TRACES, next_file(spool))
        assert spool.isolate(Signal.TRACES, next_file(spool)) is True
        assert spool.backlog(Signal.TRACES).next(0) is None


def bodies_of(path: Path) -> list[bytes]:
    from sonde.server.spool.recovery import read_entries

    content = path.read_bytes()
    return [content[entry.body_start : entry.end] for entry in read_entries(path, verify=True)]
