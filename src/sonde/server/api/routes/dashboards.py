"""/dashboards: own ones and those that come with Sonde, their panels, and links to look without an account."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from sonde.server.accounts.accounts import utc_now
from sonde.server.api.access import Caller
from sonde.server.api.failures import RefusedError, bad_parameter, not_found
from sonde.server.api.moments import Moment, TimeRange, time_range
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.api.thresholds import thresholds_of
from sonde.server.dashboards import panels
from sonde.server.dashboards.kept import (
    ChangedMeanwhileError,
    KeptDashboard,
    KeptDashboards,
    TooManyDashboardsError,
)
from sonde.server.dashboards.ready import ready
from sonde.server.dashboards.shares import Share as KeptShare
from sonde.server.dashboards.shares import Shares, TooManySharesError
from sonde.server.reports.dashboards import (
    MOST_VARIABLES,
    Dashboard,
    DashboardDocument,
    DashboardRow,
    NewShare,
    Panel,
    PanelData,
    Share,
    SharedDashboard,
    Variable,
)
from sonde.server.reports.language import Language
from sonde.server.reports.page import Page

DashboardId = Annotated[str, Path(pattern="^[a-z0-9-]{1,32}$", description="Id of the dashboard.")]
PanelId = Annotated[str, Path(pattern="^[a-z0-9-]{1,32}$", description="Id of the panel.")]
Token = Annotated[str, Path(max_length=100, description="As it was told when the link was made.")]
Value = Annotated[str, Field(max_length=1000)]
Values = Annotated[
    list[Value],
    Query(max_length=MOST_VARIABLES, description="`name=value`, once for each variable."),
]
App = Annotated[str | None, Query(pattern="^[0-9a-f]{1,32}$", description="Id of an app: only what belongs to it.")]


class DashboardWish(BaseModel):
    """A dashboard to be kept in an app."""

    model_config = ConfigDict(extra="forbid")

    app: str = Field(pattern="^[0-9a-f]{1,32}$")
    document: DashboardDocument


InLanguage = Annotated[Language, Query(description="Of what comes with Sonde.")]


class DashboardChange(BaseModel):
    """What is to be kept in place of the version that one saw."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1)
    document: DashboardDocument


class PanelWish(BaseModel):
    """A panel that is not kept yet."""

    model_config = ConfigDict(extra="forbid")

    panel: Panel
    app: str | None = Field(None, pattern="^[0-9a-f]{1,32}$")
    values: dict[str, Value] = Field(default_factory=dict, max_length=MOST_VARIABLES)
    from_: Moment = Field(alias="from")
    to: Moment


class ShareWish(BaseModel):
    """Who has the link sees these values, until then."""

    model_config = ConfigDict(extra="forbid")

    values: dict[str, Value] = Field(default_factory=dict, max_length=MOST_VARIABLES)
    expires_at: Moment | None = None


