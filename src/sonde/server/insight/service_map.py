"""The map: services, what they call, and who calls in.

Pure assembly of what the store has merged already. An edge's target is a service where one is known to answer at the
peer, else the peer itself, drawn as database, cache, messaging or external by its system.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sonde.server.reports.service_map import MapEdge, MapNode, OtherEnd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sonde.server.insight.figures import Sums
    from sonde.server.reports.service_map import KnownBy, NodeType

CLIENT = "client"
"""The one node for everybody outside."""

CACHES = frozenset({"redis", "memcached", "memcache", "valkey", "keydb", "dragonfly", "hazelcast", "cache"})
NOT_DATABASES = frozenset(
    {"", "http", "grpc", "connect_rpc", "apache_dubbo", "dotnet_wcf", "java_rmi", "jsonrpc", "aws-api", "rpc", "yar"}
)


def peer_type(system: str, kind: str) -> NodeType:
    """What sort of thing a peer of this system is. `kind`: of the span that talks to it."""
    if kind in {"producer", "consumer"}:
        return "messaging"
    if system in CACHES:
        return "cache"
    return "external" if system in NOT_DATABASES else "database"


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of a service of `app` to one target, or (`kind` consumer) what it takes from one."""

    app: str
    service: str
    kind: str
    system: str
    peer: str
    target: str
    """Service that answers at the peer; empty where none is known."""
    known_by: KnownBy
    sums: Sums

    @property
    def peer_id(self) -> str:
        """Id of the node at the other end."""
        if self.target:
            return service_id(self.app, self.target)
        return peer_id(self.peer, peer_type(self.system, self.kind))


@dataclass(frozen=True, slots=True)
class Hops:
    """Calls of which both ends were seen. `sums`: as the callee says; durations of callers and lags all together."""

    sums: Sums
    caller_ns: int
    lag_ns: int
    is_message: bool

    @property
    def waiting_ns(self) -> int:
        """What passed between both ends: of a call its duration there less that here, of a message the time until its
        consumer began. Never less than nothing, whatever two clocks say.
        """
        return self.lag_ns if self.is_message else max(0, self.caller_ns - self.sums.sum_ns)

    def other_end(self) -> OtherEnd:
        """As the map tells it."""
        share = self.waiting_ns / self.caller_ns if self.caller_ns and not self.is_message else None
        return OtherEnd(
            **_numbers(self.sums), waiting_ms=self.waiting_ns / self.sums.requests / 1e6, waiting_share=share
        )


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests to a service of `app`; `from_outside` are those server requests that have no parent."""

    app: str
    service: str
    sums: Sums
    from_outside: Sums
    is_server: bool


def service_id(app: str, service: str) -> str:
    """Id of a service's node."""
    return f"service:{app}/{service}"


def peer_id(peer: str, of_type: str) -> str:
    """Id of the node of a peer that is no service of ours."""
    return f"{of_type}:{peer}"


@dataclass(slots=True)
class _Nodes:
    """Nodes by id; the one who comes first says what it is."""

    by_id: dict[str, MapNode] = field(default_factory=dict)

    def add(self, node_id: str, name: str, node_type: NodeType, system: str, sums: Sums) -> None:
        if node_id not in self.by_id:
            self.by_id[node_id] = MapNode(id=node_id, name=name, type=node_type, system=system, **_numbers(sums))


def assemble(
    requests: Sequence[Requests],
    calls: Sequence[Calls],
    peers: Mapping[str, Sums],
    outside: Sums,
    hops: Mapping[tuple[str, str], Hops],
) -> tuple[list[MapNode], list[MapEdge]]:
    """Nodes and edges. `peers`: what all calls to a peer amount to, by its node's id; `outside`: all that comes in;
    `hops`: what the other end says, by the ids of both nodes.
    """
    nodes = _Nodes()
    edges: list[MapEdge] = []
    called = {call.peer_id for call in calls if call.target}
    for served in requests:
        node_id = service_id(served.app, served.service)
        nodes.add(node_id, served.service, "service", "", served.sums)
        from_outside = served.from_outside
        if served.is_server and not from_outside.requests and node_id not in called:
            from_outside = served.sums  # somebody who propagates a context and is not traced by us, e.g. a proxy
        if from_outside.requests:
            nodes.add(CLIENT, CLIENT, "client", "", outside)
            edges.append(MapEdge(source=CLIENT, target=node_id, **_numbers(from_outside)))
    for call in calls:
        caller = service_id(call.app, call.service)
        nodes.add(caller, call.service, "service", "", replace(call.sums, requests=0, errors=0, max_ns=0))
        if not call.target:
            nodes.add(call.peer_id, call.peer, peer_type(call.system, call.kind), call.system, peers[call.peer_id])
        elif call.peer_id not in nodes.by_id:
            nodes.add(call.peer_id, call.target, "service", "", call.sums)
        ends = (call.peer_id, caller) if call.kind == "consumer" else (caller, call.peer_id)
        seen = hops.get(ends)
        edges.append(
            MapEdge(
                source=ends[0],
                target=ends[1],
                **_numbers(call.sums),
                is_message=call.kind in {"producer", "consumer"},
                known_by=call.known_by,
                other_end=seen.other_end() if seen is not None and seen.sums.requests else None,
            )
        )
    return list(nodes.by_id.values()), edges


def _numbers(sums: Sums) -> dict[str, Any]:
    return {
        "requests": sums.requests,
        "errors": sums.errors,
        "average_ms": sums.average_ms,
        "p95_ms": sums.percentile_ms(1),
    }
