"""What the whole check comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sonde.cli.checkup.findings import Finding
    from sonde.cli.checkup.visits import Visit

SOUND, MISSING, NOT_STARTED, INTERRUPTED = 0, 1, 2, 130


@dataclass
class Outcome:
    """`code` is the exit code: SOUND, MISSING, NOT_STARTED or INTERRUPTED."""

    command: list[str]
    code: int = SOUND
    summary: str = ""
    praise: str = ""
    visits: list[Visit] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def judge(self, *, wanted_requests: bool) -> None:
        """Put together what is missing, and the exit code."""
        for finding in self.findings:
            self.missing += [f"{finding.pid}: {what}" for what in finding.missing]
        answered = sum(made.status is not None for made in self.visits)
        served = [finding for finding in self.findings if finding.requests]
        processes = _number(len(self.findings), "process")
        if self.code == NOT_STARTED:
            self.summary = "the command could not be started"
        elif wanted_requests:
            requests = _number(len(self.visits), "request")
            self.summary = f"{processes}; {requests}, {answered} answered, by {_number(len(served), 'process')}"
            self.praise = f"Everyone who answered is seen: {_number(len(served), 'process')}."
            if not served:
                self.missing.insert(0, self._why_nobody_answered())
        else:
            self.summary = f"{processes}; no requests were made"
            self.praise = "A probe runs in each process, and nothing that it wraps was refused."
        if self.missing and self.code == SOUND:
            self.code = MISSING

    def _why_nobody_answered(self) -> str:
        errors = {f"{made.place}: {made.error}" for made in self.visits if made.error}
        if errors:
            return f"no request was answered: {'; '.join(sorted(errors))}"
        return "no process listens at a TCP port; say where by --url, or --no-requests for a command without HTTP"


def _number(count: int, what: str) -> str:
    plural = f"{what}es" if what.endswith("s") else f"{what}s"
    return f"{count} {what if count == 1 else plural}"
