"""/apps/{app}/names: rules about what services and endpoints are shown as."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from sonde.server.accounts.name_rules import Rule, Wish
from sonde.server.api.access import Caller
from sonde.server.api.failures import RefusedError, bad_parameter, not_found
from sonde.server.api.moments import TimeRange, time_range
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.reports.page import Page
from sonde.server.reports.statistics import NamePreview, NameRule, RuleKind
from sonde.server.store.queries import naming_preview
from sonde.server.store.queries.naming import BadPatternError, check_pattern

AppId = Annotated[str, Path(pattern="^[0-9a-f]{1,32}$", description="Id of the app.")]
RuleId = Annotated[str, Path(pattern="^[0-9a-f]{1,32}$", description="Id of the rule.")]
LONGEST_NAME = 255
LONGEST_PATTERN = 500
_TEXT = r"^[^\x00]*$"
_NEEDS: dict[RuleKind, tuple[str, ...]] = {
    "alias": ("service", "name"),
    "endpoint": ("pattern", "name"),
    "hide": ("service",),
    "move": ("service", "target_app"),
}
_TAKES: dict[RuleKind, tuple[str, ...]] = {**_NEEDS, "endpoint": ("service", "pattern", "name")}


class NameWish(BaseModel):
    """A rule. alias: `service` is shown as `name`, and several with one name as one. endpoint: endpoints that `pattern`
    (RE2) matches as a whole are shown as `name`. hide: `service` is not shown. move: it is shown in `target_app`.

    `service` is what a service is recorded as.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: RuleKind
    service: str = Field("", max_length=LONGEST_NAME, pattern=_TEXT)
    pattern: str = Field("", max_length=LONGEST_PATTERN, pattern=_TEXT)
    name: str = Field("", max_length=LONGEST_NAME, pattern=_TEXT)
    target_app: str | None = Field(None, pattern="^[0-9a-f]{1,32}$")

    @model_validator(mode="after")
    def _is_whole(self) -> "NameWish":
        for name in ("service", "pattern", "name", "target_app"):
            given = getattr(self, name)
            if not given and name in _NEEDS[self.kind]:
                raise ValueError(f"{name} is needed for a rule of kind {self.kind}")
            if given and name not in _TAKES[self.kind]:
                raise ValueError(f"{name} means nothing to a rule of kind {self.kind}")
        return self


def routes(parts: Parts) -> APIRouter:
    """List, make, change, drop, and try out."""
    router = APIRouter(prefix=PREFIX, tags=["names"])
    reader, writer = parts.access.needs("read"), parts.access.needs("write")
    rules = parts.accounts.name_rules
    Reader = Annotated[Caller, Depends(reader)]  # noqa: N806 - a type
    Writer = Annotated[Caller, Depends(writer)]  # noqa: N806 - a type

    def check(caller: Caller, app: str) -> None:
        if not caller.sees(app) or not parts.accounts.apps.exists(app):
            raise not_found("app with that id")

    def check_admin(caller: Caller) -> None:
        if caller.scope != "admin":
            said = f"moving a service needs the scope `admin`, yours is `{caller.scope}`"
            raise RefusedError(403, "forbidden", said)

    def checked(caller: Caller, app: str, wish: NameWish) -> Wish:
        """The rule, if the caller may make it. Who moves a service changes who sees it: an admin of both apps does."""
        check(caller, app)
        if wish.target_app is not None:
            check_admin(caller)
            if wish.target_app == app:
                raise bad_parameter("target_app", "is the app that the service is in")
            check(caller, wish.target_app)
        if wish.pattern:
            try:
                check_pattern(parts.recorded, wish.pattern)
            except BadPatternError as error:
                raise bad_parameter("pattern", str(error)) from None
        return Wish(wish.kind, wish.service, wish.pattern, wish.name, wish.target_app)

    @router.get("/apps/{app}/names", response_model=Page[NameRule])
    async def list_rules(request: Request, app: AppId, caller: Reader) -> Response:
        """Rules of the app in their order, and those that move a service into it. The first that fits holds."""

        def query() -> Page[NameRule]:
            check(caller, app)
            return Page(items=[_report(rule) for rule in rules.of(app)])

        return await parts.own_answers(request, query, "app with that id")

    @router.post("/apps/{app}/names", status_code=201)
    async def add(wish: NameWish, app: AppId, caller: Writer) -> NameRule:
        """One more rule, after the others. It holds within a second, for what was recorded before, too."""
        return await parts.store_workers(lambda: _report(rules.add(app, checked(caller, app, wish), caller.who)))

    @router.put("/apps/{app}/names/{rule_id}")
    async def change(wish: NameWish, app: AppId, rule_id: RuleId, caller: Writer) -> NameRule:
        """Another rule in the place of one."""

        def work() -> NameRule:
            wanted = checked(caller, app, wish)
            may_touch(caller, rules.find(app, rule_id))
            changed = rules.change(app, rule_id, wanted, caller.who)
            if changed is None:
                raise not_found("rule with that id")
            return _report(changed)

        return await parts.store_workers(work)

    @router.delete("/apps/{app}/names/{rule_id}", status_code=204)
    async def drop(app: AppId, rule_id: RuleId, caller: Writer) -> None:
        """Without that rule, names are what they were."""

        def work() -> None:
            check(caller, app)
            may_touch(caller, rules.find(app, rule_id))
            if not rules.drop(app, rule_id, caller.who):
                raise not_found("rule with that id")

        await parts.account_workers(work)

    def may_touch(caller: Caller, rule: Rule | None) -> None:
        """Taking back a move is one."""
        if rule is not None and rule.wish.target_app is not None:
            check_admin(caller)
            check(caller, rule.wish.target_app)

    @router.post("/apps/{app}/names/preview")
    async def preview(
        wish: NameWish, app: AppId, caller: Reader, span: Annotated[TimeRange, Depends(time_range)]
    ) -> NamePreview:
        """What a rule of kind `endpoint` would merge of what was recorded in a span of time. Nothing is changed."""
        if wish.kind != "endpoint":
            raise bad_parameter("kind", "can be tried out where it is `endpoint`")

        def work() -> NamePreview:
            wanted = checked(caller, app, wish)
            return naming_preview.preview(parts.recorded, app, wanted, span.start, span.end)

        return await parts.store_workers(work)

    return router


def _report(rule: Rule) -> NameRule:
    wish = rule.wish
    return NameRule(
        id=rule.id,
        app=rule.app,
        kind=wish.kind,
        service=wish.service,
        pattern=wish.pattern,
        name=wish.name,
        target_app=wish.target_app,
        changed_at=rule.changed_at,
        changed_by=rule.changed_by,
    )
