"""/apps/{app}/services/{service}/sampling: how much of a service is recorded, said while it runs. And where agents hear
of it for their probes.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from sonde.server.accounts import probe_settings
from sonde.server.accounts.probe_settings import Override
from sonde.server.api import any_text  # noqa: F401 - registers `anytext`
from sonde.server.api.access import Caller
from sonde.server.api.answers import unchanged
from sonde.server.api.failures import not_found
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.reports.sampling import ProbeSettings, Sampling

LONGEST_NAME = 255
LONGEST_MS = 1e9

AppId = Annotated[str, Path(pattern="^[0-9a-f]{1,32}$", description="Id of the app.")]
ServiceName = Annotated[str, Path(pattern=r"^[^\x00]+$", max_length=LONGEST_NAME, description="Percent-encoded.")]


class SamplingWish(BaseModel):
    """What shall hold for a service from now on, at least one of it. What is not said, or null, is as each process was
    configured.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    sampling_rate: float | None = Field(
        None, ge=0, le=100, allow_inf_nan=False, description="Part of the traces, in %."
    )
    slow_ms: float | None = Field(
        None,
        ge=0,
        le=LONGEST_MS,
        allow_inf_nan=False,
        description="From this duration on, requests are kept. 0: none is.",
    )
    sampling_follows_parent: bool | None = Field(None, description="Do as the caller of a request has decided.")

    @model_validator(mode="after")
    def _says_something(self) -> "SamplingWish":
        if self.sampling_rate is None and self.slow_ms is None and self.sampling_follows_parent is None:
            raise ValueError("says nothing; DELETE takes back what was said")
        return self


def routes(parts: Parts) -> APIRouter:
    """Look, say, take back; and what probes are told."""
    router = APIRouter(prefix=PREFIX, tags=["sampling"])
    reader, writer = parts.access.needs("read"), parts.access.needs("write")
    settings = parts.accounts.probe_settings
    address = "/apps/{app}/services/{service:anytext}/sampling"

    def check(caller: Caller, app: str) -> None:
        if not caller.sees(app) or not parts.accounts.apps.exists(app):
            raise not_found("app with that id")

    @router.get(address, response_model=Sampling)
    async def look(
        request: Request, app: AppId, service: ServiceName, caller: Annotated[Caller, Depends(reader)]
    ) -> Response:
        """What was said about the service, by whom and when. Null: as each process was configured."""

        def query() -> Sampling:
            check(caller, app)
            return _sampling(app, service, settings.find(app, service))

        return await parts.own_answers(request, query, "service")

    @router.put(address)
    async def say(
        wish: SamplingWish, app: AppId, service: ServiceName, caller: Annotated[Caller, Depends(writer)]
    ) -> Sampling:
        """Change what is recorded of the service, in the processes that run and those to come, in place of all that was
        said before. The service need not have been seen yet. Statistics stay exact.
        """

        def work() -> Sampling:
            check(caller, app)
            wanted = probe_settings.Sampling(wish.sampling_rate, wish.slow_ms, wish.sampling_follows_parent)
            return _sampling(app, service, settings.say(app, service, wanted, caller.who))

        return await parts.account_workers(work)

    @router.delete(address, status_code=204)
    async def take_back(app: AppId, service: ServiceName, caller: Annotated[Caller, Depends(writer)]) -> None:
        """Back to what each process was configured with. It is no error where nothing was said."""

        def work() -> None:
            check(caller, app)
            settings.unsay(app, service, caller.who)

        await parts.account_workers(work)

    @router.get("/probe-settings", response_model=ProbeSettings)
    async def told(request: Request, app: Annotated[str, Depends(parts.access.sender)]) -> Response:
        """For agents, with an app's token: what its probes are told. A service that is not named is as configured."""
        # Many agents ask often, and nearly always nothing is new: that is answered here, without a thread.
        remembered = settings.remembers(app)
        document = settings.document(app) if remembered else await parts.account_workers(settings.document, app)
        if unchanged(request, document.etag):
            return Response(status_code=304, headers={"ETag": document.etag})
        headers = {"ETag": document.etag, "Cache-Control": "private, no-cache"}
        return Response(document.content, media_type="application/json", headers=headers)

    return router


def _sampling(app: str, service: str, said: Override | None) -> Sampling:
    sampling = said.sampling if said else probe_settings.Sampling()
    return Sampling(
        app=app,
        service=service,
        sampling_rate=sampling.rate,
        slow_ms=sampling.slow_ms,
        sampling_follows_parent=sampling.follows_parent,
        changed_at=said.changed_at if said else None,
        changed_by=said.changed_by if said else None,
    )
