"""/jobs: tools that run in processes, or did."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.responses import FileResponse, Response, StreamingResponse

from sonde.server.api.access import Caller
from sonde.server.api.failures import RefusedError, bad_parameter, busy, not_found
from sonde.server.api.moments import Moment
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.api.routes.processes import NODE, Text
from sonde.server.control.control import Control, JobWish, View
from sonde.server.control.errors import ArtifactError, TooManyJobsError
from sonde.server.control.exports import PROFILE, export
from sonde.server.control.jobs import BadCursorError, JobFilter, State
from sonde.server.reports.jobs import Job, JobArtifact, JobFailure, JobProgress
from sonde.server.reports.page import Page
from sonde.wire.control import Progress
from sonde.wire.profile_exports import FILE_NAMES, MEDIA_TYPES
from sonde.wire.tools import MAX_SECONDS

MOST_ROWS = 1000
MOST_OPTIONS = 64
LONGEST_OPTION = 1000
MOST_STREAMS = 256
_HARMLESS = frozenset({"application/json", "text/plain"})
"""Types that no browser runs: what a process calls its files is not to be trusted."""

JobId = Annotated[str, Path(pattern="^[0-9a-f]{1,32}$", description="Id of the job.")]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/octet-stream": {}, "application/json": {}, "text/plain": {}},
        "description": "A file.",
    }
}


class NewJob(BaseModel):
    """What shall be done. Which tools and options there are, the process says (`/processes/…/tools`)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    app: str = Field(pattern="^[0-9a-f]{1,32}$")
    node: str = Field(pattern=NODE)
    pid: int = Field(ge=1, lt=1 << 31)
    tool: str = Field(pattern="^[a-z][a-z_]{0,31}$")
    seconds: float = Field(10.0, ge=0, le=MAX_SECONDS, allow_inf_nan=False, description="How long it runs.")
    options: dict[str, bool | int | float | str] = Field(default_factory=dict, max_length=MOST_OPTIONS)

    @field_validator("tool")
    @classmethod
    def _is_a_tool(cls, name: str) -> str:
        if name == "tools":
            raise ValueError("is no tool; POST /processes/…/tools asks a process what it can do")
        return name

    @field_validator("options")
    @classmethod
    def _are_short(cls, options: dict[str, Any]) -> dict[str, Any]:
        for name, value in options.items():
            if len(name) > LONGEST_OPTION or len(str(value)) > LONGEST_OPTION:
                raise ValueError(f"names and values have at most {LONGEST_OPTION} characters")
            if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - only a NaN is not itself
                raise ValueError(f"{name}: not a finite number")
        return options


class Cancel(BaseModel):
    """How a job shall end: `stop` gives the result so far, `abort` none."""

    model_config = ConfigDict(extra="forbid")

    how: Literal["stop", "abort"] = "stop"


