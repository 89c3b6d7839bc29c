# noqa: INP001 - the folder holds nothing else: it is put into the path of the user's program
"""Found by Python at start because `sonde run` puts this folder into PYTHONPATH. Starts the probe in every process of
the program, whatever started it, and never keeps one from starting.

Its name hides the user's own `sitecustomize`, if there is one, so that is run as well.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib would cost each process of the user 5 ms


def _say(what: str, error: Exception) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"sonde: {what}: {type(error).__name__}: {error}\n")


def _is_bookkeeper() -> bool:
    """A process that multiprocessing starts for itself; no line of the user's ever runs in it."""
    return any("multiprocessing.resource_tracker" in word for word in getattr(sys, "orig_argv", ()))


def _start_probe() -> None:
    if _is_bookkeeper() or os.environ.get("SONDE_ENABLED", "").lower() in {"", "0", "false", "no", "off"}:
        return
    loaded = frozenset(sys.modules)
    try:
        import sonde
    except ImportError:
        sonde = _from_home(os.environ.get("SONDE_HOME", ""))
    report = None
    if folder := os.environ.get("SONDE_DOCTOR", ""):
        from sonde.probe import selfreport

        report = selfreport.begin(folder, loaded)
    started = sonde.start()
    if report is not None:
        report.started(runs=started)


def _report_failure(folder: str, error: Exception) -> None:
    """`sonde doctor` learns why there is no probe; what does this in a process that has one may be what failed."""
    import json

    try:
        with open(os.path.join(folder, f"{os.getpid()}-none.json"), "w") as file:  # noqa: PTH118, PTH123
            json.dump({"pid": os.getpid(), "ppid": os.getppid(), "state": "off", "reason": repr(error)}, file)
    except OSError as trouble:
        _say("sonde doctor is not told", trouble)


def _from_home(home: str) -> ModuleType:
    """Sonde from the place that `sonde run` was started from: the program's virtual environment has none.

    Loaded by itself, not through sys.path, where everything else of that place would come along.
    """
    import importlib.util

    package = os.path.join(home, "sonde")  # noqa: PTH118
    spec = importlib.util.spec_from_file_location(
        "sonde",
        os.path.join(package, "__init__.py"),  # noqa: PTH118
        submodule_search_locations=[package],
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"no package in {package}")
    module = importlib.util.module_from_spec(spec)
    sys.modules["sonde"] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules["sonde"]
        raise
    return module


def _run_users_own() -> None:
    """Run the sitecustomize that Python would have found without us, under its own name.

    Where there is none, or it fails, the name is ours again: Python has still to end our own import.
    """
    ours = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # type: ignore[import-not-found]  # noqa: F401 - this folder is no longer in the path
    except BaseException as error:
        sys.modules["sitecustomize"] = ours
        if not isinstance(error, ImportError) or error.name != "sitecustomize":
            raise


# The program's path is what it would be without us; each folder more costs every search for a module that is not there.
sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder or ".") != _HERE]  # noqa: PTH100

try:
    _start_probe()
except Exception as error:
    _say("the probe is off", error)
    if os.environ.get("SONDE_DOCTOR"):
        _report_failure(os.environ["SONDE_DOCTOR"], error)

# Not caught: a fault of the user's own file is reported by Python as it would be without us.
_run_users_own()
