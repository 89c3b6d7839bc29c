"""`sonde alarms`: the rules of an app as a file, out and in. Before the first start, and while the server runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sonde.cli import CommandError

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`export` and `import FILE`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    export = actions.add_parser("export", help="print the rules of an app as TOML")
    into = actions.add_parser("import", help="make the rules of an app those of a file, and print what changes as JSON")
    into.add_argument("file", metavar="FILE", help="TOML, as `export` prints it; `-` is standard input")
    into.add_argument("--dry-run", action="store_true", help="only print what would change")
    into.add_argument("--prune", action="store_true", help="remove rules that the file does not have")
    for action in (export, into):
        action.add_argument("--app", default="default", metavar="APP", help="name or id of the app (default: default)")
        action.add_argument("--data", metavar="DIR", help="folder of everything the server keeps")


def run(arguments: argparse.Namespace) -> int:
    """The same file a second time changes nothing."""
    from sonde.server.accounts.accounts import utc_now
    from sonde.server.accounts.command import opened_accounts, operator
    from sonde.server.accounts.errors import AccountsError
    from sonde.server.alarms.errors import AlarmsError
    from sonde.server.alarms.rule_book import RuleBook
    from sonde.server.alarms.rule_files import exported, import_rules, parsed

    try:
        with opened_accounts(arguments.data) as accounts:
            app = accounts.apps.called(arguments.app)
            if app is None:
                raise CommandError(f"there is no app {arguments.app!r}; `sonde app list` shows all")
            book = RuleBook(accounts.engine, utc_now)
            if arguments.action == "export":
                sys.stdout.write(exported(book.of_app(app.id)))
                return 0
            documents = parsed(_read(arguments.file))
            report = import_rules(
                accounts.engine,
                book,
                app.id,
                documents,
                operator(),
                prune=arguments.prune,
                dry_run=arguments.dry_run,
            )
    except (AccountsError, AlarmsError) as error:
        raise CommandError(str(error)) from None
    print(report.model_dump_json())
    return 0


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{name} cannot be read: {error}") from None
