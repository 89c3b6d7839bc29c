"""`sonde token`: make, list and revoke tokens of the API. Works before the first start, and while the server runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sonde.cli import CommandError

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`create --scope SCOPE`, `list` and `revoke ID`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a token and print it, and nothing else")
    create.add_argument("--scope", choices=("read", "write", "admin"), required=True, help="what it may do")
    create.add_argument("--name", default="cli", help="what it is for, shown in lists")
    create.add_argument(
        "--app",
        dest="apps",
        metavar="ID",
        action="append",
        help="an app that it may see, of scope read; may be repeated",
    )
    revoke = actions.add_parser("revoke", help="make a token worthless")
    revoke.add_argument("id", help="as `list` shows it")
    for action in (create, revoke, actions.add_parser("list", help="print all tokens as JSON, one a line")):
        action.add_argument("--data", metavar="DIR", help="folder of everything the server keeps")


def run(arguments: argparse.Namespace) -> int:
    """The token is shown this once; only its digest is kept."""
    from sonde.server.accounts.command import opened_accounts, operator
    from sonde.server.accounts.errors import AccountsError

    try:
        with opened_accounts(arguments.data) as accounts:
            if arguments.action == "create":
                print(accounts.tokens.create(arguments.name, arguments.scope, operator(), arguments.apps)[0])
            elif arguments.action == "revoke":
                if not accounts.tokens.revoke(arguments.id, operator()):
                    raise CommandError(f"there is no token {arguments.id}")
            else:
                for token in accounts.tokens.all():
                    created_at = token.created_at.isoformat()
                    shown = {"id": token.id, "name": token.name, "scope": token.scope, "apps": token.apps}
                    print(json.dumps({**shown, "created_at": created_at}))
    except AccountsError as error:
        raise CommandError(str(error)) from None
    return 0
