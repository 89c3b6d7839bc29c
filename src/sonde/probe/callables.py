"""What a callable of the user's is called. Nothing of the user's is called to find out."""

from __future__ import annotations

import types
from contextvars import Context
from functools import partial

BOUND = (types.BuiltinMethodType, types.MethodType)


def name_of(called: object) -> str:
    """Qualified name of the function that a call leads to, through partials and contexts; of an object that is called,
    its class's. Empty: there is none.
    """
    while type(called) is partial:
        called = called.args[0] if _runs_in_context(called.func) and called.args else called.func
    if type(called) in (types.FunctionType, *BOUND):
        return str(called.__qualname__)  # type: ignore[attr-defined]
    return "" if called is None else type(called).__qualname__


def _runs_in_context(function: object) -> bool:
    """Whether it is the `run` of a context, as asyncio.to_thread has it called."""
    return (
        type(function) is types.BuiltinMethodType and type(function.__self__) is Context and function.__name__ == "run"
    )