def routes(parts: Parts) -> APIRouter:
    """Start, look, follow, cancel, and fetch what was made."""
    router = APIRouter(prefix=PREFIX, tags=["jobs"])
    reader, writer = parts.access.needs("read"), parts.access.needs("write")
    control = parts.control
    streams = 0

    @router.post("/jobs", status_code=201)
    async def start(wish: NewJob, caller: Annotated[Caller, Depends(writer)]) -> Job:
        """Run a tool in a process. A job whose node is not connected has failed in the answer."""
        if not caller.sees(wish.app) or not await parts.account_workers(parts.accounts.apps.exists, wish.app):
            raise not_found("app with that id")
        wanted = JobWish(wish.app, wish.node, wish.pid, wish.tool, wish.seconds, wish.options)
        try:
            job = await control.begin(wanted, caller.who)
        except TooManyJobsError as error:
            raise RefusedError(429, "too_many_jobs", str(error), {"Retry-After": "2"}) from None
        return _job(View(job, None))

    @router.get("/jobs")
    async def search(
        caller: Annotated[Caller, Depends(reader)],
        app: Text = None,
        node: Text = None,
        pid: Annotated[int | None, Query(ge=1, lt=1 << 31)] = None,
        instance: Text = None,
        service: Text = None,
        tool: Text = None,
        state: State | None = None,
        from_: Annotated[Moment | None, Query(alias="from", description="Created then or later.")] = None,
        to: Annotated[Moment | None, Query(description="Created before.")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
        cursor: Annotated[str | None, Query(max_length=100, description="`next` of the page before.")] = None,
    ) -> Page[Job]:
        """Jobs that match all filters, newest first, without their documents."""
        apps = caller.apps_of(app)
        wanted = JobFilter(apps, node, pid, instance, service, tool, state, from_, to)
        try:
            views, following = await control.search(wanted, limit, cursor)
        except BadCursorError:
            raise bad_parameter("cursor", "not one that an earlier page of this search gave") from None
        return Page(items=[_job(view) for view in views], next=following)

    @router.get("/jobs/{job_id}")
    async def look(job_id: JobId, caller: Annotated[Caller, Depends(reader)]) -> Job:
        """One job, with its document."""
        return _job(await seen(control, job_id, caller))

    @router.get(
        "/jobs/{job_id}/stream",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}, "description": "Events."}},
    )
    async def follow(job_id: JobId, caller: Annotated[Caller, Depends(reader)]) -> Response:
        """The same as server-sent events, `event: job`, one now and at each change, until it has ended."""
        await seen(control, job_id, caller)
        if streams >= MOST_STREAMS:
            raise busy("too many jobs are being followed")

        async def events() -> AsyncIterator[bytes]:
            nonlocal streams
            streams += 1
            try:
                async for view in control.follow(job_id):
                    yield f"event: job\ndata: {_job(view).model_dump_json()}\n\n".encode()
            finally:
                streams -= 1

        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(events(), media_type="text/event-stream", headers=headers)

    @router.post("/jobs/{job_id}/cancel")
    async def cancel(job_id: JobId, caller: Annotated[Caller, Depends(writer)], wish: Cancel | None = None) -> Job:
        """End a job early. One that has ended stays as it is. What comes of it, the job tells."""
        await seen(control, job_id, caller)
        view = await control.cancel(job_id, wish.how if wish else "stop", caller.who)
        if view is None:  # retention took it just now
            raise not_found("job with that id")
        return _job(view)

    @router.get("/jobs/{job_id}/artifacts/{name}", response_class=FileResponse, responses=_FILE)
    async def artifact(job_id: JobId, name: str, caller: Annotated[Caller, Depends(reader)]) -> Response:
        """A file that the job made, as it is."""
        view = await seen(control, job_id, caller)
        found = next((it for it in view.job.artifacts if it.name == name), None)
        path = control.artifacts.path(job_id, name)
        if found is None or not path.is_file():
            raise not_found("artifact of that name; the job may not have ended, or retention has removed it")
        headers = {"ETag": f'"{found.sha256}"', "Cache-Control": "private, no-cache"}
        shown_as = found.media_type if found.media_type in _HARMLESS else "application/octet-stream"
        return FileResponse(path, media_type=shown_as, filename=name, headers=headers)

    @router.get("/jobs/{job_id}/export", response_class=FileResponse, responses=_FILE)
    async def export_profile(
        job_id: JobId,
        caller: Annotated[Caller, Depends(reader)],
        format_: Annotated[Literal["pprof", "collapsed", "speedscope", "json"], Query(alias="format")] = "pprof",
    ) -> Response:
        """The job's profile as other programs read it: gzipped pprof, collapsed stacks, speedscope's JSON, or ours."""
        view = await seen(control, job_id, caller)
        path = control.artifacts.path(job_id, PROFILE)
        if not any(it.name == PROFILE for it in view.job.artifacts) or not path.is_file():
            raise not_found("profile of that job")
        if format_ == "json":
            return FileResponse(path, media_type="application/json", filename=f"{job_id}.{PROFILE}")
        try:
            content = await parts.store_workers(export, path, format_)
        except ArtifactError as error:
            raise RefusedError(409, error.reason, str(error)) from None
        disposition = f'attachment; filename="{job_id}.{FILE_NAMES[format_]}"'
        return Response(content, media_type=MEDIA_TYPES[format_], headers={"Content-Disposition": disposition})

    return router


async def seen(control: Control, job_id: str, caller: Caller) -> View:
    """A job, to those who may see its app. Raises RefusedError (404)."""
    view = await control.find(job_id)
    if view is None or not caller.sees(view.job.app):
        raise not_found("job with that id")
    return view


def _progress(said: Progress | None) -> JobProgress | None:
    return JobProgress(seconds=said["seconds"], of=said["of"], note=said["note"]) if said else None


def _job(view: View) -> Job:
    job = view.job
    return Job(
        id=job.id,
        app=job.app,
        node=job.node,
        host=job.host,
        pid=job.pid,
        service=job.service,
        instance=job.instance,
        tool=job.tool,
        options=job.options,
        seconds=job.seconds,
        state=job.state,
        by=job.created_by,
        created_at=job.created_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
        progress=_progress(view.progress),
        failure=JobFailure(reason=job.failure.reason, message=job.failure.message) if job.failure else None,
        document=job.document,
        artifacts=[JobArtifact(name=it.name, media_type=it.media_type, bytes=it.bytes) for it in job.artifacts],
    )
