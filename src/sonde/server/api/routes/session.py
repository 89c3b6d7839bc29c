"""/session: logging in and out of the console."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from sonde.server.accounts.sessions import csrf_token
from sonde.server.api.access import COOKIE, Caller
from sonde.server.api.failures import RefusedError
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX


class Credentials(BaseModel):
    """Who says they are whom."""

    user: str = Field(max_length=64)
    password: str = Field(max_length=256)


class SessionAnswer(BaseModel):
    """Who is logged in. `csrf` goes into the header X-CSRF-Token of requests that change something; empty for a token,
    which needs none.
    """

    user: str
    role: Literal["admin", "viewer"]
    csrf: str


def routes(parts: Parts) -> APIRouter:
    """Log in, look, log out."""
    router = APIRouter(prefix=PREFIX, tags=["session"])
    reader = parts.access.needs("read")

    @router.post("/session")
    async def log_in(credentials: Credentials, request: Request, response: Response) -> SessionAnswer:
        """Open a session: the answer sets the cookie. After some wrong passwords, 429 for a while."""
        address = request.client.host if request.client else ""
        login = parts.accounts.login
        opened = await parts.login_workers(login.attempt, credentials.user, credentials.password, address)
        if opened is None:
            raise RefusedError(401, "wrong_credentials", "user or password is wrong")
        user, token = opened
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(parts.accounts.sessions.lifetime.total_seconds()),
            path="/",
            httponly=True,
            samesite="lax",
            secure=parts.cookie_secure or request.url.scheme == "https",
        )
        response.headers["Cache-Control"] = "no-store"
        return SessionAnswer(user=user.name, role=user.role, csrf=csrf_token(token))

    @router.get("/session")
    async def look(response: Response, caller: Annotated[Caller, Depends(reader)]) -> SessionAnswer:
        """Who the caller is."""
        response.headers["Cache-Control"] = "no-store"
        role: Literal["admin", "viewer"] = "admin" if caller.scope == "admin" else "viewer"
        csrf = csrf_token(caller.session) if caller.session else ""
        return SessionAnswer(user=caller.name, role=role, csrf=csrf)

    @router.delete("/session", status_code=204)
    async def log_out(response: Response, caller: Annotated[Caller, Depends(reader)]) -> None:
        """End the session. A token stays what it is: `sonde token revoke` ends it."""
        if caller.session:
            await parts.account_workers(parts.accounts.sessions.end, caller.session)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")

    return router
