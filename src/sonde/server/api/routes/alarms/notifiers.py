"""/alarms/notifiers and /alarms/deliveries: whom to tell, and how telling them went."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from sonde.server.alarms.channels.speaking import show
from sonde.server.alarms.delivery_list import DeliveryFilter
from sonde.server.alarms.notifier_book import Notifier
from sonde.server.alarms.notifiers import masked, target_of
from sonde.server.alarms.preview import preview_message
from sonde.server.api.access import Caller
from sonde.server.api.failures import RefusedError, bad_parameter, not_found
from sonde.server.api.parts import Parts
from sonde.server.api.routes.alarms.shared import AppFilter, Cursor, Id, Limit, Seen, refusals
from sonde.server.reports.alarms import (
    AlarmDelivery,
    AlarmNotifier,
    AlarmNotifierTest,
    AlarmNotifierWish,
    AlarmPreview,
    DeliveryState,
)
from sonde.server.reports.page import Page


def add_notifiers(router: APIRouter, parts: Parts, seen: Seen) -> None:
    """Looking at notifiers, changing them, trying them; what was sent."""
    reader, admin = parts.access.needs("read"), parts.access.needs("admin")
    alarms, work = parts.alarms, parts.account_workers

    def notifier_of(notifier_id: str, caller: Caller) -> Notifier:
        found = alarms.notifiers.find(notifier_id)
        if found is None or not seen.may(caller, found.app):
            raise not_found("notifier with that id")
        return found

    def shown(notifier_id: str, app: str) -> AlarmNotifier:
        found = [_notifier(*it) for it in alarms.notifiers.all([app]) if it[0].id == notifier_id]
        if not found:
            raise not_found("notifier with that id")
        return found[0]

    @router.get("/notifiers", response_model=Page[AlarmNotifier])
    async def list_notifiers(
        request: Request, caller: Annotated[Caller, Depends(reader)], app: AppFilter = None
    ) -> Response:
        """By name, their secrets masked."""

        def query() -> Page[AlarmNotifier]:
            return Page(items=[_notifier(*it) for it in alarms.notifiers.all(seen.apps(caller, app))])

        return await parts.own_answers(request, query, "notifier")

    @router.post("/notifiers", status_code=201)
    async def add(wish: AlarmNotifierWish, caller: Annotated[Caller, Depends(admin)]) -> AlarmNotifier:
        """A new one."""

        def query() -> AlarmNotifier:
            seen.check_app(caller, wish.app)
            with refusals("notifier."):
                return _notifier(alarms.notifiers.add(wish.app, wish.notifier, caller.who), 0)

        return await work(query)

    @router.post("/notifiers/preview")
    async def preview(wish: AlarmNotifierWish, caller: Annotated[Caller, Depends(reader)]) -> AlarmPreview:
        """What a message about two alarms would look like. Nothing is sent."""

        def query() -> AlarmPreview:
            seen.check_app(caller, wish.app)
            now = datetime.now(UTC)
            message = preview_message(wish.notifier, wish.app, now, alarms.console_url)
            found = show(wish.notifier.model_copy(update={"secret": "", "headers": {}}), message, now)
            target = target_of(wish.notifier)
            return AlarmPreview(target=target, media_type=found.media_type, title=found.title, body=found.body)

        return await work(query)

    @router.get("/notifiers/{notifier_id}")
    async def look(notifier_id: Id, caller: Annotated[Caller, Depends(reader)]) -> AlarmNotifier:
        """One of them, its secrets masked."""
        return await work(lambda: shown(notifier_id, notifier_of(notifier_id, caller).app))

    @router.put("/notifiers/{notifier_id}")
    async def change(
        notifier_id: Id, wish: AlarmNotifierWish, caller: Annotated[Caller, Depends(admin)]
    ) -> AlarmNotifier:
        """In place of what it said. A secret that is sent masked stays what it is."""

        def query() -> AlarmNotifier:
            known = notifier_of(notifier_id, caller)
            if wish.app != known.app:
                raise bad_parameter("app", "a notifier stays with its app")
            with refusals("notifier."):
                alarms.notifiers.change(known, wish.notifier, caller.who)
            return shown(notifier_id, known.app)

        return await work(query)

    @router.delete("/notifiers/{notifier_id}", status_code=204)
    async def remove(notifier_id: Id, caller: Annotated[Caller, Depends(admin)]) -> None:
        """It is gone, with what waits for it."""

        def query() -> None:
            with refusals("notifier."):
                alarms.notifiers.remove(notifier_of(notifier_id, caller), caller.who)

        await work(query)

    @router.post("/notifiers/{notifier_id}/test")
    async def test(notifier_id: Id, caller: Annotated[Caller, Depends(admin)]) -> AlarmNotifierTest:
        """Send a message that says it is a test, now; what came of it."""
        known = await work(notifier_of, notifier_id, caller)
        if known.unreadable:
            raise RefusedError(409, "unreadable", known.unreadable)

        def send() -> AlarmNotifierTest:
            began = datetime.now(UTC)
            outcome = alarms.sending.try_once(known, alarms.sending.test_message(known))
            took_ms = (datetime.now(UTC) - began).total_seconds() * 1000
            alarms.deliveries.note_test(known, outcome, caller.who)
            return AlarmNotifierTest(delivered=outcome.delivered, answer=outcome.answer, took_ms=took_ms)

        return await parts.test_workers(send)

    @router.get("/deliveries")
    async def deliveries(
        caller: Annotated[Caller, Depends(reader)],
        app: AppFilter = None,
        notifier_id: Annotated[str | None, Query(pattern="^[0-9a-f]{1,32}$")] = None,
        state: DeliveryState | None = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Page[AlarmDelivery]:
        """Messages and how delivering them went, newest first."""
        wanted = DeliveryFilter(seen.apps(caller, app), notifier_id, state)
        with refusals(""):
            found, following = await work(alarms.deliveries.search, wanted, limit, cursor)
        return Page(items=found, next=following)


def _notifier(notifier: Notifier, waiting: int) -> AlarmNotifier:
    return AlarmNotifier(
        id=notifier.id,
        app=notifier.app,
        notifier=masked(notifier.document),
        target=target_of(notifier.document),
        created_at=notifier.created_at,
        created_by=notifier.created_by,
        changed_at=notifier.changed_at,
        changed_by=notifier.changed_by,
        waiting=waiting,
        last_sent_at=notifier.last_sent_at,
        last_problem=notifier.unreadable or notifier.last_problem,
    )
