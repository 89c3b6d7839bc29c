"""The folder of the disk queue: owned by one agent at a time, and what the last one left in it."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sonde.agent import AgentError
from sonde.agent.disk_queue import batch_file
from sonde.agent.disk_queue.batch import SUFFIX, Batch
from sonde.agent.disk_queue.batch_file import BatchFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sonde.agent.counters import Counters

log = logging.getLogger(__name__)

MAX_COMPANIONS = 64


@contextmanager
def claimed(folders: Iterable[Path]) -> Iterator[Path]:
    """The first of the folders that no other agent uses, made if need be. It is ours until the end, whatever that is.

    Raises AgentError where each is in use, or one cannot be made.
    """
    for folder in folders:
        lock_file = _locked(folder)
        if lock_file is not None:
            try:
                yield folder
            finally:
                os.close(lock_file)
            return
    raise AgentError(f"another agent uses the queue folder {folder}; name another one with --queue-dir")


def companion_folders(base: Path, server: str, token: str) -> Iterator[Path]:
    """Where an agent that was started for one program may keep its queue: any folder of the same server and token.

    Of these alone, for what one such agent leaves is sent by the next, under that one's token.
    """
    name = hashlib.sha256(f"{server}\0{token}".encode()).hexdigest()[:16]
    return (base / f"{name}-{number}" for number in range(1, MAX_COMPANIONS + 1))


def _locked(folder: Path) -> int | None:
    """A descriptor that holds the folder's lock; None where another agent holds it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)  # batches hold the tokens and the data of users
        lock_file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise AgentError(f"the queue folder {folder} cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock_file)
        return None
    return lock_file


def left_batches(folder: Path, counters: Counters) -> Iterator[Batch]:
    """What is sound in the folder, in order of arrival. Torn ends are cut off, what is no batch is removed: counted."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            batch = _sound_part(path, counters)
        except (BatchFileError, ValueError) as error:
            counters.add("sonde.agent.batches.unreadable")
            log.warning("%s; it is removed", error)
            batch = None
        if batch:
            yield batch
        else:
            path.unlink()


def _sound_part(path: Path, counters: Counters) -> Batch | None:
    """The batch in the file; None where not one chunk of it is sound."""
    sequence = int(path.name.removesuffix(SUFFIX))
    found = batch_file.measure(path)
    torn_bytes = path.stat().st_size - found.sound_bytes
    if torn_bytes:
        os.truncate(path, found.sound_bytes)
        counters.add("sonde.agent.bytes.dropped", torn_bytes, reason="torn", signal=found.header.signal.word)
    return Batch(sequence, path, found.header, found.sound_bytes, found.chunks) if found.chunks else None
