"""/alarms: what fires, what fired, and who looks after it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from sonde.server.alarms.history import IntervalFilter
from sonde.server.api.access import Caller
from sonde.server.api.failures import not_found
from sonde.server.api.moments import Moment
from sonde.server.api.parts import Parts
from sonde.server.api.routes.alarms.shared import MOST_ROWS, AppFilter, Cursor, Id, Limit, RuleFilter, Seen, refusals
from sonde.server.reports.alarms import (
    Alarm,
    AlarmAcknowledgement,
    AlarmEvaluation,
    AlarmInterval,
    AlarmSummary,
    Severity,
    State,
)
from sonde.server.reports.page import Page


def add_current(router: APIRouter, parts: Parts, seen: Seen) -> None:
    """What fires now and what did; acknowledging it."""
    reader, writer = parts.access.needs("read"), parts.access.needs("write")
    alarms, work = parts.alarms, parts.account_workers

    @router.get("", response_model=Page[Alarm])
    async def current(
        request: Request,
        caller: Annotated[Caller, Depends(reader)],
        app: AppFilter = None,
        state: State | None = None,
        severity: Severity | None = None,
        rule_id: RuleFilter = None,
    ) -> Response:
        """Groups of rules that are not just well: the worst first. Pending ones have no id yet."""

        def query() -> Page[Alarm]:
            found = [
                alarm
                for alarm in alarms.history.current(seen.apps(caller, app))
                if (state is None or alarm.state == state)
                and (severity is None or alarm.severity == severity)
                and (rule_id is None or alarm.rule_id == rule_id)
            ]
            return Page(items=found[:MOST_ROWS])

        return await parts.own_answers(request, query, "alarm")

    @router.get("/summary")
    async def summary(caller: Annotated[Caller, Depends(reader)], app: AppFilter = None) -> AlarmSummary:
        """How many groups are in which state, and how the evaluation itself is doing."""

        def query() -> AlarmSummary:
            counts, told = alarms.history.counts(seen.apps(caller, app)), alarms.progress()
            return AlarmSummary(
                firing=sum(counts.by_severity.values()),
                critical=counts.by_severity.get("critical", 0),
                warning=counts.by_severity.get("warning", 0),
                info=counts.by_severity.get("info", 0),
                unacknowledged=counts.unacknowledged,
                pending=counts.by_state.get("pending", 0),
                suppressed=counts.by_state.get("suppressed", 0),
                no_data=counts.by_state.get("no_data", 0),
                evaluation=AlarmEvaluation(
                    evaluated_until=told.evaluated_until,
                    delay_s=alarms.delay_s,
                    behind_s=alarms.behind_s(told.evaluated_until),
                    trouble=told.trouble,
                    holder=told.holder,
                    round_ms=told.round_ms,
                    rules=told.rules,
                    groups=told.groups,
                    missed_slots=told.missed_slots,
                ),
            )

        return await work(query)

    @router.get("/history")
    async def history(
        caller: Annotated[Caller, Depends(reader)],
        app: AppFilter = None,
        rule_id: RuleFilter = None,
        severity: Severity | None = None,
        from_: Annotated[Moment | None, Query(alias="from", description="Fired then or later.")] = None,
        to: Annotated[Moment | None, Query(description="Began to fire before.")] = None,
        open_: Annotated[bool | None, Query(alias="open", description="Fires still, or does not.")] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Page[AlarmInterval]:
        """What fired and when, newest first; also of rules that are gone."""
        wanted = IntervalFilter(seen.apps(caller, app), rule_id, severity, from_, to, open_)
        with refusals(""):
            found, following = await work(alarms.history.intervals, wanted, limit, cursor)
        return Page(items=found, next=following)

    def interval_of(alarm_id: str, caller: Caller) -> AlarmInterval:
        found = alarms.history.find(alarm_id)
        if found is None or not seen.may(caller, found.app):
            raise not_found("alarm with that id")
        return found

    @router.post("/{alarm_id}/acknowledgement")
    async def acknowledge(
        alarm_id: Id, said: AlarmAcknowledgement, caller: Annotated[Caller, Depends(writer)]
    ) -> AlarmInterval:
        """Somebody looks after it. It fires on, and who is told is told."""

        def query() -> AlarmInterval:
            alarms.history.acknowledge(interval_of(alarm_id, caller), said.note, caller.who)
            return interval_of(alarm_id, caller)

        return await work(query)

    @router.delete("/{alarm_id}/acknowledgement")
    async def take_back(alarm_id: Id, caller: Annotated[Caller, Depends(writer)]) -> AlarmInterval:
        """Nobody does after all."""

        def query() -> AlarmInterval:
            alarms.history.take_back(interval_of(alarm_id, caller), caller.who)
            return interval_of(alarm_id, caller)

        return await work(query)
