"""Who asks, and whether they may: an API token in `Authorization`, or the console's session cookie."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable  # noqa: TC003 - FastAPI reads it at run time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.exc import SQLAlchemyError

from sonde.server.accounts.sessions import csrf_token
from sonde.server.accounts.tokens import SCOPES, Scope
from sonde.server.api.failures import RefusedError

if TYPE_CHECKING:
    from sonde.server.accounts.accounts import Accounts
    from sonde.server.accounts.users import Role
    from sonde.server.api.workers import Workers

COOKIE = "sonde_session"
CSRF_HEADER = "X-CSRF-Token"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_SCOPE_OF_ROLE: dict[Role, Scope] = {"admin": "admin", "viewer": "read"}

_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="A token made by `sonde token create`.")
_app_token = HTTPBearer(
    auto_error=False, scheme_name="app", description="An app's token, as those who send telemetry have it."
)
_cookie = APIKeyCookie(
    name=COOKIE,
    auto_error=False,
    scheme_name="session",
    description=f"The console's session. Requests that change something carry its `csrf` in {CSRF_HEADER} too.",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request. `session` is the token of a cookie session, None for an API token."""

    name: str
    scope: Scope
    session: str | None
    apps: tuple[str, ...] | None = None
    """Ids of the apps they may see; None: all."""

    def sees(self, app: str) -> bool:
        """Whether what belongs to the app of that id is there for them."""
        return self.apps is None or app in self.apps

    def apps_of(self, app: str | None) -> tuple[str, ...] | None:
        """Ids of the apps that a list is about, where `app` alone was asked for, if any was; None: all."""
        if app is None:
            return self.apps
        return (app,) if self.sees(app) else ()

    @property
    def who(self) -> str:
        """For the audit."""
        return f"token:{self.name}" if self.session is None else f"user:{self.name}"


class Access:
    """Finds the caller of a request. `needs(scope)` is a dependency of a route."""

    def __init__(self, accounts: Accounts, workers: Workers) -> None:
        self._accounts = accounts
        self._workers = workers

    def needs(self, scope: Scope, *, basic: bool = False) -> Callable[..., Awaitable[Caller]]:
        """A dependency that answers 401 without credentials and 403 where theirs do not reach to `scope`.

        `basic`: the token may also be the password of Basic, which is all that some programs can send. Not for routes
        that change something: a browser sends such a password again by itself.
        """

        async def caller(
            request: Request,
            bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
            cookie: Annotated[str | None, Security(_cookie)],
        ) -> Caller:
            if basic and bearer is None:
                bearer = _token_of_basic(request.headers.get("authorization", ""))
            found = await self._find(request, bearer, cookie)
            if SCOPES.index(found.scope) < SCOPES.index(scope):
                raise RefusedError(403, "forbidden", f"this needs the scope `{scope}`, yours is `{found.scope}`")
            return found

        return caller

    async def sender(self, app_token: Annotated[HTTPAuthorizationCredentials | None, Security(_app_token)]) -> str:
        """A dependency: the id of the app whose token was sent. Raises RefusedError (401)."""
        apps = self._accounts.apps
        token = app_token.credentials if app_token else ""
        app = apps.authenticate(token) if apps.remembers(token) else await self._workers(apps.authenticate, token)
        if app is None:
            raise _unknown("this needs an app's token in Authorization, as `sonde app create` gives it")
        return app

    async def remains(self, request: Request, caller: Caller) -> bool:
        """Whether who was let in may go on: for answers that take long. It counts as use of a session.

        True also where that cannot be found out now: the accounts being away ends nothing.
        """
        try:
            found = await self._find(request, await _bearer(request), request.cookies.get(COOKIE))
        except RefusedError as refused:
            return refused.status not in {401, 403}
        except SQLAlchemyError:
            return True
        return found.apps == caller.apps and found.scope == caller.scope

    async def _find(self, request: Request, bearer: HTTPAuthorizationCredentials | None, cookie: str | None) -> Caller:
        """By token if there is an Authorization header, whatever else is there. Raises RefusedError (401, 403)."""
        if "authorization" in request.headers:
            token = await self._workers(self._accounts.tokens.find, bearer.credentials) if bearer else None
            if token is None:
                raise _unknown("the token in Authorization is not known; make one with `sonde token create`")
            return Caller(token.id, token.scope, None, token.apps)
        session = await self._workers(self._accounts.sessions.find, cookie) if cookie else None
        if cookie is None or session is None:
            raise _unknown("log in, or send a token as `Authorization: Bearer …`")
        if request.method not in _SAFE_METHODS:
            sent = request.headers.get(CSRF_HEADER, "")
            if not hmac.compare_digest(sent.encode(), csrf_token(cookie).encode()):
                raise RefusedError(403, "csrf", f"the header {CSRF_HEADER} must carry the session's `csrf`")
        return Caller(session.user.name, _SCOPE_OF_ROLE[session.user.role], cookie)


def _unknown(message: str) -> RefusedError:
    return RefusedError(401, "unauthenticated", message, {"WWW-Authenticate": "Bearer"})


def _token_of_basic(authorization: str) -> HTTPAuthorizationCredentials | None:
    """The password; the user may be anything."""
    scheme, _, coded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        _, _, password = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return HTTPAuthorizationCredentials(scheme="Bearer", credentials=password)
