"""What the addresses of alarms have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Path, Query

from sonde.server.alarms.errors import BadCursorError, BadNotifierError, BadRuleError, InUseError, TooManyError
from sonde.server.api.access import Caller
from sonde.server.api.failures import RefusedError, bad_parameter, not_found
from sonde.server.api.parts import Parts

MOST_ROWS = 1000

Id = Annotated[str, Path(pattern="^[0-9a-f]{1,32}$")]
AppFilter = Annotated[str | None, Query(pattern="^[0-9a-f]{1,32}$", description="Id of an app; default: all.")]
RuleFilter = Annotated[str | None, Query(pattern="^[0-9a-f]{1,32}$", description="Id of a rule.")]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS)]
Cursor = Annotated[str | None, Query(max_length=100, description="`next` of the page before.")]


@contextmanager
def refusals(prefix: str) -> Iterator[None]:
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


class Seen:
    """What a caller may see."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def apps(self, caller: Caller, app: str | None) -> tuple[str, ...] | None:
        """Those of a list; None: all."""
        return caller.apps_of(app)

    def check_app(self, caller: Caller, app: str) -> None:
        """Raises RefusedError (404). Blocks."""
        if not caller.sees(app) or not self._parts.accounts.apps.exists(app):
            raise not_found("app with that id")

    @staticmethod
    def may(caller: Caller, app: str | None) -> bool:
        """Whether something of this app is there for them."""
        return app is not None and caller.sees(app)
