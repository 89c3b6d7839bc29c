"""What a callable of the user's is called. Nothing of the user's is called to find out."""

from __future__ import annotations

import types
from contextvars import Context
from functools import partial

_ENDPOINT = "function"
"""The name of that argument."""
BOUND = (types.BuiltinMethodType, types.MethodType)


def name_of(called: object) -> str:
    """Qualified name of the function that a call leads to, through partials, contexts and what a framework puts around
    plain endpoints; of an object that is called, its class's. Empty: there is none.
    """
    while type(called) is partial:
        inner = called.func
        if _runs_in_context(inner) and called.args:
            called = called.args[0]
        elif _runs_an_endpoint(inner) and _ENDPOINT in called.keywords:
            called = called.keywords[_ENDPOINT]
        else:
            called = inner
    if type(called) in (types.FunctionType, *BOUND):
        return str(called.__qualname__)  # type: ignore[attr-defined]
    return "" if called is None else type(called).__qualname__


def _runs_an_endpoint(function: object) -> bool:
    """Whether it is what FastAPI has a thread call in the place of a plain endpoint, which is its argument then."""
    return (
        type(function) is types.FunctionType
        and function.__name__ == "_run_sync_endpoint"
        and str(function.__module__).startswith("fastapi.")
    )


def _runs_in_context(function: object) -> bool:
    """Whether it is the `run` of a context, as asyncio.to_thread has it called."""
    return (
        type(function) is types.BuiltinMethodType and type(function.__self__) is Context and function.__name__ == "run"
    )
