"""What a package.json asks for, and what its lock file holds: lock files of npm in version 1, 2 and 3.

Sources: https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json. Version 1 has a tree `dependencies`, 3 a flat
list `packages` by path, 2 both. Agents turn a yarn.lock into version 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sonde.server.nodejs import foreign_json

MOST_DEPENDENCIES = 2000
MOST_LOCKED = 50_000
MOST_TEXT_BYTES = 16 << 20
LONGEST_NAME = 255
_LONGEST_PATH = 1000
_DEEPEST = 100
_KINDS = (
    ("dependencies", "dependency"),
    ("devDependencies", "dev"),
    ("optionalDependencies", "optional"),
    ("peerDependencies", "peer"),
)
_FOLDER = "node_modules/"


@dataclass(slots=True)
class Package:
    """One package.json. `problem` says why not all of it could be read."""

    name: str = ""
    version: str = ""
    lock_version: int = 0
    dependencies: list[dict[str, str]] = field(default_factory=list)
    locked: list[dict[str, str]] = field(default_factory=list)
    problem: str = ""

    def document(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "name": self.name,
            "version": self.version,
            "lock_version": self.lock_version,
            "dependencies": self.dependencies,
            "locked": self.locked,
            "problem": self.problem,
        }


def read(pkg: str, lock: str | None) -> Package:
    """Whatever can be understood of the two texts."""
    found = Package()
    package = _object(pkg)
    if package is None:
        found.problem = "package.json is no JSON object"
        return found
    found.name, found.version = _text(package.get("name")), _text(package.get("version"))
    if lock is not None:
        _read_lock(found, lock)
    at_top = {it["path"].removeprefix(_FOLDER): it["version"] for it in found.locked}
    for key, kind in _KINDS:
        wanted = package.get(key)
        for name, version in wanted.items() if isinstance(wanted, dict) else ():
            if len(found.dependencies) < MOST_DEPENDENCIES:
                asked = {"name": _text(name), "wanted": _text(version), "locked": at_top.get(name, ""), "kind": kind}
                found.dependencies.append(asked)
    return found


def _read_lock(found: Package, text: str) -> None:
    lock = _object(text)
    if lock is None:
        found.problem = "the lock file is no JSON object"
        return
    version = lock.get("lockfileVersion")
    found.lock_version = version if type(version) is int and 0 < version < 100 else 1
    packages, dependencies = lock.get("packages"), lock.get("dependencies")
    if isinstance(packages, dict):
        for path, it in packages.items():
            if path and isinstance(it, dict) and not it.get("link"):
                name = _text(it.get("name")) or path.rpartition(_FOLDER)[2]
                _add(found, name, _text(it.get("version")), path)
    elif isinstance(dependencies, dict):
        _walk(found, dependencies, "", 0)
    else:
        found.problem = "the lock file lists no packages"


def _walk(found: Package, dependencies: dict[str, Any], below: str, depth: int) -> None:
    for name, it in dependencies.items():
        if not isinstance(it, dict):
            continue
        path = f"{below}{_FOLDER}{name}"[:_LONGEST_PATH]
        _add(found, name, _text(it.get("version")), path)
        inner = it.get("dependencies")
        if isinstance(inner, dict) and depth < _DEEPEST:
            _walk(found, inner, f"{path}/", depth + 1)


def _add(found: Package, name: str, version: str, path: str) -> None:
    if len(found.locked) >= MOST_LOCKED:
        found.problem = f"the lock file lists more than {MOST_LOCKED} packages"
        return
    found.locked.append({"name": name[:LONGEST_NAME], "version": version, "path": path[:_LONGEST_PATH]})


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = foreign_json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _text(value: object) -> str:
    return value[:LONGEST_NAME] if isinstance(value, str) else ""
