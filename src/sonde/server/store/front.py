"""One request from its last byte in to its last byte out: who asks, may they, through which gate, run, answer."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from logging import getLogger
from typing import TYPE_CHECKING

from sonde.server.store.body import Body, open_spool_file
from sonde.server.store.compression import encoder
from sonde.server.store.dialect import CONCATENABLE, Call, Request, Voice, call_of, status_of, summary_of
from sonde.server.store.engine import quoted_text
from sonde.server.store.errors import StoreError, StoreUnavailable
from sonde.server.store.readers import refuse_to_readers
from sonde.server.store.running import Live, Running
from sonde.server.store.sessions import Sessions, as_before
from sonde.server.store.users import credentials_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from sonde.server.store.compression import Encoder
    from sonde.server.store.counters import Counters
    from sonde.server.store.engine import Answer, Engine, Link
    from sonde.server.store.gates import Gate
    from sonde.server.store.users import User, Users

log = getLogger(__name__)

_SHOWN_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of a connection."""

    socket: socket.socket
    local: bool
    """Over the unix socket, under our own user id."""


@dataclass(slots=True)
class Reply:
    """An answer on its way. It holds a gate's place and an engine connection until it is closed."""

    status: int
    headers: dict[str, str]
    chunks: Iterator[bytes | memoryview]
    held: ExitStack = field(default_factory=ExitStack)

    def close(self) -> None:
        """Everything is let go, sent or not."""
        self.held.close()


