"""A diagnostic report without the secrets of its process: it holds the whole environment.

What looks secret is known by its name, by its shape, or by standing in an address between user and host.
"""

from __future__ import annotations

import json
import re
from typing import Any

from sonde.server.nodejs import foreign_json

MASK = "••••••"
LARGEST_BYTES = 32 << 20
"""Decompressed. A real one has some 100 KB; a larger one is given to nobody but who may see all of it."""
_SECRET_NAME = re.compile(
    r"SECRET|TOKEN|PASSW|PASSPHRASE|PWD$|_PW$|(^|_)PASS(_|$)"
    r"|(API|ACCESS|PRIVATE|ENCRYPTION|SIGNING|MASTER|LICENSE)_?KEY|(^|_)KEYS?$"
    r"|CREDENTIAL|AUTH|COOKIE|SESSION|SALT|SIGNATURE|(^|_)(DSN|PIN|OTP)(_|$)|WEBHOOK",
    re.IGNORECASE,
)
_PUBLIC_NAME = re.compile(r"PWD|OLDPWD|SSH_AUTH_SOCK|XDG_SESSION_\w+|DESKTOP_SESSION")
"""Paths of sockets and folders that only sound like secrets."""
_SECRET_VALUE = re.compile(
    r"-----BEGIN |\beyJ[\w-]+\.eyJ[\w-]+\."
    r"|\b(?:AKIA|ASIA|ghp_|gho_|github_pat_|glpat-|npm_|xox[abprs]-|sk-|sonde_)\w{8,}"
)
"""Of PEM, JWT, and those that name their maker in front."""
_PASSWORD_IN_ADDRESS = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s@]+@", re.IGNORECASE)


class BadReportError(Exception):
    """The file is no diagnostic report, so nobody can say what in it is secret."""


def without_secrets(report: bytes) -> bytes:
    """The same document, with MASK for values of the environment that look secret. Raises BadReportError."""
    try:
        document = foreign_json.loads(report.decode())
    except (ValueError, RecursionError) as error:
        raise BadReportError(f"the file is no JSON: {error}") from None
    system = document.get("system") if isinstance(document, dict) else None
    if not isinstance(system, dict):
        raise BadReportError("the file is no diagnostic report")
    environment = system.get("env", [])
    if not isinstance(environment, list):
        raise BadReportError("the environment in the file is no list")
    system["env"] = [_masked(it) for it in environment]
    return json.dumps(document, ensure_ascii=False).encode()


def _masked(variable: Any) -> str:
    """`NAME=value`."""
    name, is_set, value = str(variable).partition("=")
    if value and ((_SECRET_NAME.search(name) and not _PUBLIC_NAME.fullmatch(name)) or _SECRET_VALUE.search(value)):
        return f"{name}={MASK}"
    return name + is_set + _PASSWORD_IN_ADDRESS.sub(rf"\1:{MASK}@", value)
