"""`sonde COMMAND`: one file per command, imported only when it runs, so that `sonde run` stays light.

A command module has `add_arguments(parser)` and `run(arguments) -> exit code`. It may raise SettingError or
CommandError, which end here in one line on standard error and exit code 2 or 1.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import TYPE_CHECKING

from sonde import __version__
from sonde.settings import SettingError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "up": "the whole server on this machine",
    "agent": "the node agent: receives from probes, forwards to the server, measures the host",
    "run": "start a program with the probe inside: sonde run -- CMD …",
    "doctor": "prove that every process of a program is seen: sonde doctor -- CMD …",
    "debug": "look into a running process: sonde debug PID cpu",
    "leaks": "read or clear the leak log of this host",
    "app": "make and list apps (whoever sends data belongs to one)",
    "token": "make tokens for the API",
    "alarms": "the rules of alarms as a file: export, import",
}


class CommandError(Exception):
    """The command cannot do what was asked; the message says why, and what to do."""


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the `sonde` program."""
    argv = list(sys.argv[1:] if argv is None else argv)
    # The command's own parser is made only for the command that was called.
    name = next((word for word in argv if not word.startswith("-")), None)
    parser = argparse.ArgumentParser(prog="sonde", description="See inside running services.")
    parser.add_argument("--version", action="version", version=f"sonde {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command, summary in COMMANDS.items():
        sub = commands.add_parser(command, help=summary, description=summary)
        if command == name:
            module = importlib.import_module(f"sonde.cli.{command}")
            module.add_arguments(sub)
    arguments = parser.parse_args(argv)
    try:
        code = int(importlib.import_module(f"sonde.cli.{arguments.command}").run(arguments))
        sys.stdout.flush()
    except SettingError as error:
        print(f"sonde: {error}", file=sys.stderr)
        return 2
    except CommandError as error:
        print(f"sonde {arguments.command}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read our output has seen enough: `sonde debug | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the exit would flush, and fail again
        return 141
    except KeyboardInterrupt:
        return 130
    return code
