"""`sonde up`: the whole server on this machine, until Ctrl-C or SIGTERM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde import settings
from sonde.cli import CommandError

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every setting of the server is a flag, but secrets: those would be seen in the list of processes."""
    for row in settings.rows():
        if row.part != "server" or row.secret:
            continue
        default = f" Default: {row.default}." if row.default not in {"", False} else ""
        parser.add_argument(
            f"--{row.name.replace('_', '-')}",
            dest=row.name,
            metavar="DIR" if row.name == "data" else row.type.__name__.upper(),
            help=f"{row.doc}{default}".replace("%", "%%"),
        )


def run(arguments: argparse.Namespace) -> int:
    """Print the address when the server answers and, at the first start, the admin's password."""
    import logging

    from sonde.server import supervisor
    from sonde.server.supervision.lock import FolderInUseError
    from sonde.server.supervision.ports import PortError
    from sonde.server.supervision.watch import HopelessError

    names = [row.name for row in settings.rows()]
    given = {name: value for name, value in vars(arguments).items() if name in names and value is not None}
    values = settings.Settings(given)
    logging.basicConfig(level=logging.INFO, format="sonde: %(message)s")
    try:
        supervisor.run(values, lambda line: print(line, flush=True))
    except (FolderInUseError, HopelessError, PortError, supervisor.StartError) as error:
        raise CommandError(str(error)) from None
    return 0
