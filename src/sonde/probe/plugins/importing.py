"""Tells when a module has been imported, without importing anything itself.

A finder stands first on `sys.meta_path`. For a module somebody waits for, it asks the other finders and lends the
loader they found an `exec_module` for one call. The module's spec and loader stay the very objects they would be.
"""

from __future__ import annotations

import sys
from _thread import _local  # threading.local, without importing threading for it

from sonde.probe import core
from sonde.probe.guard import fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any


_NO_FRAME = "<frozen importlib._bootstrap_external>"
"""What warnings and tracebacks of imports leave out: a deprecated module blames the line that imports it, not us."""


class ImportWatch:
    """Calls `imported(name, module)` after the code of a module ran for which `awaited(name)` is true.

    It is asked for modules of `packages` alone, a set that may grow.
    """

    def __init__(
        self,
        packages: set[str],
        awaited: Callable[[str], bool],
        imported: Callable[[str, ModuleType], None],
    ) -> None:
        self._packages = packages
        self._awaited = awaited
        self._imported = imported
        self._busy = _local()
        # Some libraries look for a module that is not there at each request.
        self.find_spec = core.if_awaited(self._find, packages) if core.NATIVE else self._find

    def start(self) -> None:
        """Begin to watch. Modules imported before are not reported."""
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def stop(self) -> None:
        """Watch no longer."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def _find(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec that the other finders give, with its loader watched; None for modules nobody waits for."""
        try:
            if fullname.partition(".")[0] not in self._packages:
                return None
            if not self._awaited(fullname) or getattr(self._busy, "name", None) == fullname:
                return None
        except Exception:
            fault("importing.find_spec")
            return None
        self._busy.name = fullname
        try:
            spec = self._found_by_others(fullname, path, target)
        finally:
            self._busy.name = None
        if spec is not None:
            try:
                self._watch(spec)
            except Exception:
                fault("importing.find_spec")
        return spec

    def _found_by_others(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        for finder in list(sys.meta_path):
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                return spec
        return None

    def _watch(self, spec: ModuleSpec) -> None:
        loader: Any = spec.loader
        # A class serves as loader of built-in and frozen modules: lending it something would lend it to all of them.
        if loader is None or isinstance(loader, type) or not hasattr(loader, "exec_module"):
            return
        run = loader.exec_module
        imported = self._imported

        def exec_module(module: ModuleType) -> None:
            mine = module.__spec__ is spec
            if mine:
                loader.__dict__.pop("exec_module", None)
            run(module)
            if mine:
                try:
                    imported(spec.name, module)
                except Exception:
                    fault("importing.imported")

        exec_module.__code__ = exec_module.__code__.replace(co_filename=_NO_FRAME)
        loader.exec_module = exec_module
