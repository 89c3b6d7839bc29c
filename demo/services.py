"""How the shop's services are started: commands, environment, and where they answer. Stock first, front last."""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path

HOME = Path(__file__).parent
"""Where commands are run: `shop` is importable there."""


@dataclass(frozen=True)
class Service:
    """One service. `command` ends by SIGTERM."""

    name: str
    port: int
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self.port}"


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def shop(folder: Path) -> list[Service]:
    """The three services, in starting order. What they keep is in `folder`."""
    stock = Service("stock", port := free_port(), _uvicorn("shop.stock:app", port))
    orders_environment = {"SHOP_STOCK_URL": stock.url, "SHOP_ORDERS_DB": str(folder / "orders.sqlite")}
    orders = Service("orders", port := free_port(), _gunicorn("shop.orders:app", port), orders_environment)
    front_environment = {"SHOP_STOCK_URL": stock.url, "SHOP_ORDERS_URL": orders.url}
    front = Service("front", port := free_port(), _uvicorn("shop.front:app", port), front_environment)
    return [stock, orders, front]


def prepare_database(folder: Path) -> list[str]:
    """The command that makes the order service's database; to be run before the services."""
    return [sys.executable, "-m", "shop.orders_db", str(folder / "orders.sqlite")]


def _uvicorn(app: str, port: int) -> list[str]:
    command = [sys.executable, "-m", "uvicorn", app, "--host", "127.0.0.1", "--port", str(port)]
    return [*command, "--no-access-log", "--timeout-graceful-shutdown", "3"]


def _gunicorn(app: str, port: int) -> list[str]:
    command = [sys.executable, "-m", "gunicorn", app, "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    return [*command, "--graceful-timeout", "3", "--no-control-socket"]
