"""`sonde app`: make and list apps, and renew what their agents sign with. Works before the first start, and while
the server runs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sonde.cli import CommandError

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`create NAME`, `list` and `secret APP`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make an app and print its id, secret and token as JSON")
    create.add_argument("name")
    secret = actions.add_parser("secret", help="give an app a new secret and print it as JSON; the old one ends")
    secret.add_argument("app", help="its name or id")
    for action in (create, secret, actions.add_parser("list", help="print all apps as JSON, one a line")):
        action.add_argument("--data", metavar="DIR", help="folder of everything the server keeps")


def run(arguments: argparse.Namespace) -> int:
    """The token is shown this once; only its digest is kept."""
    from sonde.server.accounts.command import opened_accounts, operator
    from sonde.server.accounts.errors import AccountsError

    try:
        with opened_accounts(arguments.data) as accounts:
            if arguments.action == "list":
                for app in accounts.apps.all():
                    print(json.dumps({"id": app.id, "name": app.name, "created_at": app.created_at.isoformat()}))
                return 0
            if arguments.action == "secret":
                found = accounts.apps.called(arguments.app)
                renewed = accounts.apps.renew_secret(found.id, operator()) if found else None
                if renewed is None:
                    raise CommandError(f"there is no app {arguments.app!r}; `sonde app list` shows all")
                print(json.dumps({"id": renewed.app.id, "secret": renewed.secret}))
                return 0
            new = accounts.apps.create(arguments.name, operator())
    except AccountsError as error:
        raise CommandError(str(error)) from None
    print(json.dumps({"id": new.app.id, "secret": new.secret, "token": new.token}))
    return 0
