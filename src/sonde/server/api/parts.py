"""What routes stand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sonde.server.accounts.accounts import Accounts
    from sonde.server.alarms.alarms import Alarms
    from sonde.server.api.access import Access
    from sonde.server.api.answers import Answers
    from sonde.server.api.workers import Workers
    from sonde.server.control.control import Control
    from sonde.server.insight.live_hub import LiveHub
    from sonde.server.intake.hints import Hints
    from sonde.server.nodejs.nodejs import Nodejs
    from sonde.server.store.client import StoreClient


@dataclass(frozen=True, slots=True)
class Parts:
    """Made once, by the web process. Each kind of work that blocks has its own threads: nobody who logs in waits for a
    slow query, and passwords, which take 64 MiB each, are checked one at a time.
    """

    accounts: Accounts
    access: Access
    store: StoreClient
    """With names as the rules of the apps have them. Asking may also block for the accounts."""
    recorded: StoreClient
    """The same with names as they came in: for rules themselves, and for programs that are told apart by them."""
    answers: Answers
    own_answers: Answers
    """Where the store is not asked: a store that is slow or stands still keeps nobody from these."""
    store_workers: Workers
    account_workers: Workers
    login_workers: Workers
    test_workers: Workers
    """For messages that are sent to try a notifier: who takes them may be slow, or away."""
    control: Control
    hints: Hints
    ports: Mapping[str, int | None]
    """Where other protocols are spoken, by name."""
    skywalking_app: str
    nodejs: Nodejs
    alarms: Alarms
    live: LiveHub
    apdex_t_ms: int
    cookie_secure: bool
    embed_origins: str
    """Whose pages may show a shared dashboard in a frame, as CSP writes them."""
