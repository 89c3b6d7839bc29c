"""/tokens: what programs ask this API with."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from sonde.server.accounts.names import MAX_NAME_CHARS
from sonde.server.accounts.tokens import ApiToken, Scope
from sonde.server.api.access import Caller
from sonde.server.api.failures import not_found
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.reports.page import Page
from sonde.server.reports.tokens import NewToken, Token

MOST_APPS = 1000

TokenId = Annotated[str, Path(pattern="^[0-9a-f]{1,32}$", description="Id of the token.")]
AppId = Annotated[str, Field(pattern="^[0-9a-f]{1,32}$")]


class TokenWish(BaseModel):
    """A new token. `apps`: those that it may see, of the scope `read` alone; None: all, those to come as well."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=MAX_NAME_CHARS)
    scope: Scope
    apps: list[AppId] | None = Field(None, min_length=1, max_length=MOST_APPS)


def routes(parts: Parts) -> APIRouter:
    """List, make and revoke."""
    router = APIRouter(prefix=PREFIX, tags=["tokens"])
    Admin = Annotated[Caller, Depends(parts.access.needs("admin"))]  # noqa: N806 - a type
    tokens = parts.accounts.tokens

    @router.get("/tokens", response_model=Page[Token])
    async def all_of_them(request: Request, _: Admin) -> Response:
        """Every token, oldest first."""
        return await parts.own_answers(
            request, lambda: Page(items=[Token(**_said(it)) for it in tokens.all()]), "token"
        )

    @router.post("/tokens", status_code=201)
    async def make(wish: TokenWish, response: Response, caller: Admin) -> NewToken:
        """A new one. This answer is the only time that it is shown."""
        response.headers["Cache-Control"] = "no-store"
        token, made = await parts.account_workers(tokens.create, wish.name, wish.scope, caller.who, wish.apps)
        return NewToken(token=token, **_said(made))

    @router.delete("/tokens/{token_id}", status_code=204)
    async def revoke(token_id: TokenId, caller: Admin) -> None:
        """It is worth nothing from then on: everywhere within three seconds."""
        if not await parts.account_workers(tokens.revoke, token_id, caller.who):
            raise not_found("token with that id")

    return router


def _said(token: ApiToken) -> dict[str, Any]:
    apps = None if token.apps is None else list(token.apps)
    return {
        "id": token.id,
        "name": token.name,
        "scope": token.scope,
        "apps": apps,
        "created_at": token.created_at,
    }