def routes(parts: Parts) -> APIRouter:
    """Look, make, change, share."""
    router = APIRouter(prefix=PREFIX, tags=["dashboards"])
    reader, writer = parts.access.needs("read"), parts.access.needs("write")
    kept = KeptDashboards(parts.accounts.engine, utc_now)
    shares = Shares(parts.accounts.engine, utc_now)
    filling = _Filling(parts)

    def known(dashboard_id: str, caller: Caller) -> KeptDashboard:
        found = kept.find(dashboard_id)
        if found is None or not caller.sees(found.app):
            if dashboard_id in ready():
                raise RefusedError(409, "ready_made", "it comes with Sonde: keep a copy of it, and change that")
            raise not_found("dashboard with that id")
        return found

    @router.get("/dashboards", response_model=Page[DashboardRow])
    async def all_of_them(
        request: Request, caller: Annotated[Caller, Depends(reader)], language: InLanguage = "en"
    ) -> Response:
        """Those that come with Sonde, and those that were made, the last changed first."""

        def query() -> Page[DashboardRow]:
            rows = [_ready_row(name, document) for name, document in ready(language).items()]
            return Page(items=rows + [_row(dashboard) for dashboard in kept.all(caller.apps)])

        return await parts.own_answers(request, query, "dashboard")

    @router.post("/dashboards", status_code=201)
    async def create(wish: DashboardWish, caller: Annotated[Caller, Depends(writer)]) -> Dashboard:
        """Keep a new one."""

        def work() -> Dashboard:
            if not caller.sees(wish.app) or not parts.accounts.apps.exists(wish.app):
                raise not_found("app with that id")
            try:
                return _whole(kept.create(wish.app, wish.document, caller.who))
            except TooManyDashboardsError as error:
                raise RefusedError(409, "too_many_dashboards", str(error)) from None

        return await parts.account_workers(work)

    @router.get("/dashboards/{dashboard_id}", response_model=Dashboard)
    async def one(
        request: Request,
        dashboard_id: DashboardId,
        caller: Annotated[Caller, Depends(reader)],
        language: InLanguage = "en",
    ) -> Response:
        """The whole of it; `document` is what export and import are about."""

        def query() -> Dashboard:
            if dashboard_id in ready():
                document = ready(language)[dashboard_id]
                return Dashboard(**_ready_row(dashboard_id, document).model_dump(), document=document)
            return _whole(known(dashboard_id, caller))

        return await parts.own_answers(request, query, "dashboard")

    @router.put("/dashboards/{dashboard_id}")
    async def save(
        dashboard_id: DashboardId, change: DashboardChange, caller: Annotated[Caller, Depends(writer)]
    ) -> Dashboard:
        """Keep another version. 409 where somebody saved one meanwhile."""

        def work() -> Dashboard:
            found = known(dashboard_id, caller)
            seen = KeptDashboard(
                found.id, found.app, change.version, found.document, found.changed_at, found.changed_by
            )
            try:
                return _whole(kept.save(seen, change.document, caller.who))
            except ChangedMeanwhileError as error:
                raise RefusedError(409, "changed_meanwhile", str(error)) from None

        return await parts.account_workers(work)

    @router.delete("/dashboards/{dashboard_id}", status_code=204)
    async def delete(dashboard_id: DashboardId, caller: Annotated[Caller, Depends(writer)]) -> None:
        """With all links to it."""
        await parts.account_workers(lambda: kept.delete(known(dashboard_id, caller), caller.who))

    @router.post("/dashboards/panel")
    async def preview(wish: PanelWish, caller: Annotated[Caller, Depends(reader)]) -> PanelData:
        """What a panel would show that is not kept yet."""
        if wish.from_ >= wish.to:
            raise bad_parameter("from", "must be before `to`")
        apps = _within(caller.apps, wish.app)
        return await parts.store_workers(filling, wish.panel, apps, wish.values, TimeRange(wish.from_, wish.to))

    @router.get("/dashboards/{dashboard_id}/panels/{panel_id}", response_model=PanelData)
    async def panel(
        request: Request,
        dashboard_id: DashboardId,
        panel_id: PanelId,
        caller: Annotated[Caller, Depends(reader)],
        span: Annotated[TimeRange, Depends(time_range)],
        value: Values = [],  # noqa: B006 - it is not changed
        app: App = None,
    ) -> Response:
        """What one panel shows. Variables that are not named have their default."""
        if dashboard_id in ready():
            document, apps = ready()[dashboard_id], _within(caller.apps, app)
        else:
            own = await parts.account_workers(known, dashboard_id, caller)
            document, apps = own.document, (own.app,)
        wanted = _panel(document, panel_id)
        values = _values(document.variables, value)
        return await parts.answers(request, lambda: filling(wanted, apps, values, span), "panel")

    @router.get("/dashboards/{dashboard_id}/shares")
    async def links(dashboard_id: DashboardId, caller: Annotated[Caller, Depends(writer)]) -> Page[Share]:
        """Who may look at it without an account: the links, without what makes them work."""

        def work() -> Page[Share]:
            return Page(items=[_share(share) for share in shares.of(known(dashboard_id, caller).id)])

        return await parts.account_workers(work)

    @router.post("/dashboards/{dashboard_id}/shares", status_code=201)
    async def share(dashboard_id: DashboardId, wish: ShareWish, caller: Annotated[Caller, Depends(writer)]) -> NewShare:
        """A link to look at it, and at nothing else, without an account: `/shared/<token>`."""

        def work() -> NewShare:
            found = known(dashboard_id, caller)
            if wish.expires_at is not None and wish.expires_at <= datetime.now(UTC):
                raise bad_parameter("expires_at", "lies in the past")
            values = _checked(found.document.variables, wish.values)
            try:
                token, made = shares.create(found.id, values, wish.expires_at, caller.who)
            except TooManySharesError as error:
                raise RefusedError(409, "too_many_shares", str(error)) from None
            return NewShare(**_share(made).model_dump(), token=token)

        return await parts.account_workers(work)

    @router.delete("/dashboards/{dashboard_id}/shares/{share_id}", status_code=204)
    async def revoke(
        dashboard_id: DashboardId,
        share_id: Annotated[str, Path(pattern="^[0-9a-f]{1,32}$")],
        caller: Annotated[Caller, Depends(writer)],
    ) -> None:
        """The link shows nothing any more."""

        def work() -> None:
            if not shares.revoke(known(dashboard_id, caller).id, share_id, caller.who):
                raise not_found("link with that id")

        await parts.account_workers(work)

    def shared(token: str) -> tuple[KeptShare, KeptDashboard]:
        share = shares.find(token)
        found = kept.find(share.dashboard) if share else None
        if share is None or found is None:
            raise not_found("dashboard at this link; it may have been revoked, or its time is over")
        return share, found

    @router.get("/shared/{token}", response_model=SharedDashboard)
    async def look(request: Request, token: Token) -> Response:
        """A dashboard, for whoever has the link to it."""

        def query() -> SharedDashboard:
            share, found = shared(token)
            return SharedDashboard(document=found.document, values=dict(share.values), expires_at=share.expires_at)

        return await parts.own_answers(request, query, "dashboard")

    @router.get("/shared/{token}/panels/{panel_id}", response_model=PanelData)
    async def shared_panel(
        request: Request, token: Token, panel_id: PanelId, span: Annotated[TimeRange, Depends(time_range)]
    ) -> Response:
        """What one panel of it shows."""
        share, found = await parts.account_workers(shared, token)
        wanted = _panel(found.document, panel_id)
        return await parts.answers(request, lambda: filling(wanted, (found.app,), share.values, span), "panel")

    return router


