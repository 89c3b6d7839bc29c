"""`sonde agent`: the node agent, in the foreground."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde import settings as rows
from sonde.agent import AgentError
from sonde.agent.logs import log_to_stderr
from sonde.cli import CommandError
from sonde.settings import Settings

if TYPE_CHECKING:
    import argparse

# Flag, the row it sets, what the value stands for.
_FLAGS = (
    ("--server", rows.SERVER_URL, "URL"),
    ("--token", rows.AGENT_TOKEN, "TOKEN"),
    ("--socket", rows.AGENT_SOCKET, "PATH"),
    ("--skyapm-socket", rows.SKYAPM_SOCKET, "PATH"),
    ("--queue-dir", rows.QUEUE_DIR, "DIR"),
    ("--queue-max-bytes", rows.QUEUE_MAX_BYTES, "BYTES"),
    ("--batch-max-bytes", rows.BATCH_MAX_BYTES, "BYTES"),
    ("--batch-max-age-ms", rows.BATCH_MAX_AGE_MS, "MS"),
    ("--compression", rows.AGENT_COMPRESSION, "NAME"),
    ("--host-metrics-interval-s", rows.HOST_METRICS_INTERVAL_S, "S"),
    ("--settings-interval-s", rows.SETTINGS_INTERVAL_S, "S"),
    ("--max-connections", rows.AGENT_MAX_CONNECTIONS, "N"),
    ("--flush-ms", rows.AGENT_FLUSH_MS, "MS"),
    ("--log-level", rows.LOG_LEVEL, "LEVEL"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    for flag, row, metavar in _FLAGS:
        parser.add_argument(flag, dest=row.name, metavar=metavar, help=row.doc)
    parser.add_argument(
        "--exit-with", type=int, metavar="PID", help="End once this process is gone and no probe is connected any more."
    )
    parser.add_argument("--no-host-metrics", action="store_true", help="Do not measure the host.")


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0 after a clean end, 1 where the agent cannot start or a part of it failed, 2 for a bad setting."""
    settings = Settings({row.name: getattr(arguments, row.name) for _, row, _ in _FLAGS})
    log_to_stderr(settings[rows.LOG_LEVEL])
    from sonde.agent import main

    try:
        sound = main.run(settings, exit_with=arguments.exit_with, measure_host=not arguments.no_host_metrics)
    except AgentError as error:
        raise CommandError(str(error)) from None
    return 0 if sound else 1
