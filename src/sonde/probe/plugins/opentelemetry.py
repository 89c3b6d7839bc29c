"""OpenTelemetry: what is instrumented for its API makes spans of ours: those that the program starts itself, and those
of OpenTelemetry's instrumentation libraries. Where one of our plugins has the span of a call already, the
instrumentation's is left out.

Records what the program and its instrumentation libraries say: names, kinds, attributes, events, links, exceptions.
What they must not say, a query string or a literal in a statement, is theirs to keep back. Never records by itself.

Only while the program has set no TracerProvider: its own wins, whenever it sets one. The setting `otel_bridge` switches
it off. The propagators stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins import beside, options
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from sonde.probe.plugins.plugin import Wrapper

_TRACER = "_sonde_tracer"


class Bridge:
    """Whether OpenTelemetry's API and our recorder know of each other. There is one, `bridge`."""

    def __init__(self) -> None:
        self.current: ModuleType | None = None
        """`sonde.probe.otel.current` while their current span and ours are kept one."""
        self.superseded = False
        """The program has set a provider."""
        self._by_hand = False

    def open(self, *, by_hand: bool) -> None:
        """Keep the current spans one. `by_hand`: whatever provider the program has."""
        from sonde.probe.otel import current

        self._by_hand |= by_hand
        self._keep_one(current)

    def look(self) -> None:
        """The program may have set a provider."""
        from opentelemetry import trace

        # Not by their function: it loads the provider that an environment variable names, and everything with it.
        self.superseded = getattr(trace, "_TRACER_PROVIDER", None) is not None
        if not self.superseded:
            self.open(by_hand=False)
        elif not self._by_hand:
            self._keep_one(None)

    def _keep_one(self, current: ModuleType | None) -> None:
        self.current = current
        if core.NATIVE:
            core.show(*((None, None) if current is None else (current.Attached, current.SHOWN)))

    def stand_in(self, proxy: Any) -> Any:
        """Our tracer in place of one that waits for a provider; None where there is one."""
        if self.superseded:
            return None
        ours = beside.kept(proxy, _TRACER)
        if ours is None:
            from sonde.probe.otel.tracer import StandIn

            ours = StandIn(proxy)
            beside.keep(proxy, _TRACER, ours)
        return ours


bridge = Bridge()


def set_tracer_provider(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Whether the program has a provider of its own."""
    bridge.look()

    def call(*args: Any, **kwargs: Any) -> Any:
        answer = wrapped(*args, **kwargs)
        try:
            bridge.look()
        except Exception:
            fault("opentelemetry.set_tracer_provider")
        return answer

    return call


def proxied(name: str) -> Wrapper:
    """A method of the tracers that wait for a provider, which is never set in most programs.

    Their provider is left in its place: libraries look at it to see whether anybody wants their spans, and go to some
    expense if so.
    """

    def wrapper(wrapped: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            tracer = None
            try:
                tracer = bridge.stand_in(self)
            except Exception:
                fault("opentelemetry.ProxyTracer")
            return wrapped(self, *args, **kwargs) if tracer is None else getattr(tracer, name)(*args, **kwargs)

        return call

    return wrapper


# By methods of the class, not by the functions of their module, which others import by name.
def attach(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """What becomes current with them."""

    def call(self: Any, context: Any) -> Any:
        current = bridge.current
        return wrapped(self, context) if current is None else current.attach(wrapped, self, context)

    return call


def get_current(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """What is current with them."""

    def call(self: Any) -> Any:
        current = bridge.current
        return wrapped(self) if current is None else current.get_current(wrapped, self)

    # Libraries ask several times a request, most of them for something else than a span.
    return core.if_newer(wrapped, call) if core.NATIVE else call


def detach(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """What was current before."""

    def call(self: Any, token: Any) -> Any:
        # Also when they no longer are one: a token of ours may be on its way.
        theirs = getattr(token, "theirs", None)
        return wrapped(self, token) if theirs is None else token.detach(wrapped, self)

    return call


_CONTEXT = "opentelemetry.context.contextvars_context:ContextVarsRuntimeContext"
_KEPT_ONE: dict[str, Wrapper] = {
    f"{_CONTEXT}.attach": attach,
    f"{_CONTEXT}.detach": detach,
    f"{_CONTEXT}.get_current": get_current,
}
_STANDING_IN: dict[str, Wrapper] = {
    "opentelemetry.trace:ProxyTracer.start_as_current_span": proxied("start_as_current_span"),
    "opentelemetry.trace:ProxyTracer.start_span": proxied("start_span"),
    # Where all ways to set one meet.
    "opentelemetry.trace:_set_tracer_provider": set_tracer_provider,
}

PLUGIN = Plugin(
    library="opentelemetry-api",
    supports=">=1.15,<2",
    points=_KEPT_ONE | (_STANDING_IN if options.otel_bridge else {}),
)
