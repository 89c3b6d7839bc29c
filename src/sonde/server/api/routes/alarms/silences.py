"""/alarms/silences: times in which nobody is told."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from sonde.server.alarms.silence_book import Silence
from sonde.server.api.access import Caller
from sonde.server.api.failures import bad_parameter, not_found
from sonde.server.api.moments import FIRST, LAST
from sonde.server.api.parts import Parts
from sonde.server.api.routes.alarms.shared import AppFilter, Id, Seen, refusals
from sonde.server.reports.alarms import AlarmSilence, AlarmSilenceWish
from sonde.server.reports.page import Page

LONGEST_SILENCE = timedelta(days=366)


def add_silences(router: APIRouter, parts: Parts, seen: Seen) -> None:
    """Looking at silences, beginning and ending them."""
    reader, writer = parts.access.needs("read"), parts.access.needs("write")
    alarms, work = parts.alarms, parts.account_workers

    @router.get("/silences", response_model=Page[AlarmSilence])
    async def list_silences(
        request: Request, caller: Annotated[Caller, Depends(reader)], app: AppFilter = None
    ) -> Response:
        """That hold, are to come, or ended in the last day."""

        def query() -> Page[AlarmSilence]:
            return Page(items=[_silence(it) for it in alarms.silences.all(seen.apps(caller, app))])

        return await parts.own_answers(request, query, "silence")

    @router.post("/silences", status_code=201)
    async def add(wish: AlarmSilenceWish, caller: Annotated[Caller, Depends(writer)]) -> AlarmSilence:
        """Nobody is told of what matches, for a while. It is still judged, and shown."""
        now = datetime.now(UTC)
        starts_at = wish.starts_at or now
        for name, time in (("starts_at", starts_at), ("ends_at", wish.ends_at)):
            if time.tzinfo is None:
                raise bad_parameter(name, "a time with its zone is needed")
            if not FIRST <= time <= LAST:
                raise bad_parameter(name, f"a time lies between the years {FIRST.year} and {LAST.year}")
        if wish.ends_at <= max(starts_at, now):
            raise bad_parameter("ends_at", "must lie ahead, and after `starts_at`")
        if wish.ends_at - starts_at > LONGEST_SILENCE:
            raise bad_parameter("ends_at", f"at most {LONGEST_SILENCE.days} days after `starts_at`")

        def query() -> AlarmSilence:
            seen.check_app(caller, wish.app)
            with refusals(""):
                made = alarms.silences.add(
                    wish.app, wish.rule, wish.group, starts_at, wish.ends_at, wish.comment, caller.who
                )
            return _silence(made)

        return await work(query)

    @router.delete("/silences/{silence_id}", status_code=204)
    async def end(silence_id: Id, caller: Annotated[Caller, Depends(writer)]) -> None:
        """End it now."""

        def query() -> None:
            found = alarms.silences.find(silence_id)
            if found is None or not seen.may(caller, found.app):
                raise not_found("silence with that id")
            alarms.silences.end(found, caller.who)

        await work(query)


def _silence(silence: Silence) -> AlarmSilence:
    return AlarmSilence(
        id=silence.id,
        app=silence.app,
        rule=silence.rule,
        group=dict(silence.group),
        starts_at=silence.starts_at,
        ends_at=silence.ends_at,
        comment=silence.comment,
        created_at=silence.created_at,
        created_by=silence.created_by,
        active=silence.holds(datetime.now(UTC)),
    )
