"""Does what plugins declare: waits for a library, checks its version, wraps its points, and can take all of it back.

It runs in each process of the user: what only a process with a library needs is imported when there is one.
"""

from __future__ import annotations

import sys
from _thread import RLock  # threading's, without importing threading for it

from sonde.probe.guard import fault
from sonde.probe.plugins import REGISTRY
from sonde.probe.plugins.importing import ImportWatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from types import ModuleType
    from typing import Literal, Protocol

    from sonde.probe.plugins.plugin import Plugin, Wrapper
    from sonde.probe.plugins.points import Patch

    State = Literal["waiting", "active", "refused", "off"]

    class Observer(Protocol):
        """Who wants to know what plugins see, see `selfreport`."""

        def observed(self, name: str, wrapper: Wrapper) -> Wrapper:
            """What the plugin `name` puts at a point, so that calls of it are noticed."""

        def changed(self) -> None:
            """The state of a plugin may be another."""


class PluginStatus:
    """Whether a plugin sees anything. Silence is not success: `refused` says why."""

    __slots__ = ("name", "points", "reason", "state", "version")

    def __init__(self, name: str, state: State, version: str, reason: str, points: dict[str, State]) -> None:
        self.name = name
        self.state = state
        """waiting: the library is not imported; active: wrapped; refused: not wrapped, see reason; off: by the user."""
        self.version = version
        """Of the library. Empty while waiting."""
        self.reason = reason
        self.points = points


observer: Observer | None = None
"""Set before the engine starts. There is one under `sonde doctor` only."""


ACTIVE: set[str] = set()
"""Names of the plugins that wrap something now: whoever would do the same leaves it to them."""


class _Entry:
    """What the engine knows of one plugin."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.plugin: Plugin | None = None
        self.state: State = "waiting"
        self.version = ""
        self.reason = ""
        self.patches: dict[str, Patch | None] = {}

    def status(self) -> PluginStatus:
        points: dict[str, State] = {}
        if self.plugin is not None and self.state in {"active", "waiting"}:
            points = {point: "active" if point in self.patches else "waiting" for point in self.plugin.points}
        return PluginStatus(self.name, self.state, self.version, self.reason, points)

    def refuse(self, reason: str) -> None:
        self.undo()
        self.state, self.reason = "refused", reason

    def undo(self) -> None:
        for done in reversed(self.patches.values()):
            if done is not None:
                done.undo()
        self.patches.clear()
        ACTIVE.discard(self.name)


class Engine:
    """All plugins of a process. Safe to start twice; `stop` puts every function back."""

    def __init__(self, registry: Mapping[str, Collection[str]] = REGISTRY, off: Collection[str] = ()) -> None:
        self._off = frozenset(off)
        self._unseen = {package: tuple(names) for package, names in registry.items()}
        self._entries = {name: _Entry(name) for names in registry.values() for name in names}
        self._by_module: dict[str, list[_Entry]] = {}
        self._lock = RLock()
        self._packages = set(registry)
        self._watch = ImportWatch(self._packages, self._awaited, self._imported)
        for name in self._off & self._entries.keys():
            self._entries[name].state = "off"

    def start(self) -> None:
        """Wrap what is imported, watch for what will be."""
        self._watch.start()
        for package in list(self._unseen):
            if package in sys.modules:
                self._meet(package)
        for name in list(self._by_module):
            module = sys.modules.get(name)
            if module is not None and not _being_imported(module):
                self._imported(name, module)

    def stop(self) -> None:
        """Take every wrapper away and watch no longer."""
        self._watch.stop()
        with self._lock:
            for entry in self._entries.values():
                entry.undo()
                if entry.state == "active":
                    entry.state = "waiting"

    def status(self) -> list[PluginStatus]:
        """Every plugin of the registry."""
        return [entry.status() for entry in self._entries.values()]

    def _awaited(self, module: str) -> bool:
        if self._unseen and (package := module.partition(".")[0]) in self._unseen:
            self._meet(package)
        return module in self._by_module

    def _meet(self, package: str) -> None:
        """A package is imported for the first time: load the plugins for it."""
        with self._lock:
            for name in self._unseen.pop(package, ()):
                entry = self._entries[name]
                if entry.state == "off":
                    continue
                try:
                    module_name = f"sonde.probe.plugins.{name}"
                    __import__(module_name)
                    entry.plugin = sys.modules[module_name].PLUGIN
                except Exception as error:
                    entry.refuse(f"the plugin cannot be loaded: {error}")
                    fault(f"plugins.{name}")
                    continue
                for module in entry.plugin.modules():
                    self._packages.add(module.partition(".")[0])  # Celery's plugin has a point in kombu
                    self._by_module.setdefault(module, []).append(entry)
        if observer is not None:
            observer.changed()

    def _imported(self, name: str, module: ModuleType) -> None:
        with self._lock:
            for entry in self._by_module.get(name, ()):
                try:
                    self._apply(entry, name, module)
                except Exception as error:
                    entry.refuse(f"{type(error).__name__}: {error}")
                    fault(f"plugins.{entry.name}")
        if observer is not None:
            observer.changed()

    def _apply(self, entry: _Entry, name: str, module: ModuleType) -> None:
        plugin = entry.plugin
        if plugin is None or entry.state in {"refused", "off"}:
            return
        from sonde.probe.plugins.points import PointError, patch
        from sonde.probe.plugins.versions import installed_version, supported

        if not entry.version:
            entry.version = installed_version(plugin.library, *plugin.also)
            if not entry.version:
                entry.refuse(f"the version of {plugin.library} is not known")
                return
            if not supported(entry.version, plugin.supports):
                entry.refuse(f"{plugin.library} {entry.version} is not among {plugin.supports}")
                return
        for point, wrapper in plugin.points.items():
            home, _, path = point.partition(":")
            if home != name or point in entry.patches:
                continue
            if observer is not None:
                wrapper = observer.observed(entry.name, wrapper)  # noqa: PLW2901 - the same, and it is noticed
            try:
                entry.patches[point] = patch(module, path, wrapper, inherited=point not in plugin.optional)
            except PointError as missing:
                if point not in plugin.optional:
                    entry.refuse(str(missing))
                    return
        entry.state = "active"
        ACTIVE.add(entry.name)


def _being_imported(module: ModuleType) -> bool:
    """The probe was started by a module of a library that is still at its own import; the watch will see its end."""
    spec = getattr(module, "__spec__", None)
    return bool(getattr(spec, "_initializing", False))
