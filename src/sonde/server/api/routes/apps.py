"""/apps: whoever sends data belongs to one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from sonde.server.accounts.names import MAX_NAME_CHARS
from sonde.server.api.access import Caller
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.reports import App, NewApp, Page


class AppWish(BaseModel):
    """What a new app shall be called."""

    name: str = Field(min_length=1, max_length=MAX_NAME_CHARS)


def routes(parts: Parts) -> APIRouter:
    """List and make apps."""
    router = APIRouter(prefix=PREFIX, tags=["apps"])
    reader, writer = parts.access.needs("read"), parts.access.needs("write")

    @router.get("/apps", response_model=Page[App])
    async def list_apps(request: Request, caller: Annotated[Caller, Depends(reader)]) -> Response:
        """Every app the caller may see, oldest first. Their secrets and tokens are not kept in the clear by anybody."""

        def query() -> Page[App]:
            seen = [app for app in parts.accounts.apps.all() if caller.apps is None or app.id in caller.apps]
            return Page(items=[App(id=app.id, name=app.name, created_at=app.created_at) for app in seen])

        return await parts.answers(request, query, "app")

    @router.post("/apps", status_code=201)
    async def make_app(wish: AppWish, caller: Annotated[Caller, Depends(writer)]) -> NewApp:
        """A new app. This answer is the only time that its secret and token are shown."""
        new = await parts.account_workers(parts.accounts.apps.create, wish.name, caller.who)
        return NewApp(
            id=new.app.id, name=new.app.name, created_at=new.app.created_at, secret=new.secret, token=new.token
        )

    return router
