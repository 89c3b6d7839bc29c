"""The node's own policy: a file of this host that says what the server may ask for. No file: nothing."""

from __future__ import annotations

import os
import stat
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 64 << 10
DEFAULT_MAX_SECONDS = 300.0
_KNOWN = frozenset({"allow", "max_seconds", "services"})
ALL = "*"


@dataclass(frozen=True, slots=True)
class Policy:
    """What is allowed. `problem` says why nothing is, where that is not what a sound file says."""

    tools: tuple[str, ...] = ()
    max_seconds: float = DEFAULT_MAX_SECONDS
    services: tuple[str, ...] = (ALL,)
    problem: str = ""

    def refuses(self, tool: str, seconds: float, service: str) -> str:
        """Why this is not allowed; empty: it is."""
        if self.problem or not self.tools:
            return self.refuses_service(service)
        if ALL not in self.tools and tool not in self.tools:
            return f"the policy of this host does not allow the tool {tool}"
        if seconds > self.max_seconds:
            return f"the policy of this host allows {self.max_seconds:g} s, not {seconds:g}"
        return self.refuses_service(service)

    def refuses_service(self, service: str) -> str:
        """Why no process of the service may be looked into; empty: some tool may."""
        if self.problem:
            return self.problem
        if not self.tools:
            return "the policy of this host allows no tool"
        if not any(_matches(pattern, service) for pattern in self.services):
            return f"the policy of this host does not allow tools in the service {service!r}"
        return ""


def read(path: Path) -> Policy:
    """The policy as it is now. A file that cannot be used allows nothing."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        with open(handle, "rb") as file:  # noqa: PTH123 - what is looked at has to be what is read
            problem = _not_ours(os.fstat(handle), path)
            content = b"" if problem else file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return Policy(problem=f"this host has no policy file {path}: nothing is allowed")
    except OSError as error:
        return Policy(problem=f"the policy file {path} cannot be read: {error.strerror}")
    if problem:
        return Policy(problem=problem)
    if len(content) > MAX_BYTES:
        return Policy(problem=f"the policy file {path} has more than {MAX_BYTES >> 10} KiB")
    try:
        return _policy(tomllib.loads(content.decode()))
    except (ValueError, RecursionError) as error:
        return Policy(problem=f"the policy file {path} cannot be used: {error}")


def _not_ours(found: os.stat_result, path: Path) -> str:
    """Why the file does not count: somebody else could have written it."""
    if not stat.S_ISREG(found.st_mode):
        return f"the policy file {path} is no file"
    if found.st_uid not in {0, os.geteuid()}:
        return f"the policy file {path} belongs to user id {found.st_uid}: it has to be root's or the agent's own"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"the policy file {path} can be written by others: chmod go-w"
    return ""


def _policy(document: dict[str, Any]) -> Policy:
    """Raises ValueError for what is not as it should be: a slip must not allow more than was meant."""
    unknown = sorted(set(document) - {"tools"})
    if unknown:
        raise ValueError(f"there is only [tools], not {unknown[0]!r}")
    table = document.get("tools", {})
    if not isinstance(table, dict):
        raise ValueError("[tools] is a table")  # noqa: TRY004 - of what stands in a file
    unknown = sorted(set(table) - _KNOWN)
    if unknown:
        raise ValueError(f"[tools] has allow, max_seconds and services, not {unknown[0]!r}")
    seconds = table.get("max_seconds", DEFAULT_MAX_SECONDS)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 1e9:
        raise ValueError("max_seconds is a number of seconds")
    return Policy(_texts(table, "allow", ()), float(seconds), _texts(table, "services", (ALL,)))


def _texts(table: dict[str, Any], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    found = table.get(name)
    if found is None:
        return default
    if not isinstance(found, list) or not all(isinstance(entry, str) for entry in found):
        raise ValueError(f"{name} is a list of texts")
    return tuple(found)


def _matches(pattern: str, service: str) -> bool:
    return service.startswith(pattern[:-1]) if pattern.endswith(ALL) else service == pattern
