"""What spool files are called. A file's name is its token in the store: the same name is never stored twice.

    000000000042-9f0c1e5b7a3d2468.traces.pb         closed: waits for the loader
    000000000042-9f0c1e5b7a3d2468.traces.pb.open    being written
    000000000042-9f0c1e5b7a3d2468.a.traces.pb       first half of a file that the store could not read
    loaded/…                                        stored; kept a while
    rejected/…                                      one entry that the store cannot read

The number orders the files of a folder; the random half keeps a name unique where a folder was emptied and numbers
start anew.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from sonde.server.spool.entry import Signal

if TYPE_CHECKING:
    from pathlib import Path

LOADED = "loaded"
REJECTED = "rejected"
LOCK = "lock"
BOOT = "boot"
"""Says in which run of the machine the folder was used last."""
OPEN_SUFFIX = ".open"
PARTIAL_SUFFIX = ".part"
"""A half while it is written: worth nothing after a crash, its original is still there."""

_FORM = re.compile(rf"(\d{{12}})-[0-9a-f]{{16}}((?:\.[ab])*)\.({'|'.join(Signal)})\.pb")


def file_name(sequence: int, signal: Signal) -> str:
    """A name that no other file has or will have."""
    return f"{sequence:012d}-{secrets.token_hex(8)}.{signal}.pb"


def half_name(name: str, half: str) -> str:
    """The name of half `a` or `b` of `name`. The same each time: a split repeated after a crash adds nothing."""
    stem, signal, suffix = name.rsplit(".", 2)
    return f"{stem}.{half}.{signal}.{suffix}"


def sequence_of(name: str) -> int | None:
    """The number in a name, of an open file too; None for a file that is not ours."""
    match = _FORM.fullmatch(name.removesuffix(OPEN_SUFFIX))
    return int(match[1]) if match else None


def signal_of(name: str) -> Signal:
    """What the file carries. Raises ValueError where `name` is no spool file's."""
    match = _FORM.fullmatch(name.removesuffix(OPEN_SUFFIX))
    if match is None:
        raise ValueError(f"{name!r} is no spool file's name")
    return Signal(match[3])


def spool_files(folder: Path, suffix: str = "") -> list[Path]:
    """Spool files of `folder`, oldest first: the closed ones, or those being written with `suffix=OPEN_SUFFIX`."""
    return sorted(path for path in folder.iterdir() if path.name.endswith(".pb" + suffix) and sequence_of(path.name))
