"""Switches the probe on and off in this process: settings, recorder, plugins."""

from __future__ import annotations

import os
import sys

from sonde import __version__, settings
from sonde.probe import core, guard
from sonde.probe.plugins import options
from sonde.probe.plugins.engine import Engine
from sonde.probe.propagators import propagators
from sonde.probe.resource import command_name, parsed_attributes
from sonde.probe.runtime import runtime
from sonde.probe.sampling import sampling
from sonde.probe.service import identity

TYPE_CHECKING = False  # typing's own would cost each process of the user an import of typing
if TYPE_CHECKING:
    from typing import Any

    from sonde.probe.plugins.engine import PluginStatus

_RECORD_SQL = frozenset({"masked", "full", "off"})


def _level(name: str) -> int:
    """Of logging, without importing it; 0: off. Raises SettingError."""
    levels = {"off": 0, "debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
    if name.lower() not in levels:
        raise settings.SettingError(f"ship_logs: {name!r} is none of {', '.join(levels)}")
    return levels[name.lower()]


def _tell_entries(url_templates: int, ignore_paths: str) -> None:
    """They know the defaults, and are imported for anything else only: not every process serves requests."""
    defaults = settings.URL_TEMPLATES.default, settings.IGNORE_PATHS.default
    if (url_templates, ignore_paths) == defaults and "sonde.probe.plugins.entry" not in sys.modules:
        return
    from sonde.probe.plugins.entry import ignored, templates

    templates.limit(url_templates)
    ignored.begin(ignore_paths)


def _tick(gil_wait_ns: int, whole: bool, said: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """What is reported beside spans. A process that ends without anything to report never imports how."""
    if not (whole or said or options.ship_logs or core.counters()["tallied"]):
        return []
    from sonde.probe import reports

    return reports.tick(gil_wait_ns, whole, said)


def _command(payload: bytes) -> None:
    """What the agent wants of a tool. Nothing of the tools is imported before the first one."""
    from sonde.probe import commands

    commands.hear(payload)


def _answer_when_stuck() -> bool:
    """From now on, a command for stacks that Python does not take is answered without it (native/tools/stacks). About
    a millisecond. False: frames cannot be read here, or the native core is not in use.
    """
    if "sonde.probe.core._core" not in sys.modules:
        return False
    try:
        from sonde.probe.tools import _stacks

        return _stacks.answer_commands(sys.version.split()[0])
    except (ImportError, AttributeError, OSError):
        return False


def _stand_watch(stalls_ms: float, syscalls_ms: float) -> None:
    """Nothing of the tools is imported where neither is wanted."""
    if stalls_ms or syscalls_ms:
        from sonde.probe.tools import standing

        standing.begin(stalls_ms, syscalls_ms)


class Probe:
    """The probe of this process. There is one, `probe`."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._hooked_fork = False

    def start(self, values: settings.Settings) -> None:
        """Record from now on. While it runs, nothing. Raises SettingError, ValueError."""
        if self._engine is not None:
            return
        guard.raised = values[settings.PROBE_DEBUG]
        options.record_sql = values[settings.RECORD_SQL]
        if options.record_sql not in _RECORD_SQL:
            raise settings.SettingError(f"record_sql: {options.record_sql!r} is none of masked, full, off")
        options.websocket_messages = values[settings.WEBSOCKET_MESSAGES]
        options.otel_bridge = values[settings.OTEL_BRIDGE]
        options.pool_wait_ns = int(values[settings.POOL_WAIT_THRESHOLD_MS] * 1e6)
        _tell_entries(values[settings.URL_TEMPLATES], values[settings.IGNORE_PATHS])
        propagators.begin(values[settings.PROPAGATORS])
        options.ship_logs = _level(values[settings.SHIP_LOGS])
        sampling.begin(
            values[settings.SAMPLING_RATE],
            values[settings.SLOW_MS],
            follows_parent=values[settings.SAMPLING_FOLLOWS_PARENT],
        )
        self._start_recorder(values)
        runtime.begin()
        core.on_tick(_tick, values[settings.RUNTIME_METRICS_INTERVAL_S])
        core.on_command(_command)
        _answer_when_stuck()
        self._engine = Engine(off=[name.strip() for name in values[settings.PLUGINS_OFF].split(",")])
        self._engine.start()
        _stand_watch(values[settings.STALLS_THRESHOLD_MS], values[settings.SYSCALLS_THRESHOLD_MS])
        if not self._hooked_fork:
            # After the recorder's own handler, which was registered when it was imported.
            os.register_at_fork(after_in_child=self._after_fork)
            self._hooked_fork = True

    def stop(self, timeout_s: float) -> None:
        """Put every function back and send what is recorded, for at most `timeout_s`."""
        engine, self._engine = self._engine, None
        if engine is not None:
            if host := sys.modules.get("sonde.probe.tools.host"):
                host.end(timeout_s)
            if standing := sys.modules.get("sonde.probe.tools.standing"):
                standing.end()
            engine.stop()
            runtime.end()
            core.stop(timeout_s)
            core.on_tick(None)
            core.on_command(None)

    @property
    def is_on(self) -> bool:
        """Whether it records."""
        return self._engine is not None

    def status(self) -> list[PluginStatus]:
        """What each plugin sees; empty while the probe is off."""
        return self._engine.status() if self._engine is not None else []

    def _start_recorder(self, values: settings.Settings) -> None:
        name = values[settings.SERVICE]
        try:
            attributes = parsed_attributes(values[settings.RESOURCE_ATTRIBUTES])
        except ValueError as error:
            raise settings.SettingError(f"resource_attributes: {error}") from None
        identity.begin(name, attributes)
        identity.said = {
            "pid": os.getpid(),
            "token": values[settings.PROBE_TOKEN],
            "service": name,
            "language": "python",
            "probe_version": __version__,
            "command": command_name(),
            "native": core.NATIVE,
        }
        core.start(
            identity.resource,
            values[settings.SOCKET] or settings.default_agent_socket(),
            hello=identity.said,
            flush_interval_ms=values[settings.FLUSH_INTERVAL_MS],
            ring_bytes=values[settings.RING_BYTES],
            max_value_bytes=values[settings.MAX_VALUE_BYTES],
            exit_flush_ms=values[settings.EXIT_FLUSH_MS],
            debug=guard.raised,
        )

    def _after_fork(self) -> None:
        if self._engine is None:
            return
        try:
            identity.after_fork()
            if records := sys.modules.get("sonde.probe.log_records"):
                records.log_records.forget()
        except Exception:
            guard.fault("start.after_fork")


probe = Probe()


def start(**given: Any) -> bool:
    """Start the probe; `given` are settings by name. True when it runs, also when it ran already.

    It never raises: with a setting it cannot use, it says so on standard error and stays off.
    """
    try:
        probe.start(settings.Settings(given))
    except Exception as error:
        if guard.raised:
            raise
        print(f"sonde: the probe is off: {error}", file=sys.stderr)  # noqa: T201 - the one line a guest may say
        return False
    return True


def stop(timeout_s: float = 1.0) -> None:
    """Put every function back, send what is recorded for at most `timeout_s`, and be quiet."""
    probe.stop(timeout_s)
