"""The ports beside the main one: one row each. Where nobody asked for it, a taken one is no reason not to start."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sonde import settings
from sonde.server.supervision.ports import PortError, listen, own_address, reserve, shown_address

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping

    from sonde.settings import Setting, Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SecondPort:
    """What is spoken there, and whose socket it is."""

    row: Setting[int]
    """-1 there: none."""
    protocol: str
    flag: str
    """How the web process hears of it: as descriptor of the listening socket, or as host:port where it is reserved."""
    reserved: bool = False
    scheme: str = "http"

    @property
    def option(self) -> str:
        """Of `sonde up`, which chooses the port."""
        return self.row.name.replace("_", "-")

    def open(self, values: Settings) -> socket.socket | None:
        """None where it is switched off, or taken without having been chosen. Raises PortError."""
        port = values[self.row]
        if port < 0:
            return None
        try:
            return (reserve if self.reserved else listen)(values[settings.HOST], port, self.option)
        except PortError as error:
            if values.chosen(self.row):
                raise
            log.warning("%s; there is no port for %s", error, self.protocol)
            return None


OTLP_HTTP = SecondPort(settings.OTLP_PORT, "OTLP/HTTP", "--listen-otlp")
OTLP_GRPC = SecondPort(settings.OTLP_GRPC_PORT, "OTLP/gRPC", "--otlp-grpc", reserved=True)
SKYWALKING_GRPC = SecondPort(settings.SKYWALKING_GRPC_PORT, "SkyWalking/gRPC", "--skywalking-grpc", reserved=True)
SKYWALKING_HTTP = SecondPort(settings.SKYWALKING_HTTP_PORT, "SkyWalking/HTTP", "--listen-skywalking")
XTRANSIT = SecondPort(settings.XTRANSIT_PORT, "xtransit", "--listen-xtransit", scheme="ws")
SECOND_PORTS = (OTLP_HTTP, OTLP_GRPC, SKYWALKING_GRPC, SKYWALKING_HTTP, XTRANSIT)


class SecondPorts:
    """Those that are open."""

    def __init__(self, values: Settings) -> None:
        """Raises PortError."""
        self._open: dict[SecondPort, socket.socket] = {}
        with ExitStack() as opened:
            for port in SECOND_PORTS:
                bound = port.open(values)
                if bound is not None:
                    self._open[port] = opened.enter_context(bound)
            self._until_exit = opened.pop_all()

    def arguments(self) -> list[str]:
        """For the web process."""
        return [word for port, bound in self._open.items() for word in (port.flag, _told(port, bound))]

    def inherited(self) -> list[int]:
        """Descriptors that the web process needs for them."""
        return [bound.fileno() for port, bound in self._open.items() if not port.reserved]

    def said(self) -> Iterator[str]:
        """For the user: each protocol and where it is spoken."""
        for port, bound in self._open.items():
            address = shown_address(bound) if port.reserved else f"{port.scheme}://{shown_address(bound)}"
            yield f"{port.protocol} at {address}"

    def for_xtransit(self, keys: Mapping[str, str]) -> Iterator[str]:
        """What to set for easy-monitor's agents; nothing where there is no port for them. `keys`: `app`, `secret`."""
        if XTRANSIT in self._open and "app" in keys:
            yield "what to set for xtransit:"
            yield f"  XTRANSIT_SERVER={XTRANSIT.scheme}://{shown_address(self._open[XTRANSIT])}"
            yield f"  EZM_APP_ID={keys['app']}"
            yield f"  EZM_APP_SECRET={keys['secret']}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._until_exit.close()


def _told(port: SecondPort, bound: socket.socket) -> str:
    return own_address(bound) if port.reserved else str(bound.fileno())
