"""What a job has brought: its files, piece by piece, and its result, which counts when they are all there."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sonde.server.control.errors import ArtifactError
from sonde.server.control.open_jobs import SERVER

if TYPE_CHECKING:
    from sonde.server.api.workers import Workers
    from sonde.server.control.artifacts import Artifacts
    from sonde.server.control.nodes import Agent
    from sonde.server.control.open_jobs import OpenJob, OpenJobs
    from sonde.wire.control import Piece, Result

log = logging.getLogger(__name__)

MOST_RESENT = 3
"""A file that arrives damaged so often is given up."""


class Results:
    """Used from one event loop; what blocks goes to `workers`."""

    def __init__(self, open_jobs: OpenJobs, artifacts: Artifacts, workers: Workers) -> None:
        self._open = open_jobs
        self._artifacts = artifacts
        self._workers = workers

    async def piece(self, agent: Agent, it: OpenJob, piece: Piece) -> None:
        """Keep a part of a file; where it cannot be kept, nothing of the job is wanted any more."""
        try:
            offset = await self._workers(self._artifacts.store, piece.job, piece)
        except ArtifactError as error:
            log.warning("job %s has failed: %s", it.job.id, error)
            await self._open.fail(it, SERVER, error.reason, str(error))
            agent.say({"type": "settled", "job": it.job.id})
            return
        agent.say({"type": "received", "job": piece.job, "name": piece.name, "offset": offset})

    async def settle(self, agent: Agent, it: OpenJob, event: Result) -> bool:
        """Whether the job has ended; else the agent has been told what is missing."""
        files = event["artifacts"]
        if len({artifact["name"] for artifact in files}) < len(files):
            await self._open.fail(it, SERVER, "error", "two artifacts of the job have one name")
            return True
        try:
            for artifact in files:
                offset = await self._workers(self._artifacts.complete, it.job.id, artifact)
                if offset is not None:
                    return await self._wait_for(agent, it, artifact["name"], offset)
            await self._workers(self._artifacts.tidy, it.job.id)
        except ArtifactError as error:
            await self._open.fail(it, SERVER, error.reason, str(error))
            return True
        await self._open.end(it, "done", f"agent:{agent.node}", document=event["document"], artifacts=files)
        return True

    async def _wait_for(self, agent: Agent, it: OpenJob, name: str, offset: int) -> bool:
        it.resent += 1
        if it.resent > MOST_RESENT:
            await self._open.fail(it, SERVER, "error", f"the artifact {name} arrived damaged {MOST_RESENT} times")
            return True
        agent.say({"type": "received", "job": it.job.id, "name": name, "offset": offset})
        return False
