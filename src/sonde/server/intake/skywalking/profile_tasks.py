"""A profile task: a run of the control plane on the one side, a command of SkyWalking's on the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sonde.server.intake.skywalking import skywalking_pb2 as pb
from sonde.server.intake.skywalking.profile_options import TOOL
from sonde.wire.control import moment

if TYPE_CHECKING:
    from datetime import datetime

    from sonde.server.intake.skywalking.profile_options import ProfileOptions
    from sonde.server.intake.skywalking.snapshots import Snapshots
    from sonde.wire.control import Job

_DAY_MS = 86_400_000


@dataclass(eq=False, slots=True)
class Task:
    """A run under way. Moments in seconds are of the clock that never goes back."""

    job: Job
    options: ProfileOptions
    snapshots: Snapshots
    created_ms: int
    expires_at: float
    """From then on it is not begun."""
    given_at: float = 0.0
    """When the agent was told; 0: not yet."""
    ends_at: float = math.inf
    started_at: datetime | None = None
    ending: bool = False
    _seq: int = 0

    def next_seq(self) -> int:
        """Of what is said of it."""
        self._seq += 1
        return self._seq

    def began(self, last_command_ms: int, seconds: float, now: datetime) -> None:
        """The agent is told now. It takes only what is newer than its last command, whatever the clocks say."""
        self.created_ms = max(self.created_ms, last_command_ms + 1)
        self.given_at, self.started_at = seconds, now
        self.ends_at = seconds + self.job["seconds"]

    def is_news_to(self, last_command_ms: int) -> bool:
        """Whether the agent is to be told, for the first time or again."""
        return not self.ending and (not self.given_at or self.created_ms > last_command_ms)

    def ran_s(self, seconds: float) -> float:
        """For how long it was looked."""
        return max(min(seconds, self.ends_at) - self.given_at, 0.0) if self.given_at else 0.0

    def command(self) -> pb.Command:
        """ProfileTaskQuery: its arguments are all texts. The start lies a day back, since an agent whose clock is
        behind ours would wait for it.
        """
        arguments = {
            "SerialNumber": self.job["id"],
            "TaskId": self.job["id"],
            "EndpointName": self.options.endpoint,
            "Duration": self.options.minutes,
            "MinDurationThreshold": self.options.min_duration_ms,
            "DumpPeriod": self.options.period_ms,
            "MaxSamplingCount": self.options.requests,
            "StartTime": self.created_ms - _DAY_MS,
            "CreateTime": self.created_ms,
        }
        pairs = [pb.KeyStringValuePair(key=key, value=str(value)) for key, value in arguments.items()]
        return pb.Command(command="ProfileTaskQuery", args=pairs)

    def document(self, service: str, summary: dict[str, Any], ran_s: float, now: datetime) -> dict[str, Any]:
        """What the run's page shows beside the profile."""
        return {
            "format": "sonde.result.v1",
            "tool": TOOL,
            "pid": self.job["pid"],
            "service": service,
            "instance": self.job["instance"],
            "started_at": moment(self.started_at or now),
            "seconds": round(ran_s, 3),
            "notes": list(self.snapshots.notes(self.options.endpoint)),
            "summary": summary,
        }
