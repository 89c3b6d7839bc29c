"""/apps/{app}/settings: what the statistics of an app go by."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from starlette.responses import Response

from sonde.server.accounts import app_settings
from sonde.server.accounts.app_settings import LATE_MAX_S, Said
from sonde.server.api.access import Caller
from sonde.server.api.failures import not_found
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.insight.histogram import BOUNDS_MS, LARGEST_MS
from sonde.server.insight.time_blocks import zone
from sonde.server.reports.statistics import AppSettings

AppId = Annotated[str, Path(pattern="^[0-9a-f]{1,32}$", description="Id of the app.")]
_DEFAULTS = app_settings.AppSettings()
LEAST_LATE_S = 60


class AppSettingsWish(BaseModel):
    """What shall hold for an app from now on, also for what was recorded before. What is not said is as by default."""

    model_config = ConfigDict(extra="forbid", strict=True)

    time_zone: str = Field(_DEFAULTS.time_zone, max_length=64, description="IANA name, such as Europe/Berlin.")
    apdex_t_ms: float | None = Field(
        None, gt=0, le=LARGEST_MS / 4, allow_inf_nan=False, description="Null: as the server is configured."
    )
    normal_ms: float = Field(_DEFAULTS.normal_ms, gt=0, le=LARGEST_MS, allow_inf_nan=False)
    slow_ms: float = Field(_DEFAULTS.slow_ms, gt=0, le=LARGEST_MS, allow_inf_nan=False)
    timeout_ms: float = Field(_DEFAULTS.timeout_ms, gt=0, le=LARGEST_MS, allow_inf_nan=False)
    late_max_s: int = Field(
        _DEFAULTS.late_max_s, ge=LEAST_LATE_S, le=LATE_MAX_S, description="Later data is counted and not stored."
    )

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        zone(name)
        return name

    @model_validator(mode="after")
    def _is_in_order(self) -> "AppSettingsWish":
        if self.normal_ms > self.slow_ms:
            raise ValueError("normal_ms is more than slow_ms; a request that is normal is not slow")
        return self


def routes(parts: Parts) -> APIRouter:
    """Look and say."""
    router = APIRouter(prefix=PREFIX, tags=["statistics"])
    reader, admin = parts.access.needs("read"), parts.access.needs("admin")
    table = parts.accounts.app_settings

    def check(caller: Caller, app: str) -> None:
        if not caller.sees(app) or not parts.accounts.apps.exists(app):
            raise not_found("app with that id")

    @router.get("/apps/{app}/settings", response_model=AppSettings)
    async def look(request: Request, app: AppId, caller: Annotated[Caller, Depends(reader)]) -> Response:
        """Time zone, thresholds and lateness of an app."""

        def query() -> AppSettings:
            check(caller, app)
            return _report(parts, app, table.all().get(app))

        return await parts.own_answers(request, query, "app with that id")

    @router.put("/apps/{app}/settings")
    async def say(wish: AppSettingsWish, app: AppId, caller: Annotated[Caller, Depends(admin)]) -> AppSettings:
        """Change them, in place of all that was said before. Reports of the past are judged by them, too."""

        def work() -> AppSettings:
            check(caller, app)
            return _report(parts, app, table.say(app, app_settings.AppSettings(**wish.model_dump()), caller.who))

        return await parts.account_workers(work)

    return router


def _report(parts: Parts, app: str, said: Said | None) -> AppSettings:
    settings = said.settings if said else _DEFAULTS
    return AppSettings(
        app=app,
        time_zone=settings.time_zone,
        apdex_t_ms=parts.apdex_t_ms if settings.apdex_t_ms is None else settings.apdex_t_ms,
        normal_ms=settings.normal_ms,
        slow_ms=settings.slow_ms,
        timeout_ms=settings.timeout_ms,
        late_max_s=settings.late_max_s,
        exact_ms=list(BOUNDS_MS),
        changed_at=said.changed_at if said else None,
        changed_by=said.changed_by if said else None,
    )
