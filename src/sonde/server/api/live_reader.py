"""How the live hub asks the store: in the threads of all other questions, with failures it can tell its viewers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.server.api.failures import RefusedError
from sonde.server.insight.live_hub import CannotReadError
from sonde.server.store.errors import StoreError, StoreUnavailable
from sonde.server.store.queries import live

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sonde.server.api.workers import Workers
    from sonde.server.insight.live_reading import Question, Reading
    from sonde.server.store.client import StoreClient


def live_reader(store: StoreClient, workers: Workers) -> Callable[[Question], Awaitable[Reading]]:
    """The `read` of a LiveHub."""

    async def read(question: Question) -> Reading:
        try:
            return await workers(live.read, store, question)
        except RefusedError as refused:
            raise CannotReadError("busy", str(refused)) from refused
        except StoreUnavailable as error:
            raise CannotReadError("unavailable", "the store does not answer; it may be starting") from error
        except StoreError as error:
            raise CannotReadError("store_error", f"the store refused the query: {error.name}") from error

    return read
