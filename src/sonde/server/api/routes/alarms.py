"""/alarms: what fires, the rules, whom to tell."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from sonde.server.alarms import templates
from sonde.server.alarms.backtest import ProblemError, backtest
from sonde.server.alarms.channels.speaking import show
from sonde.server.alarms.delivery_list import DeliveryFilter
from sonde.server.alarms.errors import (
    BadCursorError,
    BadNotifierError,
    BadRuleError,
    InUseError,
    TooManyError,
)
from sonde.server.alarms.history import IntervalFilter
from sonde.server.alarms.notifier_book import Notifier
from sonde.server.alarms.notifiers import masked, target_of
from sonde.server.alarms.preview import preview_message
from sonde.server.alarms.readings import Frame, read
from sonde.server.alarms.rule_book import RuleStatus
from sonde.server.alarms.rule_files import exported, import_rules, parsed
from sonde.server.alarms.rules import Rule, check, unit
from sonde.server.alarms.silence_book import Silence
from sonde.server.api.access import Caller
from sonde.server.api.failures import RefusedError, bad_parameter, not_found
from sonde.server.api.moments import FIRST, LAST, Moment
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.api.thresholds import apdex_t_ms_of
from sonde.server.reports.alarms import (
    Alarm,
    AlarmAcknowledgement,
    AlarmBacktest,
    AlarmBacktestWish,
    AlarmDelivery,
    AlarmEvaluation,
    AlarmImport,
    AlarmImportWish,
    AlarmInterval,
    AlarmNotifier,
    AlarmNotifierTest,
    AlarmNotifierWish,
    AlarmPreview,
    AlarmRule,
    AlarmRuleDocument,
    AlarmRuleWish,
    AlarmSilence,
    AlarmSilenceWish,
    AlarmSummary,
    AlarmTemplate,
    DeliveryState,
    Severity,
    State,
)
from sonde.server.reports.page import Page

MOST_ROWS = 1000
LONGEST_SILENCE = timedelta(days=366)

Id = Annotated[str, Path(pattern="^[0-9a-f]{1,32}$")]
AppFilter = Annotated[str | None, Query(pattern="^[0-9a-f]{1,32}$", description="Id of an app; default: all.")]
RuleFilter = Annotated[str | None, Query(pattern="^[0-9a-f]{1,32}$", description="Id of a rule.")]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS)]
Cursor = Annotated[str | None, Query(max_length=100, description="`next` of the page before.")]
_TOML: dict[int | str, dict[str, Any]] = {200: {"content": {"application/toml": {}}, "description": "TOML."}}


@contextmanager
def _refusals(prefix: str) -> Iterator[None]:
    """What alarms refuse, as the API says it."""
    try:
        yield
    except (BadRuleError, BadNotifierError) as error:
        raise bad_parameter(f"{prefix}{error.place}", error.problem) from None
    except InUseError as error:
        raise RefusedError(409, "in_use", str(error)) from None
    except TooManyError as error:
        raise RefusedError(409, "too_many", str(error)) from None
    except BadCursorError as error:
        raise bad_parameter("cursor", str(error)) from None


class _Seen:
    """What a caller may see."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def apps(self, caller: Caller, app: str | None) -> tuple[str, ...] | None:
        """Those of a list; None: all."""
        if app is None:
            return caller.apps
        return (app,) if caller.apps is None or app in caller.apps else ()

    def check_app(self, caller: Caller, app: str) -> None:
        """Raises RefusedError (404). Blocks."""
        if (caller.apps is not None and app not in caller.apps) or not self._parts.accounts.apps.exists(app):
            raise not_found("app with that id")

    @staticmethod
    def may(caller: Caller, app: str | None) -> bool:
        """Whether something of this app is there for them."""
        return app is not None and (caller.apps is None or app in caller.apps)


def routes(parts: Parts) -> APIRouter:
    """Everything of alarms."""
    router = APIRouter(prefix=f"{PREFIX}/alarms", tags=["alarms"])
    seen = _Seen(parts)
    _add_current(router, parts, seen)
    _add_rules(router, parts, seen)
    _add_silences(router, parts, seen)
    _add_notifiers(router, parts, seen)
    return router


# -- what fires --------------------------------------------------------------------------------------------------------
def _add_current(router: APIRouter, parts: Parts, seen: _Seen) -> None:
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

        return await parts.answers(request, query, "alarm")

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
        with _refusals(""):
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


