"""The agent from its start to its end."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from sonde import settings as rows
from sonde.agent import AgentError
from sonde.agent.control import policy
from sonde.agent.control.spool import Spool
from sonde.agent.counters import Counters
from sonde.agent.disk_queue import queue_folder
from sonde.agent.disk_queue.queue import BatchQueue
from sonde.agent.forwarding.collector import Collector, encoding
from sonde.agent.forwarding.forward import Forwarder
from sonde.agent.forwarding.server_clock import ServerClock
from sonde.agent.forwarding.server_connection import ServerConnection
from sonde.agent.host_metrics.identity import host_resource
from sonde.agent.lifetime import Lifetime
from sonde.agent.receiving.probe_settings import ProbeSettings
from sonde.agent.receiving.probes import Probes
from sonde.agent.receiving.receive import Receiver
from sonde.agent.receiving.settings_asker import SettingsAsker
from sonde.agent.tools.runs import Runs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from sonde.settings import Settings

log = logging.getLogger(__name__)


def run(settings: Settings, *, exit_with: int | None, measure_host: bool) -> bool:
    """Serve until the lifetime ends; prints `ready` once probes may connect. False: a part failed.

    Raises SettingError and AgentError where it cannot start. Has to be called in the main thread.
    """
    counters = Counters()
    probes = Probes(counters)
    clock = ServerClock()
    collector = Collector(settings[rows.SERVER_URL], encoding(settings[rows.AGENT_COMPRESSION]), clock)
    with ExitStack() as running:  # last started, first stopped
        lifetime = running.enter_context(Lifetime(exit_with))
        folder = running.enter_context(
            queue_folder.claimed(_queue_folders(settings, is_companion=exit_with is not None))
        )
        queue = running.enter_context(_queue(settings, folder, counters))
        running.enter_context(_forwarder(settings, queue, collector, counters))
        if measure_host and (reporter := _reporter(settings, folder, queue, probes, clock, counters)):
            running.enter_context(reporter)
        told = running.enter_context(ProbeSettings(settings[rows.AGENT_TOKEN]))
        if settings[rows.SETTINGS_INTERVAL_S]:
            running.enter_context(_asker(settings, told, counters))
        runs = running.enter_context(Runs(probes, counters))
        if settings[rows.CONTROL] and (channel := _channel(settings, folder, runs, counters)):
            running.enter_context(channel)
        if settings[rows.SKYAPM_SOCKET]:
            running.enter_context(_sidecar(settings, folder, queue, counters))
        receiver = running.enter_context(_receiver(settings, queue, probes, told, runs, counters))
        print("ready", flush=True)  # noqa: T201 - the word scripts wait for
        sound = lifetime.wait(lambda: receiver.connection_count)
        log.info("stopping")
    return sound


def socket_path(settings: Settings) -> Path:
    """Where the agent listens: what it was told, else where probes look."""
    return Path(settings[rows.AGENT_SOCKET] or settings[rows.SOCKET] or rows.default_agent_socket())


def _queue_folders(settings: Settings, *, is_companion: bool) -> Iterable[Path]:
    """Where batches may wait."""
    if named := settings[rows.QUEUE_DIR]:
        return [Path(named)]
    base = rows.state_home() / "queue"
    if is_companion:
        return queue_folder.companion_folders(base, settings[rows.SERVER_URL], settings[rows.AGENT_TOKEN])
    return [base]


def _queue(settings: Settings, folder: Path, counters: Counters) -> BatchQueue:
    return BatchQueue(
        folder,
        max_bytes=settings[rows.QUEUE_MAX_BYTES],
        batch_max_bytes=settings[rows.BATCH_MAX_BYTES],
        batch_max_age_s=settings[rows.BATCH_MAX_AGE_MS] / 1000,
        counters=counters,
    )


def _forwarder(settings: Settings, queue: BatchQueue, collector: Collector, counters: Counters) -> Forwarder:
    token = settings[rows.AGENT_TOKEN]
    if not token:
        log.warning("no app token: the server will refuse what comes without one (set SONDE_AGENT_TOKEN or --token)")
    flush_s = settings[rows.AGENT_FLUSH_MS] / 1000
    return Forwarder(queue, collector, agent_token=token, flush_s=flush_s, counters=counters)


def _reporter(
    settings: Settings, folder: Path, queue: BatchQueue, probes: Probes, clock: ServerClock, counters: Counters
) -> AbstractContextManager[object] | None:
    try:
        from sonde.agent.host_metrics.report import HostReporter  # noqa: PLC0415 - without psutil the agent does everything else
    except ImportError as error:
        log.warning("the host is not measured: %s; pip install 'sonde[agent]' brings what is missing", error)
        return None
    return HostReporter(
        queue,
        probes,
        counters,
        clock=clock,
        resource=host_resource(folder / "host-id"),
        interval_s=settings[rows.HOST_METRICS_INTERVAL_S],
        top_processes=settings[rows.TOP_PROCESSES],
        process_commands=settings[rows.PROCESS_COMMANDS],
    )


def _asker(settings: Settings, told: ProbeSettings, counters: Counters) -> SettingsAsker:
    server, interval_s = ServerConnection(settings[rows.SERVER_URL]), settings[rows.SETTINGS_INTERVAL_S]
    return SettingsAsker(server, told, interval_s=interval_s, counters=counters)


def _channel(settings: Settings, folder: Path, runs: Runs, counters: Counters) -> AbstractContextManager[object] | None:
    """The way on which the server may ask for tools. Raises AgentError where its files cannot be kept."""
    token = settings[rows.AGENT_TOKEN]
    if not token:
        return None  # the server would not know whose agent it is
    try:
        from sonde.agent.control.channel import Channel  # noqa: PLC0415 - likewise
    except ImportError as error:
        log.warning("the server cannot ask for tools: %s; pip install 'sonde[agent]' brings what is missing", error)
        return None
    file = Path(settings[rows.POLICY] or rows.default_policy())
    resource = host_resource(folder / "host-id")
    try:
        return Channel(
            settings[rows.SERVER_URL],
            token,
            node=resource["host.id"],
            host=resource["host.name"],
            folder=folder / "control",
            control_key=settings[rows.CONTROL_KEY],
            policy=lambda: policy.read(file),
            runs=runs,
            spool=Spool(folder / "artifacts", settings[rows.AGENT_ARTIFACTS_MAX_BYTES]),
            counters=counters,
        )
    except OSError as error:
        raise AgentError(f"the folder {folder} cannot be used: {error.strerror}") from None


def _sidecar(settings: Settings, folder: Path, queue: BatchQueue, counters: Counters) -> AbstractContextManager[object]:
    from sonde.agent.skyapm.instances import Instances  # noqa: PLC0415 - hosts with PHP only
    from sonde.agent.skyapm.sidecar import Sidecar  # noqa: PLC0415

    instances, host = Instances(folder / "skyapm-instances.json"), host_resource(folder / "host-id")
    return Sidecar(Path(settings[rows.SKYAPM_SOCKET]), queue, instances, host=host, counters=counters)


def _receiver(
    settings: Settings, queue: BatchQueue, probes: Probes, told: ProbeSettings, runs: Runs, counters: Counters
) -> Receiver:
    path, most = socket_path(settings), settings[rows.AGENT_MAX_CONNECTIONS]
    return Receiver(path, queue, probes, told, runs, max_connections=most, counters=counters)
