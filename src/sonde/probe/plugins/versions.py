"""Which version of a library is here, and is it in a range? Enough of PEP 440 for `>=4.2,<9`, without a library.

And without `re`, whose import and patterns would cost more than all that is done here.
"""

from __future__ import annotations

import operator
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_DIGITS = "0123456789"
_BEFORE_RELEASE = ("a", "b", "c", "rc", "pre", "dev")
"""What the letters behind the numbers of a pre-release begin with; `alpha`, `beta` and `preview` do so, too."""

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}

_installed: dict[str, dict[str, str]] = {}
"""Folder of the path → its distributions by plain name. Listed once: what comes later, importlib.metadata finds."""


def key(version: str) -> tuple[tuple[int, ...], bool]:
    """What versions are ordered by: the release without its trailing zeros, then whether it is final.

    Local parts and post-releases count as the release itself, pre-releases of one release as equal. Raises ValueError.
    """
    rest = version.strip().lower().removeprefix("v")
    epoch, mark, behind = rest.partition("!")
    if mark and epoch.isdecimal():
        rest = behind
    release: list[int] = []
    while digits := rest[: len(rest) - len(rest.lstrip(_DIGITS))]:
        release.append(int(digits))
        rest = rest[len(digits) :]
        if not rest.startswith("."):
            break
        rest = rest[1:]
    if not release:
        raise ValueError(f"{version!r} is no version")
    while release and release[-1] == 0:
        release.pop()
    return tuple(release), not rest.lstrip("._-").startswith(_BEFORE_RELEASE)


def supported(version: str, supports: str) -> bool:
    """Whether `version` satisfies every clause of `supports`, e.g. `>=4.2,<9`. Empty: any. Raises ValueError.

    A pre-release of an excluded upper bound (9.0rc1 for `<9`) is not supported: it already has the new things.
    """
    mine = key(version)
    for clause in filter(None, supports.split(",")):
        text = clause.strip()
        sign = next((sign for sign in _COMPARE if text.startswith(sign)), "")
        if not sign:
            raise ValueError(f"{clause!r} is no version clause")
        bound = key(text.removeprefix(sign))
        if not _COMPARE[sign](mine, bound) or (sign == "<" and mine[0] == bound[0]):
            return False
    return True


def installed_version(library: str, *others: str) -> str:
    """Version of the distribution, `python` being the interpreter; empty where it is not known.

    `others`: names of distributions that bring the same library.

    From the names of the metadata folders on the path: importlib.metadata, which knows more places, costs every process
    of the user some 10 ms to import, so it is only asked when nothing is found.
    """
    if library == "python":
        return ".".join(map(str, sys.version_info[:3]))
    names = [_plain(name) for name in (library, *others)]
    for folder in sys.path:
        there = _distributions(folder or os.getcwd())  # noqa: PTH109 - pathlib would have to be imported
        for name in names:
            if name in there:
                return there[name]
    import importlib.metadata

    for name in (library, *others):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""


def _distributions(folder: str) -> dict[str, str]:
    """Plain name → version, of what is installed in a folder."""
    there = _installed.get(folder)
    if there is None:
        there = _installed[folder] = {}
        try:
            entries = os.listdir(folder)  # noqa: PTH208 - likewise
        except OSError:
            return there
        for entry in entries:
            if entry.endswith((".dist-info", ".egg-info")):
                distribution, _, version = entry.rpartition(".")[0].partition("-")
                if version:
                    there.setdefault(_plain(distribution), version.partition("-")[0])
    return there


def _plain(name: str) -> str:
    """The name as PEP 503 compares it."""
    plain = name.lower().replace("_", "-").replace(".", "-")
    while "--" in plain:
        plain = plain.replace("--", "-")
    return plain
