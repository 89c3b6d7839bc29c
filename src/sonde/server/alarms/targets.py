"""Where a notifier may go. What a user writes makes the server call somebody: never itself, unless a setting says so.

Checked is the address that is then connected to: a name that points elsewhere a moment later changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from contextlib import closing
from typing import NamedTuple
from urllib.parse import urlsplit

from sonde.server.alarms.errors import BadNotifierError


class Target(NamedTuple):
    """Parts of an http or https address."""

    scheme: str
    host: str
    port: int
    path: str
    """With the query."""

    @property
    def host_header(self) -> str:
        """As it is sent."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


_PORTS = {"http": 80, "https": 443}


def parse_target(url: str, place: str = "url") -> Target:
    """Raises BadNotifierError, at `place`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadNotifierError(place, "is no address such as https://host/path") from None
    if parts.scheme not in _PORTS:
        raise BadNotifierError(place, "begins with http:// or https://")
    if not parts.hostname or any(ord(character) <= ord(" ") for character in url):
        raise BadNotifierError(place, "is no address such as https://host/path")
    if parts.username is not None:
        raise BadNotifierError(place, "carries a user name: say it in a header")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], path)


def check_literal(host: str, place: str, *, local_allowed: bool) -> None:
    """Raises BadNotifierError for an address of ours that is written out; names are looked up when they are used."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if host.lower().rstrip(".") == "localhost" or host.lower().endswith(".localhost"):
            _refuse_ours(ipaddress.ip_address("127.0.0.1"), place, local_allowed=local_allowed)
        return
    _refuse_ours(address, place, local_allowed=local_allowed)


def addresses(host: str, port: int, place: str, *, local_allowed: bool) -> list[str]:
    """Those to connect to, in order. Raises OSError for a name that nobody knows, BadNotifierError for one of ours."""
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for text in found:
        _refuse_ours(ipaddress.ip_address(text.partition("%")[0]), place, local_allowed=local_allowed)
    return list(dict.fromkeys(found))


def _refuse_ours(address: ipaddress.IPv4Address | ipaddress.IPv6Address, place: str, *, local_allowed: bool) -> None:
    mapped = getattr(address, "ipv4_mapped", None)
    told = mapped or address
    if told.is_multicast or told.is_unspecified or told.is_link_local:
        raise BadNotifierError(place, f"{told} is nobody's address")  # 169.254.169.254 tells clouds' secrets
    if not local_allowed and (told.is_loopback or _is_of_this_machine(told)):
        problem = f"{told} is this server itself; the setting alarm_local_targets allows it"
        raise BadNotifierError(place, problem)


def _is_of_this_machine(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """What can be bound to is ours."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True
