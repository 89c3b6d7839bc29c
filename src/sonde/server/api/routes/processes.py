"""/processes: what runs under a probe and can be looked into."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from sonde.server.api.access import Caller
from sonde.server.api.failures import RefusedError, not_found
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.control.errors import NoAnswerError, NotConnectedError, RefusedByNodeError, TooManyJobsError
from sonde.server.reports.jobs import Process
from sonde.server.reports.page import Page

LONGEST_NAME = 255
NODE = "^[A-Za-z0-9._:-]{1,128}$"

AppId = Annotated[str, Path(pattern="^[0-9a-f]{1,32}$", description="Id of the app.")]
NodeId = Annotated[str, Path(pattern=NODE, description="Id of the host.")]
Pid = Annotated[int, Path(ge=1, lt=1 << 31)]
Text = Annotated[str | None, Query(max_length=LONGEST_NAME, pattern=r"^[^\x00]*$")]


def routes(parts: Parts) -> APIRouter:
    """List, and ask what can be done."""
    router = APIRouter(prefix=PREFIX, tags=["processes"])
    reader = parts.access.needs("read")

    def listed(caller: Caller, **wanted: str | int | None) -> Page[Process]:
        def fits(item: dict[str, Any]) -> bool:
            seen = caller.sees(item["app"])
            return seen and all(value is None or item[name] == value for name, value in wanted.items())

        return Page(items=[Process.model_validate(item) for item in parts.control.processes() if fits(item)])

    @router.get("/processes", response_model=Page[Process])
    async def list_processes(
        request: Request,
        caller: Annotated[Caller, Depends(reader)],
        app: Text = None,
        node: Text = None,
        service: Text = None,
    ) -> Response:
        """Processes with a probe whose agent is connected, and for some minutes those whose agent was."""
        found = listed(caller, app=app, node=node, service=service)
        return await parts.own_answers(request, lambda: found, "process")

    @router.post("/processes/{app}/{node}/{pid}/tools")
    async def ask(app: AppId, node: NodeId, pid: Pid, caller: Annotated[Caller, Depends(reader)]) -> Page[Process]:
        """Ask the process what each tool can do in it, now. It switches nothing on."""
        if not caller.sees(app):
            raise not_found("app with that id")
        try:
            await parts.control.ask(app, node, pid, caller.who)
        except NoAnswerError as error:
            raise RefusedError(504, "no_answer", str(error)) from None
        except NotConnectedError as error:
            raise RefusedError(409, "not_connected", str(error)) from None
        except RefusedByNodeError as error:
            raise RefusedError(409, error.reason, str(error)) from None
        except TooManyJobsError as error:
            raise RefusedError(429, "too_many_jobs", str(error), {"Retry-After": "2"}) from None
        return listed(caller, app=app, node=node, pid=pid)

    return router
