"""Rules about names, as SQL: tables as they are shown, in the place of the tables as they are recorded.

`named(store, rules)` and `Shown` are stores for those who ask: in their tables `service`, `endpoint` and `app` are what
people see. Rules are looked at when something is read: they hold for what was recorded before, and can be taken back.
Without any rule a query is as it was, and costs nothing more.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sonde.server.store.client import StoreClient
from sonde.server.store.errors import StoreError
from sonde.server.store.queries.scope import SLOTS
from sonde.server.store.queries.series import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sonde.server.accounts.name_rules import Rule, Wish

_SERVICES_IN = {
    "rollup_30s": ("service",),
    "request_slots": ("service",),
    "edges_30s": ("service",),
    "edges_long": ("service",),
    "statements_long": ("service",),
    "hops_30s": ("service", "target"),
    "instances": ("service",),
    "spans": ("service",),
    "peers": ("service", "target"),
    "addresses": ("service",),
    "failures": ("service",),
    "process_runs": ("service",),
    "metrics": ("service",),
    "logs": ("service",),
}
"""Columns with names of services, by table."""
_ENDPOINTS_IN = frozenset({"rollup_30s", "request_slots", "statements_long", "spans", "failures"})
_READ_BY = dict.fromkeys(
    ("rollup_30s", "request_slots", "edges_30s", "edges_long", "statements_long", "hops_30s"), SLOTS
)
"""A condition of every query of a table on columns that no rule changes: what the table is read by."""
_BY_SERVICE = frozenset({*_READ_BY, "spans", "failures", "metrics", "logs"})
"""Tables in order of services, among others: of one service the rest need not be read."""
_ONE_SERVICE = re.compile(r"\b(?:WHERE|AND) service = \{(\w+):String\}")
_NAMES_OF_METRICS = "metric_names"
_FROM = re.compile(rf"\bFROM ({'|'.join((*_SERVICES_IN, _NAMES_OF_METRICS))})\b(?: AS (\w+))?( FINAL)?")
_AT_ONCE: dict[str, object] = {"short_circuit_function_evaluation": "disable"}
"""Looking which rows a rule is for before it is tried costs more than trying it on each different endpoint."""
_BAD_REGEXP = 427
_RE2_SAYS = re.compile(r"error: (?P<reason>[^:]+)(?:: (?P<part>.*?))?(?:\. |: While|$)", re.DOTALL)


class BadPatternError(ValueError):
    """The engine cannot use the pattern; the message says why, and where."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What rules make of names. Rules speak of services as they are recorded; none is applied to what another one made.

    Of an app's rules the first that fits a service, or an endpoint, holds.
    """

    rules: Sequence[Rule] = ()

    def within(self, sql: str, service: str | None = None) -> str:
        """A query of ours, its tables as they are shown. `service`: as it is shown, where no other one is wanted."""

        def shown(found: re.Match[str]) -> str:
            name, alias, final = found.groups()
            return f"FROM {self._table(name, service, final=bool(final))}{f' AS {alias}' if alias else ''}"

        return _FROM.sub(shown, sql) if self.rules else sql

    def has_patterns_for(self, sql: str) -> bool:
        """Whether patterns are tried on endpoints that the query reads."""
        tables = {str(name) for name, *_ in _FROM.findall(sql)}
        return bool(tables & _ENDPOINTS_IN) and any(rule.wish.kind == "endpoint" for rule in self.rules)

    def _table(self, name: str, service: str | None, *, final: bool) -> str:
        if name == _NAMES_OF_METRICS:
            return self._names_of_metrics()
        shown = [f"{sql} AS {column}" for column in _SERVICES_IN[name] if (sql := self._service(column))]
        if name in _ENDPOINTS_IN and (sql := self._endpoint()):
            shown.append(f"{sql} AS endpoint")
        if sql := self._app():
            shown.append(f"{sql} AS app")
        columns = f"* REPLACE ({', '.join(shown)})" if shown else "*"
        conditions = [_READ_BY.get(name, "true")]
        if service is not None and name in _BY_SERVICE:
            conditions.append(f"raw.service IN ({_literals(self.recorded(service))})")
        for app, services in self._by_app("hide", lambda rule: rule.wish.service).items():
            conditions += [
                f"NOT (raw.app = {_literal(app)} AND raw.{column} IN ({_literals(services)}))"
                for column in _SERVICES_IN[name]
            ]
        read = f"{name} AS raw FINAL" if final else f"{name} AS raw"
        return f"(SELECT {columns} FROM {read} WHERE {' AND '.join(conditions)})"

    def _names_of_metrics(self) -> str:
        """Whose they are is not kept: an app that a service was moved to has all those of the app that it came from."""
        moves = dict.fromkeys(
            f"SELECT * REPLACE ({_literal(rule.wish.target_app)} AS app) FROM {_NAMES_OF_METRICS} AS raw"
            f" WHERE raw.app = {_literal(rule.app)}"
            for rule in self.rules
            if rule.wish.kind == "move" and rule.wish.target_app
        )
        return f"({' UNION ALL '.join((f'SELECT * FROM {_NAMES_OF_METRICS}', *moves))})"

    def makes(self, app: str, service: str) -> bool:
        """Whether a rule shows some service as this one, there."""
        return any(
            (rule.wish.kind == "alias" and (rule.app, rule.wish.name) == (app, service))
            or (rule.wish.kind == "move" and (rule.wish.target_app, rule.wish.service) == (app, service))
            for rule in self.rules
        )

    def unmakes(self, app: str, service: str) -> bool:
        """Whether what is recorded there under this name is shown under another one, elsewhere, or nowhere."""
        return any(
            rule.wish.kind != "endpoint" and (rule.app, rule.wish.service) == (app, service) for rule in self.rules
        )

    def patterns(self, app: str) -> list[Wish]:
        """Its rules about endpoints."""
        return [rule.wish for rule in self.rules if rule.app == app and rule.wish.kind == "endpoint"]

    def recorded(self, service: str) -> list[str]:
        """The names under which what is shown as this service may have been recorded, in whatever app."""
        aliases = (rule.wish.service for rule in self.rules if rule.wish.kind == "alias" and rule.wish.name == service)
        return list(dict.fromkeys([service, *aliases]))

    def _service(self, column: str) -> str:
        branches = []
        for app, pairs in self._by_app("alias", lambda rule: (rule.wish.service, rule.wish.name)).items():
            names = dict(reversed(pairs))  # the first of several holds
            told = f"transform(raw.{column}, [{_literals(names)}], [{_literals(names.values())}])"
            branches.append(f"raw.app = {_literal(app)}, {told}")
        return f"multiIf({', '.join(branches)}, raw.{column})" if branches else ""

    def _endpoint(self) -> str:
        """For each app, and each service with rules of its own, one expression of the endpoint alone: of a column with
        few different values the engine makes that once for each of them.
        """
        mine = [rule for rule in self.rules if rule.wish.kind == "endpoint"]
        places = dict.fromkeys((rule.app, rule.wish.service) for rule in mine if rule.wish.service)
        places |= dict.fromkeys((rule.app, "") for rule in mine)  # last: every other service of an app
        branches = []
        for app, service in places:
            names = ", ".join(
                f"match(raw.endpoint, {_literal(whole(rule.wish.pattern))}), {_literal(rule.wish.name)}"
                for rule in mine
                if rule.app == app and rule.wish.service in {"", service}
            )
            if names:
                there = f" AND raw.service = {_literal(service)}" if service else ""
                branches.append(f"raw.app = {_literal(app)}{there}, multiIf({names}, raw.endpoint)")
        return f"multiIf({', '.join(branches)}, raw.endpoint)" if branches else ""

    def _app(self) -> str:
        branches = [
            f"raw.app = {_literal(rule.app)} AND raw.service = {_literal(rule.wish.service)},"
            f" {_literal(rule.wish.target_app)}"
            for rule in self.rules
            if rule.wish.kind == "move" and rule.wish.target_app
        ]
        return f"multiIf({', '.join(branches)}, raw.app)" if branches else ""

    def _by_app(self, kind: str, said: Callable[[Rule], Any]) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = defaultdict(list)
        for rule in self.rules:
            if rule.wish.kind == kind:
                found[rule.app].append(said(rule))
        return found


def named(client: StoreClient, rules: Sequence[Rule]) -> StoreClient:
    """The same store for who reads, with names as the rules have them."""
    return Shown(client, lambda: rules) if rules else client


class Shown(StoreClient):
    """A store that has names as the rules have them when something is asked. `rules` may block."""

    def __init__(self, recorded: StoreClient, rules: Callable[[], Sequence[Rule]]) -> None:
        self.recorded = recorded
        self._rules = rules

    def rows(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, settings: Mapping[str, object] | None = None
    ) -> list[tuple[Any, ...]]:
        """As any store."""
        shown, more = self._shown(sql, parameters)
        return self.recorded.rows(shown, parameters, settings=more | dict(settings or {}))

    def dicts(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, settings: Mapping[str, object] | None = None
    ) -> list[dict[str, Any]]:
        """As any store."""
        shown, more = self._shown(sql, parameters)
        return self.recorded.dicts(shown, parameters, settings=more | dict(settings or {}))

    def regroups(self) -> bool:
        """As any store."""
        return any(rule.wish.kind in {"hide", "move"} for rule in self._rules())

    def _shown(self, sql: str, parameters: Mapping[str, object] | None) -> tuple[str, dict[str, object]]:
        """Tables are in order of services: where one is wanted, the others need not be read to learn their names."""
        naming = Naming(self._rules())
        one = _ONE_SERVICE.search(sql)
        shown = naming.within(sql, str((parameters or {})[one[1]]) if one else None)
        return shown, _AT_ONCE if naming.has_patterns_for(sql) else {}


def check_pattern(client: StoreClient, pattern: str) -> None:
    """Raises BadPatternError for one that the engine's RE2 does not take."""
    try:
        client.rows("SELECT match('', {pattern:String})", {"pattern": whole(pattern)})
    except StoreError as error:
        if error.code != _BAD_REGEXP:
            raise
        raise BadPatternError(_why(pattern, str(error))) from error


def _why(pattern: str, said: str) -> str:
    """RE2's own reason, and the place in the pattern that it names."""
    found = _RE2_SAYS.search(said)
    if found is None:
        return "is no regular expression that RE2 knows"
    part = (found["part"] or "").strip()
    place = pattern.find(part) if part else -1
    where = f" at character {place + 1}: {part!r}" if place >= 0 else f": {part!r}" if part else ""
    return f"{found['reason'].strip()}{where}"


def _literals(texts: Iterable[str]) -> str:
    return ", ".join(_literal(text) for text in texts)


def _literal(text: str) -> str:
    """A text as SQL writes it. Rules are too many and too long for parameters, which travel in the address."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\0")
    return f"'{escaped}'"