def plain(status: int, text: str, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer that needs no engine."""
    data = text.encode()
    head = {"Content-Type": "text/plain; charset=UTF-8", "Content-Length": str(len(data)), **(headers or {})}
    return Reply(status, head, iter((data,)))


class Front:
    """What stands between the sockets and the engine. Thread-safe."""

    def __init__(
        self,
        engine: Engine,
        *,
        users: Users,
        readers: Gate,
        loader: Gate,
        counters: Counters,
        spool: Path,
        incoming: Path,
        slow_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`spool`: the one folder X-Sonde-Spool-File reaches. `incoming`: for large bodies, on the data's disk."""
        self._engine = engine
        self._users = users
        self._gates = {True: loader, False: readers}
        self.counters = counters
        self._spool = spool
        self._incoming = incoming
        self._slow_s = slow_s
        self._clock = clock
        self._sessions = Sessions()
        self.running = Running(engine.kill, lambda: counters.add("sonde_store_killed_total"))
        self._started = clock()
        self._stopping = False

    # -- before the body ----------------------------------------------------------------------------------------------
    def admit(self, request: Request, peer: Peer) -> User | None:
        """Whoever sends `request`; None where nobody needs to be known. Raises StoreError 516."""
        if request.path != "/":
            return None
        if request.method == "GET" and "?" not in request.target:
            return None
        return self._users.admit(credentials_of(request.headers, request.parameters), local=peer.local)

    def body_for(self, user: User | None) -> Body:
        """An empty body that takes as much as `user` may send."""
        return Body(self._incoming, user.max_body_bytes if user else 0)

    # -- after the body -----------------------------------------------------------------------------------------------
    def answer(self, request: Request, user: User | None, body: Body, peer: Peer) -> Reply:
        """The reply, begun: its status is true for all but errors in the middle of a stream. Closes `body`."""
        with body:
            if user is None:
                return self._page(request, peer)
            voice = Voice(self._engine.version, self._engine.timezone)
            held = ExitStack()
            try:
                return self._carry_out(request, user, body, peer, voice, held)
            except StoreError as error:
                held.close()
                return self.refusal(error, voice)
            except BaseException:
                held.close()
                raise

    def refusal(self, error: StoreError, voice: Voice | None = None) -> Reply:
        """`error` as an answer."""
        voice = voice or Voice(self._engine.version, self._engine.timezone)
        self.counters.add("sonde_store_errors_total", code=str(error.code), name=error.name)
        text = voice.error_text(error)
        head = voice.head(**{"X-ClickHouse-Exception-Code": str(error.code), "Content-Length": str(len(text))})
        head["Content-Type"] = "text/plain; charset=UTF-8"
        if isinstance(error, StoreUnavailable):
            head["Retry-After"] = str(error.retry_after_s)
        return Reply(status_of(error), head, iter((text,)))

    def stop(self, timeout_s: float) -> bool:
        """No statement begins any more, readers are killed, writers are waited for. True if all have ended."""
        self._stopping = True
        self.running.end_readers()
        idle = self.running.wait_until_idle(timeout_s)
        if idle:
            self._sessions.close()
            self.running.close()
        return idle

    def _page(self, request: Request, peer: Peer) -> Reply:
        if request.path in {"/", "/ping"}:
            return plain(200, "Ok.\n")
        if request.path == "/replicas_status":
            return plain(200, "Ok.\n")
        if request.path == "/metrics" and peer.local:
            return plain(200, self.counters.text(self._gauges()), {"Content-Type": "text/plain; version=0.0.4"})
        return plain(404, f"There is no handle {request.path}\n")

    def _gauges(self) -> dict[str, float]:
        readers, writers = self.running.counts()
        gauges = {
            'sonde_store_running{kind="reader"}': float(readers),
            'sonde_store_running{kind="writer"}': float(writers),
            "sonde_store_sessions": float(len(self._sessions)),
            "sonde_store_uptime_seconds": self._clock() - self._started,
        }
        for gate in self._gates.values():
            label = f'{{gate="{gate.name}"}}'
            gauges[f"sonde_store_gate_inside{label}"] = gate.inside
            gauges[f"sonde_store_gate_waiting{label}"] = gate.waiting
            gauges[f"sonde_store_gate_entered_total{label}"] = gate.entered
            gauges[f"sonde_store_gate_refused_total{label}"] = gate.refused
            gauges[f"sonde_store_gate_waited_seconds_total{label}"] = gate.waited_s
        return gauges

    def _carry_out(self, request: Request, user: User, body: Body, peer: Peer, voice: Voice, held: ExitStack) -> Reply:
        if request.method not in {"GET", "POST", "HEAD"}:
            raise StoreError(48, "NOT_IMPLEMENTED", f"the method {request.method} is not known here: use GET or POST")
        call = call_of(request, body)
        voice.query_id = call.query_id
        self.counters.add("sonde_store_body_bytes_total", body.size)
        if call.spool_file and not (user.writes and peer.local):
            raise StoreError(497, "ACCESS_DENIED", "only the loader may name spool files")
        held.enter_context(self._timed(call, user))
        link = held.enter_context(self._link(call, user))
        reads = self._judge(request, call, user, link)
        live = Live(call.query_id, user.name, reads)
        held.enter_context(self.running.watched(live, peer.socket))
        if call.statement.verb != "KILL":  # it must get through when everything else is stuck
            held.enter_context(self._gates[user.writes].place())
        live.check()
        if self._stopping:
            raise StoreUnavailable(745, "SERVER_IS_SHUTTING_DOWN", "the store is stopping", retry_after_s=2)
        sql = self._sql(call, body, held)
        if reads and self._may_stream(call):
            return self._streamed(call, link, sql, live, voice, held)
        return self._whole(call, link, sql, live, voice, held)

    @contextmanager
    def _timed(self, call: Call, user: User) -> Iterator[None]:
        """Counts the statement and its time, waiting and sending included; a slow one is logged."""
        began = self._clock()
        kind = call.statement.verb if call.statement.verb in {"SELECT", "WITH", "INSERT"} else "other"
        self.counters.add("sonde_store_statements_total", user=user.name, kind=kind.lower())
        try:
            yield
        finally:
            took_s = self._clock() - began
            self.counters.add("sonde_store_seconds_total", took_s, user=user.name)
            if took_s >= self._slow_s:
                shown = " ".join(call.statement.text.decode("utf-8", "replace").split())[:_SHOWN_CHARACTERS]
                log.warning("slow statement: %.3f s, user %s, id %s: %s", took_s, user.name, call.query_id, shown)

    @contextmanager
    def _link(self, call: Call, user: User) -> Iterator[Link]:
        """An engine connection with the settings and the database of this call, and of no other."""
        with ExitStack() as held:
            if call.session_id:
                link = held.enter_context(
                    self._sessions.link(
                        user.name,
                        call.session_id,
                        lambda: self._new_link(user, {}, ""),
                        timeout_s=call.session_timeout_s,
                        must_exist=call.session_must_exist,
                    )
                )
                held.enter_context(as_before(link, call.settings))
                user.check(call.settings)
                if call.settings:
                    link.set(_assignments(call.settings))
                if call.database:
                    link.use(call.database)
            else:
                # what a reader's statement asks for itself is set before it is made read-only: then it may say it
                clause = {} if user.writes or not user.may_change_settings else call.statement.settings
                link = self._new_link(user, {**call.settings, **clause}, call.database)
                held.callback(link.close)
            yield link

    def _new_link(self, user: User, asked: Mapping[str, str], database: str) -> Link:
        user.check(asked)
        readonly = {} if user.writes else {"readonly": "1"}
        if not asked:
            return self._engine.connect({**user.settings, **readonly}, database)
        link = self._engine.connect(user.settings, database)
        try:
            link.set(_assignments({**asked, **readonly}))  # readonly forbids what would follow it
        except StoreError:
            link.close()
            raise
        return link

    def _judge(self, request: Request, call: Call, user: User, link: Link) -> bool:
        """Whether the statement only reads. Raises StoreError for what this user may not say."""
        statement = call.statement
        if statement.several:
            raise StoreError(62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)")
        reads = statement.verb != "INSERT" and link.reads_only(call.sql)
        if not user.writes:
            refuse_to_readers(statement, call.parameters, self._engine.outside, reads_only=reads)
        elif request.method != "POST" and not reads:
            message = f"{user.name}: Cannot execute query in readonly mode: send it with POST"
            raise StoreError(164, "READONLY", message)
        return reads

    def _sql(self, call: Call, body: Body, held: ExitStack) -> str:
        """What the engine is to run."""
        statement = call.statement
        if statement.takes_rows:
            return statement.reading(f"/proc/self/fd/{self._rows(call, body, held)}")
        if statement.verb == "KILL":
            ids = {known: self._engine.query_id(mark) for known, mark in self.running.marks().items()}
            return statement.with_strings({known: own for known, own in ids.items() if own})
        return call.sql

    def _rows(self, call: Call, body: Body, held: ExitStack) -> int:
        if call.spool_file:
            descriptor = open_spool_file(self._spool, call.spool_file)
        elif call.rows_at is not None:
            descriptor = body.descriptor(call.rows_at)
        else:
            with Body(self._incoming, len(call.inline_rows)) as inline:
                inline.write(call.inline_rows)
                descriptor = inline.descriptor()
        held.callback(os.close, descriptor)
        return descriptor

    def _may_stream(self, call: Call) -> bool:
        totals = any(token.word == b"TOTALS" for token in call.statement.tokens)
        return call.statement.is_query and call.output_format in CONCATENABLE and not call.whole and not totals

    def _streamed(self, call: Call, link: Link, sql: str, live: Live, voice: Voice, held: ExitStack) -> Reply:
        began = self._clock()
        pieces = link.stream(_without_end(sql), call.output_format, call.parameters, live.mark)
        held.callback(pieces.close)
        first = next(pieces, None)
        head = voice.result_head(call, summary_of(first, self._clock() - began))
        found = chain((first,) if first else (), pieces)
        return Reply(200, head, self._chunks(found, call, live, voice), held)

    def _whole(self, call: Call, link: Link, sql: str, live: Live, voice: Voice, held: ExitStack) -> Reply:
        began = self._clock()
        answer = link.run(sql, call.output_format, call.parameters, live.mark)
        live.over = True
        if call.statement.verb == "INSERT":
            self.counters.add("sonde_store_inserted_rows_total", answer.written_rows)
        head = voice.result_head(call, summary_of(answer, self._clock() - began))
        if not call.coding:
            head["Content-Length"] = str(len(answer.data))
        return Reply(200, head, self._chunks(iter((answer,)), call, live, voice), held)

    def _chunks(self, answers: Iterator[Answer], call: Call, live: Live, voice: Voice) -> Iterator[bytes | memoryview]:
        """The bytes of a result, compressed if asked for; an error in the middle is the end of them."""
        coder = encoder(call.coding) if call.coding else None
        try:
            for answer in answers:
                self.counters.add("sonde_store_result_bytes_total", len(answer.data))
                yield coder.compress(answer.data) if coder else answer.data
        except StoreError as error:
            self.counters.add("sonde_store_errors_total", code=str(error.code), name=error.name)
            yield _coded(coder, voice.error_block(error))
        live.over = True
        if coder:
            yield coder.flush()


def _coded(coder: Encoder | None, data: bytes) -> bytes:
    return coder.compress(data) if coder else data


def _assignments(settings: Mapping[str, str]) -> str:
    return ", ".join(f"{name} = {quoted_text(value)}" for name, value in settings.items())


def _without_end(sql: str) -> str:
    """The engine's streaming call takes no `;` at the end."""
    return sql.rstrip().removesuffix(";")