# -- rules -------------------------------------------------------------------------------------------------------------
def _add_rules(router: APIRouter, parts: Parts, seen: _Seen) -> None:
    reader, writer = parts.access.needs("read"), parts.access.needs("write")
    alarms, work = parts.alarms, parts.account_workers

    def checked(app: str, document: AlarmRuleDocument) -> None:
        """Raises BadRuleError, and asks the store, which knows what a query can be. Raises StoreError."""
        check(document)
        if document.what.kind == "promql":
            end_s = int(datetime.now(UTC).timestamp()) // 30 * 30
            problem = read(parts.store, [_passing(app, document)], Frame(end_s))[_PASSING].problem
            if problem:
                raise BadRuleError("what.query", problem)

    def rule_of(rule_id: str, caller: Caller) -> Rule:
        found = alarms.rules.find(rule_id)
        if found is None or not seen.may(caller, found.app):
            raise not_found("rule with that id")
        return found

    def shown(rule_id: str, app: str) -> AlarmRule:
        found = next((it for it in alarms.rules.statuses([app]) if it.rule.id == rule_id), None)
        if found is None:
            raise not_found("rule with that id")
        return _rule(found)

    @router.get("/templates", response_model=Page[AlarmTemplate])
    async def offered(request: Request, _: Annotated[Caller, Depends(reader)]) -> Response:
        """Rules to start from."""
        return await parts.answers(request, lambda: Page(items=templates.templates()), "template")

    @router.get("/rules", response_model=Page[AlarmRule])
    async def list_rules(
        request: Request,
        caller: Annotated[Caller, Depends(reader)],
        app: AppFilter = None,
        state: Literal["firing", "pending", "no_data", "problem"] | None = None,
    ) -> Response:
        """By name. `state`: that have such a group; `problem`: that cannot be evaluated."""

        def query() -> Page[AlarmRule]:
            found = [_rule(status) for status in alarms.rules.statuses(seen.apps(caller, app))]
            return Page(items=[rule for rule in found if state is None or getattr(rule, state)])

        return await parts.answers(request, query, "rule")

    @router.post("/rules", status_code=201)
    async def add(wish: AlarmRuleWish, caller: Annotated[Caller, Depends(writer)]) -> AlarmRule:
        """A new rule. It is judged from the next slot on."""

        def query() -> AlarmRule:
            seen.check_app(caller, wish.app)
            with _refusals("rule."):
                checked(wish.app, wish.rule)
                made = alarms.rules.add(wish.app, wish.rule, caller.who)
            return shown(made.id, made.app)

        return await parts.store_workers(query)

    @router.get("/rules/export", response_class=Response, responses=_TOML)
    async def export(
        caller: Annotated[Caller, Depends(reader)], app: Annotated[str, Query(pattern="^[0-9a-f]{1,32}$")]
    ) -> Response:
        """The rules of an app as TOML, to be kept beside code."""

        def query() -> str:
            seen.check_app(caller, app)
            return exported(alarms.rules.of_app(app))

        headers = {"Content-Disposition": 'attachment; filename="alarms.toml"'}
        return Response(await work(query), media_type="application/toml", headers=headers)

    @router.post("/rules/import")
    async def import_(wish: AlarmImportWish, caller: Annotated[Caller, Depends(writer)]) -> AlarmImport:
        """Make the rules of an app those of a file, all or none. The same file again changes nothing."""

        def query() -> AlarmImport:
            seen.check_app(caller, wish.app)
            with _refusals(""):
                documents = parsed(wish.toml)
                return import_rules(
                    parts.accounts.engine,
                    alarms.rules,
                    wish.app,
                    documents,
                    caller.who,
                    prune=wish.prune,
                    dry_run=wish.dry_run,
                )

        return await work(query)

    @router.get("/rules/{rule_id}")
    async def look(rule_id: Id, caller: Annotated[Caller, Depends(reader)]) -> AlarmRule:
        """One rule."""
        return await work(lambda: shown(rule_id, rule_of(rule_id, caller).app))

    @router.put("/rules/{rule_id}")
    async def change(rule_id: Id, wish: AlarmRuleWish, caller: Annotated[Caller, Depends(writer)]) -> AlarmRule:
        """In place of what it said. What fires ends, unless only words, receivers or suppression change."""

        def query() -> AlarmRule:
            known = rule_of(rule_id, caller)
            if wish.app != known.app:
                raise bad_parameter("app", "a rule stays with its app")
            with _refusals("rule."):
                checked(known.app, wish.rule)
                alarms.rules.change(rule_id, wish.rule, caller.who)
            return shown(rule_id, known.app)

        return await parts.store_workers(query)

    @router.delete("/rules/{rule_id}", status_code=204)
    async def remove(rule_id: Id, caller: Annotated[Caller, Depends(writer)]) -> None:
        """It is gone; what it fired is over, and stays in the history."""

        def query() -> None:
            rule_of(rule_id, caller)
            with _refusals("rule."):
                alarms.rules.remove(rule_id, caller.who)

        await work(query)

    @router.post("/backtest", response_model=AlarmBacktest)
    async def would_have(
        wish: AlarmBacktestWish, request: Request, caller: Annotated[Caller, Depends(reader)]
    ) -> Response:
        """What a rule would have done over stored history. Nothing is kept, nobody is told."""

        def query() -> AlarmBacktest:
            seen.check_app(caller, wish.app)
            end = wish.to or datetime.now(UTC) - timedelta(seconds=alarms.delay_s)
            if end.tzinfo is None or not FIRST <= end <= LAST:
                raise bad_parameter("to", f"a time with its zone, between the years {FIRST.year} and {LAST.year}")
            with _refusals("rule."):
                check(wish.rule)
            try:
                start = end - timedelta(days=wish.days)
                t_ms = apdex_t_ms_of(parts)(wish.app)
                return backtest(parts.store, _passing(wish.app, wish.rule), start, end, t_ms)
            except ProblemError as error:
                raise bad_parameter("rule.what", str(error)) from None

        return await parts.answers(request, query, "rule")


