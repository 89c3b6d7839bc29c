"""Which implementation of the recorder runs in this process."""

from __future__ import annotations

import importlib

from sonde.probe.core.exits import in_main_interpreter
from sonde.settings import PROBE_CORE, SettingError

TYPE_CHECKING = False  # typing's own would cost each process of the user an import of typing
if TYPE_CHECKING:
    from types import ModuleType

SELF_TEST = bytes.fromhex(
    "12c6010a10a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a512083c3c3c3c3c3c3c3c22085a5a5a5a5a5a5a5a85010103000039"
    "00002a36fe9c97174160e34036fe9c97172a0973656c662d7465737430034a190a0e64622e73797374656d2e6e616d65"
    "12070a05736f6e64654a100a047465787412080a066772c3bcc39f4a160a07696e7465676572120b18d6ffffffffffff"
    "ffff014a130a06646f75626c65120921000000000000e03f4a0a0a04626f6f6c120210014a130a046c697374120b2a09"
    "0a030a01610a021801"
)
"""The record that the native core's self-test has to write, see native/core/selftest.c."""


def native_core(wish: str) -> ModuleType | None:
    """The native core; None where the Python twin is to be used.

    `wish` is the setting `core`. With `native`, what `auto` makes up for is an ImportError, but in a sub-interpreter.
    """
    if wish not in {"auto", "native", "python"}:
        raise SettingError(f"{PROBE_CORE.name}: {wish!r} is none of auto, native, python")
    if wish == "python":
        return None
    try:
        # Not built for this platform, or a sub-interpreter: it has one process-wide state and refuses there.
        core = importlib.import_module("sonde.probe.core._core")
    except ImportError:
        if wish == "native" and in_main_interpreter():
            raise
        return None
    if core.self_test() != SELF_TEST:
        if wish == "native":
            raise ImportError("the native core was built, but fails its self-test")
        return None
    return core
