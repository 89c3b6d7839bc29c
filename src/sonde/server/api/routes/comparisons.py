"""/jobs/{id}/compare/{other}: two runs of a tool beside each other."""

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Depends

from sonde.server.api.access import Caller
from sonde.server.api.failures import RefusedError, not_found
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.api.routes.jobs import JobId, seen
from sonde.server.control.control import View
from sonde.server.control.errors import ArtifactError
from sonde.server.control.exports import MAX_BYTES
from sonde.server.insight import heap_comparison, leaks_comparison, run_files
from sonde.server.insight.run_files import HeapFile, LeaksFile
from sonde.server.reports.comparisons import ComparedRun, HeapComparison, JobComparison, LeaksComparison

_FILES: dict[str, Literal["heap", "leaks"]] = {"heap": "heap", "leaks": "leaks"}
"""Of each tool whose runs can be compared here, its file without the end."""

File = TypeVar("File", HeapFile, LeaksFile)


def routes(parts: Parts) -> APIRouter:
    """One route."""
    router = APIRouter(prefix=PREFIX, tags=["jobs"])
    reader = parts.access.needs("read")
    control = parts.control

    def file_of(view: View, name: str) -> Path:
        path = control.artifacts.path(view.job.id, name)
        if not any(it.name == name for it in view.job.artifacts) or not path.is_file():
            raise not_found(f"{name} of the job {view.job.id}")
        return path

    @router.get("/jobs/{job_id}/compare/{other_id}")
    async def compare(job_id: JobId, other_id: JobId, caller: Annotated[Caller, Depends(reader)]) -> JobComparison:
        """What changed from the other job's result to this one's, of `heap` and `leaks`. The other one is `before`."""
        now, before = await seen(control, job_id, caller), await seen(control, other_id, caller)
        tool = _FILES.get(now.job.tool)
        if now.job.tool != before.job.tool:
            raise _not_comparable(f"one job is of the tool {now.job.tool}, the other of {before.job.tool}")
        if tool is None:
            raise _not_comparable(f"only results of heap and leaks are compared here, not those of {now.job.tool}")
        name = f"{tool}.json"
        try:
            heap, leaks = await parts.store_workers(_compared, tool, file_of(before, name), file_of(now, name))
        except ArtifactError as error:
            raise RefusedError(409, error.reason, str(error)) from None
        return JobComparison(tool=tool, now=_run(now), before=_run(before), heap=heap, leaks=leaks)

    return router


def _compared(tool: str, before: Path, now: Path) -> tuple[HeapComparison | None, LeaksComparison | None]:
    """Blocks. Raises ArtifactError."""
    if tool == "heap":
        return heap_comparison.compared(_read(before, HeapFile), _read(now, HeapFile)), None
    return None, leaks_comparison.compared(_read(before, LeaksFile), _read(now, LeaksFile))


def _read(path: Path, kind: type[File]) -> File:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ArtifactError("too_large", f"{path.name} of a job is over {MAX_BYTES >> 20} MiB; download both")
        return run_files.read(path.read_bytes(), kind)
    except (ValueError, OSError) as error:  # OSError: retention took it just now
        raise ArtifactError("error", f"{path.name} of the job {path.parent.name} cannot be read: {error}") from None


def _run(view: View) -> ComparedRun:
    job = view.job
    return ComparedRun(id=job.id, service=job.service, instance=job.instance, pid=job.pid, created_at=job.created_at)


def _not_comparable(problem: str) -> RefusedError:
    return RefusedError(409, "not_comparable", problem)
