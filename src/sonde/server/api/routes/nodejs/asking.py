"""What the addresses of Node.js have in common."""

from collections.abc import Awaitable
from typing import TypeVar

from sonde.server.api.access import Caller
from sonde.server.api.failures import RefusedError, not_found
from sonde.server.nodejs.errors import AgentAwayError, BadWishError, NoAnswerError, RefusedByAgentError
from sonde.server.nodejs.files import TooManyFilesError

T = TypeVar("T")
MOST_ROWS = 1000


def check_app(caller: Caller, app: str) -> None:
    """Raises RefusedError (404)."""
    if not caller.sees(app):
        raise not_found("app with that id")


async def asked(work: Awaitable[T]) -> T:
    """What an agent was asked for, or our way of saying why not."""
    try:
        return await work
    except AgentAwayError as error:
        raise RefusedError(409, "not_connected", str(error)) from None
    except RefusedByAgentError as error:
        raise RefusedError(409, "refused_by_agent", str(error)) from None
    except NoAnswerError as error:
        raise RefusedError(504, "no_answer", str(error)) from None
    except BadWishError as error:
        raise RefusedError(400, "bad_request", str(error)) from None
    except TooManyFilesError:
        raise RefusedError(409, "too_many_files", "the app has too many files; delete some") from None
