"""Gentle, endless load for the shop: customers who look around, order now and then, and visit the odd corners.

python demo/load.py http://127.0.0.1:8000 [--rate 20] [--seed 1] [--requests N]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

MAX_WAITING = 20
"""Requests under way. Past this, new ones are left out: a slow shop is not buried."""

PRODUCTS = range(1, 13)


class Customers:
    """What one of them does next, in proportions of a quiet shop."""

    def __init__(self, client: httpx.AsyncClient, dice: random.Random) -> None:
        self._client = client
        self._dice = dice
        self._last_order = 1
        self.answers: Counter[str] = Counter()
        """By status, or by the name of the error."""
        self._actions: dict[Callable[[], Coroutine[None, None, None]], float] = {
            lambda: self._get("/"): 18,
            lambda: self._get("/products"): 20,
            lambda: self._get(f"/products/{dice.choice(PRODUCTS)}"): 26,
            self._order: 12,
            lambda: self._get(f"/orders/{dice.randint(max(1, self._last_order - 50), self._last_order)}"): 8,
            lambda: self._get(f"/customers/customer-{dice.randint(1, 40)}/orders"): 5,
            lambda: self._get("/flaky"): 5,
            lambda: self._get("/leaky"): 3,
            lambda: self._get("/products/404"): 1,
            lambda: self._get("/reports/slow"): 1.2,
            lambda: self._get("/blocking"): 0.8,
        }

    async def act(self) -> None:
        """One request."""
        (action,) = self._dice.choices(list(self._actions), list(self._actions.values()))
        try:
            await action()
        except httpx.HTTPError as error:
            self.answers[type(error).__name__] += 1

    async def _get(self, path: str) -> None:
        self.answers[str((await self._client.get(path)).status_code)] += 1

    async def _order(self) -> None:
        items = [
            {"product_id": number, "quantity": self._dice.randint(1, 3)}
            for number in self._dice.sample(PRODUCTS, self._dice.randint(1, 3))
        ]
        order = {"customer": f"customer-{self._dice.randint(1, 40)}", "items": items}
        answer = await self._client.post("/orders", json=order)
        self.answers[str(answer.status_code)] += 1
        if answer.is_success:
            self._last_order = answer.json()["id"]


async def load(url: str, rate: float, seed: int, requests: int | None) -> Counter[str]:
    """Requests at `rate` a second with natural irregularity, until `requests` are made or the task is cancelled."""
    dice = random.Random(seed)
    waiting: set[asyncio.Task[None]] = set()
    limits = httpx.Limits(max_connections=MAX_WAITING, max_keepalive_connections=MAX_WAITING)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=20) as client:
        customers = Customers(client, dice)
        made, due = 0, time.monotonic()
        try:
            while requests is None or made < requests:
                due += dice.expovariate(rate)
                await asyncio.sleep(due - time.monotonic())
                made += 1
                if len(waiting) >= MAX_WAITING:
                    customers.answers["left-out"] += 1
                    due = time.monotonic()  # not to be caught up with
                    continue
                task = asyncio.create_task(customers.act())
                waiting.add(task)
                task.add_done_callback(waiting.discard)
            await asyncio.gather(*waiting)
        except asyncio.CancelledError:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        return customers.answers


def main() -> None:
    """Ends at SIGTERM or Ctrl-C; says how the shop answered."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, default=20, help="requests a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--requests", type=int, help="end after this many")
    arguments = parser.parse_args()

    async def until_told() -> Counter[str]:
        task = asyncio.create_task(load(arguments.url, arguments.rate, arguments.seed, arguments.requests))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await task

    answers = asyncio.run(until_told())
    print(" ".join(f"{answer}={count}" for answer, count in sorted(answers.items())), file=sys.stderr)


if __name__ == "__main__":
    main()
