"""/apps: whoever sends data belongs to one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from sonde.server.accounts import apps
from sonde.server.accounts.names import MAX_NAME_CHARS
from sonde.server.api.access import Caller
from sonde.server.api.failures import not_found
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.reports.apps import App, AppSecret, NewApp
from sonde.server.reports.page import Page

AppId = Annotated[str, Path(pattern="^[0-9a-f]{1,32}$", description="Id of the app.")]


class AppWish(BaseModel):
    """What a new app shall be called."""

    name: str = Field(min_length=1, max_length=MAX_NAME_CHARS)


def routes(parts: Parts) -> APIRouter:
    """List and make apps."""
    router = APIRouter(prefix=PREFIX, tags=["apps"])
    reader, writer = parts.access.needs("read"), parts.access.needs("write")

    @router.get("/apps", response_model=Page[App])
    async def list_apps(request: Request, caller: Annotated[Caller, Depends(reader)]) -> Response:
        """Every app the caller may see, oldest first. Nobody keeps their tokens in the clear."""

        def query() -> Page[App]:
            seen = [app for app in parts.accounts.apps.all() if caller.sees(app.id)]
            return Page(items=[App(id=app.id, name=app.name, created_at=app.created_at) for app in seen])

        return await parts.own_answers(request, query, "app")

    @router.post("/apps", status_code=201)
    async def make_app(wish: AppWish, caller: Annotated[Caller, Depends(writer)]) -> NewApp:
        """A new app. This answer is the only time that its token is shown."""
        new = await parts.account_workers(parts.accounts.apps.create, wish.name, caller.who)
        return NewApp(
            id=new.app.id, name=new.app.name, created_at=new.app.created_at, secret=new.secret, token=new.token
        )

    @router.get("/apps/{app}/secret")
    async def look(app: AppId, response: Response, caller: Annotated[Caller, Depends(writer)]) -> AppSecret:
        """What the app's xtransit agents sign with (`EZM_APP_SECRET`)."""
        response.headers["Cache-Control"] = "no-store"
        seen = caller.sees(app)
        return _secret(await parts.account_workers(parts.accounts.apps.secret_of, app) if seen else None)

    @router.post("/apps/{app}/secret")
    async def renew(app: AppId, response: Response, caller: Annotated[Caller, Depends(writer)]) -> AppSecret:
        """A new secret. Agents that sign with the old one are told to stop, and start again with the new one."""
        response.headers["Cache-Control"] = "no-store"
        seen = caller.sees(app)
        made = parts.accounts.apps.renew_secret
        return _secret(await parts.account_workers(made, app, caller.who) if seen else None)

    @router.post("/apps/{app}/tokens", status_code=201)
    async def make_token(
        app: Annotated[str, Path(max_length=64, description="Its id.")], caller: Annotated[Caller, Depends(writer)]
    ) -> NewApp:
        """One more token for an app, shown this once, and its secret as it is. The other tokens stay what they are."""

        def make() -> NewApp | None:
            token = parts.accounts.apps.new_token(app, caller.who)
            found = parts.accounts.apps.secret_of(app)
            if token is None or found is None:
                return None
            of = found.app
            return NewApp(id=of.id, name=of.name, created_at=of.created_at, secret=found.secret or "", token=token)

        made = await parts.account_workers(make) if caller.sees(app) else None
        if made is None:
            raise not_found("app of that id")
        return made

    return router


def _secret(found: apps.AppSecret | None) -> AppSecret:
    if found is None:
        raise not_found("app with that id")
    return AppSecret(app=found.app.id, secret=found.secret, why=found.why)