# -- silences ----------------------------------------------------------------------------------------------------------
def _add_silences(router: APIRouter, parts: Parts, seen: _Seen) -> None:
    reader, writer = parts.access.needs("read"), parts.access.needs("write")
    alarms, work = parts.alarms, parts.account_workers

    @router.get("/silences", response_model=Page[AlarmSilence])
    async def list_silences(
        request: Request, caller: Annotated[Caller, Depends(reader)], app: AppFilter = None
    ) -> Response:
        """That hold, are to come, or ended in the last day."""

        def query() -> Page[AlarmSilence]:
            return Page(items=[_silence(it) for it in alarms.silences.all(seen.apps(caller, app))])

        return await parts.answers(request, query, "silence")

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
            with _refusals(""):
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


# -- notifiers ---------------------------------------------------------------------------------------------------------
def _add_notifiers(router: APIRouter, parts: Parts, seen: _Seen) -> None:
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

        return await parts.answers(request, query, "notifier")

    @router.post("/notifiers", status_code=201)
    async def add(wish: AlarmNotifierWish, caller: Annotated[Caller, Depends(admin)]) -> AlarmNotifier:
        """A new one."""

        def query() -> AlarmNotifier:
            seen.check_app(caller, wish.app)
            with _refusals("notifier."):
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
            with _refusals("notifier."):
                alarms.notifiers.change(known, wish.notifier, caller.who)
            return shown(notifier_id, known.app)

        return await work(query)

    @router.delete("/notifiers/{notifier_id}", status_code=204)
    async def remove(notifier_id: Id, caller: Annotated[Caller, Depends(admin)]) -> None:
        """It is gone, with what waits for it."""

        def query() -> None:
            with _refusals("notifier."):
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

        return await parts.store_workers(send)

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
        with _refusals(""):
            found, following = await work(alarms.deliveries.search, wanted, limit, cursor)
        return Page(items=found, next=following)


# -- rendering ---------------------------------------------------------------------------------------------------------
_PASSING = "0"


def _passing(app: str, document: AlarmRuleDocument) -> Rule:
    """A rule that is kept nowhere."""
    now = datetime.now(UTC)
    return Rule(_PASSING, app, document, 0, now, "", now, "")


def _rule(status: RuleStatus) -> AlarmRule:
    rule = status.rule
    return AlarmRule(
        id=rule.id,
        app=rule.app,
        version=rule.version,
        rule=rule.document,
        unit=unit(rule.document.what),
        created_at=rule.created_at,
        created_by=rule.created_by,
        changed_at=rule.changed_at,
        changed_by=rule.changed_by,
        firing=status.by_state.get("firing", 0) + status.by_state.get("recovering", 0),
        pending=status.by_state.get("pending", 0),
        no_data=status.by_state.get("no_data", 0),
        groups=status.groups,
        groups_dropped=status.groups_dropped,
        problem=status.problem,
    )


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
