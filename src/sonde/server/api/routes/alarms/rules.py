"""/alarms/rules and /alarms/backtest: rules, one by one and as a file, tried on what was."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from sonde.server.alarms import templates
from sonde.server.alarms.backtest import ProblemError, backtest
from sonde.server.alarms.errors import BadRuleError
from sonde.server.alarms.readings import Frame, read
from sonde.server.alarms.rule_book import RuleStatus
from sonde.server.alarms.rule_files import exported, import_rules, parsed
from sonde.server.alarms.rules import Rule, check, unit
from sonde.server.api.access import Caller
from sonde.server.api.failures import bad_parameter, not_found
from sonde.server.api.moments import FIRST, LAST
from sonde.server.api.parts import Parts
from sonde.server.api.routes.alarms.shared import AppFilter, Id, Seen, refusals
from sonde.server.api.thresholds import apdex_t_ms_of
from sonde.server.reports.alarms import (
    AlarmBacktest,
    AlarmBacktestWish,
    AlarmImport,
    AlarmImportWish,
    AlarmRule,
    AlarmRuleDocument,
    AlarmRuleWish,
    AlarmTemplate,
)
from sonde.server.reports.language import Language
from sonde.server.reports.page import Page

_TOML: dict[int | str, dict[str, Any]] = {200: {"content": {"application/toml": {}}, "description": "TOML."}}


def add_rules(router: APIRouter, parts: Parts, seen: Seen) -> None:
    """Looking at rules, changing them, trying them."""
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
    async def offered(
        request: Request,
        _: Annotated[Caller, Depends(reader)],
        language: Annotated[Language, Query(description="Of their names and descriptions.")] = "en",
    ) -> Response:
        """Rules to start from."""
        return await parts.own_answers(request, lambda: Page(items=templates.templates(language)), "template")

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

        return await parts.own_answers(request, query, "rule")

    @router.post("/rules", status_code=201)
    async def add(wish: AlarmRuleWish, caller: Annotated[Caller, Depends(writer)]) -> AlarmRule:
        """A new rule. It is judged from the next slot on."""

        def query() -> AlarmRule:
            seen.check_app(caller, wish.app)
            with refusals("rule."):
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
            with refusals(""):
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
            with refusals("rule."):
                checked(known.app, wish.rule)
                alarms.rules.change(rule_id, wish.rule, caller.who)
            return shown(rule_id, known.app)

        return await parts.store_workers(query)

    @router.delete("/rules/{rule_id}", status_code=204)
    async def remove(rule_id: Id, caller: Annotated[Caller, Depends(writer)]) -> None:
        """It is gone; what it fired is over, and stays in the history."""

        def query() -> None:
            rule_of(rule_id, caller)
            with refusals("rule."):
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
            with refusals("rule."):
                check(wish.rule)
            try:
                start = end - timedelta(days=wish.days)
                t_ms = apdex_t_ms_of(parts)(wish.app)
                return backtest(parts.store, _passing(wish.app, wish.rule), start, end, t_ms)
            except ProblemError as error:
                raise bad_parameter("rule.what", str(error)) from None

        return await parts.answers(request, query, "rule")


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