class _Filling:
    """Fills panels."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def __call__(
        self, panel: Panel, apps: tuple[str, ...] | None, values: Mapping[str, str], span: TimeRange
    ) -> PanelData:
        asked = panels.Asked(
            self._parts.store,
            apps,
            values,
            span.start,
            span.end,
            thresholds=thresholds_of(self._parts),
            now=datetime.now(UTC),
        )
        return panels.evaluate(panel, asked)


def _within(apps: tuple[str, ...] | None, app: str | None) -> tuple[str, ...] | None:
    """Of those that somebody may see, the one that was asked for."""
    if app is None:
        return apps
    return (app,) if apps is None or app in apps else ()


def _panel(document: DashboardDocument, panel_id: str) -> Panel:
    found = next((panel for panel in document.panels if panel.id == panel_id), None)
    if found is None:
        raise not_found("panel with that id")
    return found


def _values(variables: list[Variable], said: list[str]) -> dict[str, str]:
    given = {}
    for text in said:
        name, equals, value = text.partition("=")
        if not equals:
            raise bad_parameter("value", "comes as name=value")
        given[name] = value
    return _checked(variables, given)


def _checked(variables: list[Variable], given: Mapping[str, str]) -> dict[str, str]:
    known = {variable.name: variable.default for variable in variables}
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        raise bad_parameter("value", f"the dashboard has no variable {unknown!r}")
    return known | dict(given)


def _row(dashboard: KeptDashboard) -> DashboardRow:
    return DashboardRow(
        id=dashboard.id,
        app=dashboard.app,
        title=dashboard.document.title,
        description=dashboard.document.description,
        panels=len(dashboard.document.panels),
        version=dashboard.version,
        changed_at=dashboard.changed_at,
        changed_by=dashboard.changed_by,
    )


def _ready_row(name: str, document: DashboardDocument) -> DashboardRow:
    return DashboardRow(
        id=name,
        app=None,
        title=document.title,
        description=document.description,
        panels=len(document.panels),
        version=0,
        changed_at=None,
        changed_by="",
    )


def _whole(dashboard: KeptDashboard) -> Dashboard:
    return Dashboard(**_row(dashboard).model_dump(), document=dashboard.document)


def _share(share: KeptShare) -> Share:
    return Share(
        id=share.id,
        dashboard=share.dashboard,
        values=dict(share.values),
        created_at=share.created_at,
        created_by=share.created_by,
        expires_at=share.expires_at,
    )
