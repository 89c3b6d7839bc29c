"""/nodejs/instances and /nodejs/processes: agents, their hosts and processes, and what they are asked to do."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from sonde.server.api import any_text  # noqa: F401 - registers `anytext`
from sonde.server.api.access import Caller
from sonde.server.api.failures import bad_parameter
from sonde.server.api.moments import TimeRange, time_range
from sonde.server.api.parts import Parts
from sonde.server.api.routes.nodejs.asking import MOST_ROWS, asked, check_app
from sonde.server.api.routes.processes import AppId, Pid, Text
from sonde.server.intake.xtransit.agents import Agent
from sonde.server.intake.xtransit.process_metrics import instance_of
from sonde.server.nodejs.errors import AgentAwayError, NoAnswerError, RefusedByAgentError
from sonde.server.nodejs.records import PackageFile
from sonde.server.reports.nodejs import (
    FileKind,
    NodejsConfig,
    NodejsCore,
    NodejsErrorFile,
    NodejsFile,
    NodejsInstance,
    NodejsLoggedError,
    NodejsOs,
    NodejsPackage,
    NodejsProcess,
    NodejsProcessStatus,
    NodejsSystem,
    NodejsTrend,
)
from sonde.server.reports.page import Page
from sonde.server.store.queries import nodejs as queries

MOST_METRICS = 60
LONGEST_S = 3600.0
ALIVE = timedelta(minutes=3)
"""A process that reported longer ago is gone, where its agent cannot be asked."""

AgentName = Annotated[str, Path(pattern=r"^[^\x00]+$", max_length=255, description="As it calls itself, encoded.")]
Config = dict[str, bool | int]
_FIGURES: tuple[str, ...] = (*queries.LAST, "gc_percent", "requests_per_s")


class ActionWish(BaseModel):
    """What shall be done in a process. With `stop`, a recording of that kind ends now."""

    model_config = ConfigDict(extra="forbid", strict=True)

    action: FileKind
    duration_s: float = Field(180.0, ge=1, le=LONGEST_S, allow_inf_nan=False, description="Of a profile.")
    stop: bool = False
    transfer: bool | None = Field(None, description="Fetch the file when it is there. Default: unless it is a core.")


class CoreWish(BaseModel):
    """Which core file shall be fetched."""

    model_config = ConfigDict(extra="forbid", strict=True)

    core_path: str = Field(min_length=1, max_length=4096)


class NewConfig(BaseModel):
    """Settings of the addon to change."""

    model_config = ConfigDict(extra="forbid", strict=True)

    config: Config = Field(min_length=1, max_length=20)


def add_agents(router: APIRouter, parts: Parts) -> None:
    """Looking at hosts and their processes, recording, configuring."""
    reader, writer = parts.access.needs("read"), parts.access.needs("write")
    nodejs = parts.nodejs
    one = "/instances/{app}/{agent:anytext}"

    def who_reads(app: AppId, caller: Annotated[Caller, Depends(reader)]) -> None:
        check_app(caller, app)

    def who_changes(app: AppId, caller: Annotated[Caller, Depends(writer)]) -> Caller:
        check_app(caller, app)
        return caller

    reads = [Depends(who_reads)]

    @router.get("/instances", response_model=Page[NodejsInstance])
    async def instances(request: Request, caller: Annotated[Caller, Depends(reader)], app: Text = None) -> Response:
        """Hosts and containers whose agent is connected, or was within 24 hours."""
        known = {agent.key: agent for agent in nodejs.agents.all()}
        there = {key for key, agent in known.items() if nodejs.agents.is_there(agent)}

        def query() -> Page[NodejsInstance]:
            apps = caller.apps_of(app)
            stored = {(it.app, it.agent): it for it in queries.instances(parts.recorded, apps, datetime.now(UTC))}
            keys = {key for key in known if apps is None or key[0] in apps} | stored.keys()
            items = [_instance(key, known.get(key), stored.get(key), connected=key in there) for key in sorted(keys)]
            return Page(items=[item for item in items if item is not None])

        return await parts.answers(request, query, "instance")

    @router.get("/processes", response_model=Page[NodejsProcess])
    async def reporting(request: Request, caller: Annotated[Caller, Depends(reader)], app: Text = None) -> Response:
        """Processes of all agents that reported within 10 minutes. No agent is asked for this."""

        def query() -> Page[NodejsProcess]:
            apps = caller.apps_of(app)
            now = datetime.now(UTC)
            found = queries.reporting(parts.recorded, apps, now)
            return Page(items=[_process(row, row.command, alive=now - row.last_seen < ALIVE) for row in found])

        return await parts.answers(request, query, "process")

    @router.get(one + "/processes", response_model=Page[NodejsProcess], dependencies=reads)
    async def processes(request: Request, app: AppId, agent: AgentName) -> Response:
        """Processes that report, those that ended within 24 hours, and other Node.js processes that run there now."""
        running: dict[int, str] | None = None
        if nodejs.agents.connected(app, agent) is not None:
            try:
                running = await nodejs.processes(app, agent)
            except (AgentAwayError, NoAnswerError, RefusedByAgentError):
                running = None  # then what they reported decides
        found = running

        def query() -> Page[NodejsProcess]:
            now = datetime.now(UTC)
            rows = queries.last_values(parts.recorded, app, agent, now)
            return Page(items=_processes(app, agent, rows, found, now))

        return await parts.answers(request, query, "process")

    @router.get(one + "/processes/{pid}/trend", response_model=NodejsTrend, dependencies=reads)
    async def trend(
        request: Request,
        app: AppId,
        agent: AgentName,
        pid: Pid,
        span: Annotated[TimeRange, Depends(time_range)],
        metric: Annotated[list[str], Query(max_length=MOST_METRICS, description="Words of xprofiler; `res__*`.")],
    ) -> Response:
        """Charts of a process, a series for each metric and thread."""
        name = instance_of(agent, pid)
        return await parts.answers(
            request,
            lambda: queries.trend(parts.recorded, app, agent, pid, name, metric, span.start, span.end),
            "process",
        )

    @router.get(one + "/processes/{pid}/status", dependencies=reads)
    async def status(app: AppId, agent: AgentName, pid: Pid) -> NodejsProcessStatus:
        """Ask the agent whether the process is set up well."""
        return await asked(nodejs.status(app, agent, pid))

    @router.get(one + "/system", response_model=NodejsSystem, dependencies=reads)
    async def system(
        request: Request,
        app: AppId,
        agent: AgentName,
        span: Annotated[TimeRange, Depends(time_range)],
    ) -> Response:
        """Charts of the host or container, and of all its Node.js processes together."""
        return await parts.answers(
            request, lambda: queries.system(parts.recorded, app, agent, span.start, span.end), "instance"
        )

    @router.get(one + "/os", dependencies=reads)
    async def os(app: AppId, agent: AgentName) -> NodejsOs:
        """Ask the agent for versions and limits."""
        return await asked(nodejs.os(app, agent))

    @router.get(one + "/errors", response_model=Page[NodejsErrorFile], dependencies=reads)
    async def error_files(
        request: Request,
        app: AppId,
        agent: AgentName,
        span: Annotated[TimeRange, Depends(time_range)],
    ) -> Response:
        """Files of errors that the agent watches, and how many errors each had."""
        return await parts.answers(
            request,
            lambda: Page(items=queries.error_files(parts.recorded, app, agent, span.start, span.end)),
            "file",
        )

    @router.get(one + "/errors/logs", response_model=Page[NodejsLoggedError], dependencies=reads)
    async def errors(
        request: Request,
        app: AppId,
        agent: AgentName,
        span: Annotated[TimeRange, Depends(time_range)],
        file: Annotated[str | None, Query(max_length=4096, pattern=r"^[^\x00]*$")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
        cursor: Annotated[str | None, Query(max_length=100, description="`next` of the page before.")] = None,
    ) -> Response:
        """Errors, newest first."""

        def query() -> Page[NodejsLoggedError]:
            try:
                found, following = queries.errors(parts.recorded, app, agent, file, span.start, span.end, limit, cursor)
            except queries.BadCursorError:
                raise bad_parameter("cursor", "not one that an earlier page of this search gave") from None
            return Page(items=found, next=following)

        return await parts.answers(request, query, "error")

    @router.get(one + "/packages", response_model=Page[NodejsPackage], dependencies=reads)
    async def packages(request: Request, app: AppId, agent: AgentName) -> Response:
        """Each package.json that the agent sends, as last received."""

        def query() -> Page[NodejsPackage]:
            found = nodejs.records.package_files(app, agent)
            return Page(items=[_package(app, it, whole=False) for it in found])

        return await parts.answers(request, query, "package.json")

    @router.get(one + "/packages/detail", response_model=NodejsPackage, dependencies=reads)
    async def package(
        request: Request,
        app: AppId,
        agent: AgentName,
        file: Annotated[str, Query(max_length=4096, pattern=r"^[^\x00]+$")],
    ) -> Response:
        """One of them, with everything that its lock file holds."""

        def query() -> NodejsPackage | None:
            found = next((it for it in nodejs.records.package_files(app, agent) if it.file == file), None)
            return _package(app, found, whole=True) if found is not None else None

        return await parts.answers(request, query, "package.json of that path")

    @router.get(one + "/cores", response_model=Page[NodejsCore], dependencies=reads)
    async def cores(request: Request, app: AppId, agent: AgentName) -> Response:
        """Core files that the agent has told of, the newest first."""

        def query() -> Page[NodejsCore]:
            found = nodejs.records.core_files(app, agent)
            return Page(items=[NodejsCore(app=app, **_fields(it)) for it in found])

        return await parts.answers(request, query, "core file")

    @router.post(one + "/cores/transfer", status_code=201)
    async def fetch_core(
        wish: CoreWish, app: AppId, agent: AgentName, caller: Annotated[Caller, Depends(who_changes)]
    ) -> NodejsFile:
        """Fetch one, with the executable that it is of."""
        return (await asked(nodejs.fetch_core(app, agent, wish.core_path, caller.who))).report(nodejs.now())

    @router.post(one + "/processes/{pid}/actions", status_code=201)
    async def act(
        wish: ActionWish, app: AppId, agent: AgentName, pid: Pid, caller: Annotated[Caller, Depends(who_changes)]
    ) -> NodejsFile:
        """Have a profile, snapshot, report or core made, or end a recording. The file tells what becomes of it."""
        if wish.stop:
            file = await asked(nodejs.stop(app, agent, pid, wish.action, caller.who))
        else:
            fetch = wish.action != "core" if wish.transfer is None else wish.transfer
            file = await asked(nodejs.begin(app, agent, pid, wish.action, wish.duration_s, caller.who, fetch=fetch))
        return file.report(nodejs.now())

    @router.get(one + "/processes/{pid}/config", dependencies=reads)
    async def config(app: AppId, agent: AgentName, pid: Pid) -> NodejsConfig:
        """Settings of the addon in the process, asked now."""
        return await asked(nodejs.config(app, agent, pid))

    @router.post(one + "/processes/{pid}/config")
    async def configure(
        wish: NewConfig, app: AppId, agent: AgentName, pid: Pid, caller: Annotated[Caller, Depends(who_changes)]
    ) -> NodejsConfig:
        """Change some, until the process ends."""
        return await asked(nodejs.configure(app, agent, pid, wish.config, caller.who))


def _fields(it: object) -> dict[str, Any]:
    return {name: getattr(it, name) for name in it.__slots__}  # type: ignore[attr-defined]


def _instance(
    key: tuple[str, str], agent: Agent | None, stored: queries.Instance | None, *, connected: bool
) -> NodejsInstance | None:
    times = [it.last_seen for it in (agent, stored) if it is not None and it.last_seen is not None]
    if not times:
        return None
    return NodejsInstance(
        app=key[0],
        agent=key[1],
        connected=connected,
        last_seen=max(times),
        connected_at=agent.connected_at if agent and connected else None,
        agent_version=(agent.version if agent else "") or (stored.version if stored else ""),
        clock_offset_ms=agent.clock_offset_ms if agent else None,
    )


def _process(row: queries.LastValues, command: str, *, alive: bool) -> NodejsProcess:
    return NodejsProcess(
        app=row.app,
        agent=row.agent,
        pid=int(row.instance.rpartition(":")[2]),
        instance=row.instance,
        command=command,
        reports=True,
        alive=alive,
        started_at=row.started_at,
        last_seen=row.last_seen,
        threads=row.threads,
        **{name: row.figures.get(name) for name in _FIGURES},
    )


def _processes(
    app: str, agent: str, rows: list[queries.LastValues], running: dict[int, str] | None, now: datetime
) -> list[NodejsProcess]:
    """`running`: command lines by pid as the agent lists them now; None: it is not there to ask."""
    found = {}
    for row in rows:
        pid = int(row.instance.rpartition(":")[2])
        alive = pid in running if running is not None else now - row.last_seen < ALIVE
        found[pid] = _process(row, (running or {}).get(pid) or row.command, alive=alive)
    for pid, command in (running or {}).items():
        if pid not in found:
            found[pid] = NodejsProcess(
                app=app,
                agent=agent,
                pid=pid,
                instance=instance_of(agent, pid),
                command=command,
                reports=False,
                alive=True,
                started_at=None,
                last_seen=None,
                threads=[],
                **dict.fromkeys(_FIGURES),
            )
    return sorted(found.values(), key=lambda it: (not it.alive, not it.reports, it.pid))


def _package(app: str, found: PackageFile, *, whole: bool) -> NodejsPackage:
    document = dict(found.document)
    locked = document.pop("locked")
    return NodejsPackage(
        app=app,
        agent=found.agent,
        file=found.file,
        received_at=found.received_at,
        locked_count=len(locked),
        locked=locked if whole else None,
        **document,
    )
