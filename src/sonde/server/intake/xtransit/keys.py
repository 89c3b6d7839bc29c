"""What xprofiler's figures are called in our tables: OpenTelemetry's name where there is one, else `xprofiler.<key>`.

Sources: xprofiler 3.1.0's log lines; https://opentelemetry.io/docs/specs/semconv/runtime/v8js-metrics/ and
…/system/process-metrics/. Each figure is stored once; who asks by xprofiler's own word finds it by `stored`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

SPACE = "v8js.heap.space.name"
STATUS = "http.response.status_code"
THREAD = "thread.id"
PREFIX = "xprofiler."
RESPONSES = PREFIX + "http_responses"
"""Responses by status code: `res__200` and so on."""
Group = Literal["cpu", "memory", "gc", "uv", "http", ""]
Kind = Literal["gauge", "delta", "cumulative"]


class Stored(NamedTuple):
    """Where a figure is. `kind`: a value as of now, a count since the last report, or one since the process began."""

    name: str
    unit: str
    kind: Kind
    group: Group
    """Figures of one group come in one line of the process's log, all or none."""
    attributes: dict[str, str | int]


_SPACE = re.compile(r"(new|old|code|map|lo|read_only|new_lo|code_lo)_space_(size|used|available|committed)")
_SPACES = {"lo": "large_object_space", "new_lo": "new_large_object_space", "code_lo": "code_large_object_space"}
_OF_SPACE = {
    "size": "v8js.memory.heap.limit",
    "used": "v8js.memory.heap.used",
    "available": "v8js.memory.heap.space.available_size",
    "committed": "v8js.memory.heap.space.physical_size",
}
_RESPONSE = re.compile(r"res__(\d{3})")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,99}")
_MEMORY = frozenset(
    {
        "heap_used",
        "heap_available",
        "heap_total",
        "heap_limit",
        "heap_executeable",
        "total_physical_size",
        "malloced_memory",
        "amount_of_external_allocated_memory",
    }
)
_GC_TOTALS = frozenset(
    {"total_gc_duration", "total_scavange_duration", "total_marksweep_duration", "total_incremental_marking_duration"}
)
_GC_LAST = frozenset(
    {
        "gc_time_during_last_record",
        "scavange_duration_last_record",
        "marksweep_duration_last_record",
        "incremental_marking_duration_last_record",
    }
)
_HTTP = {
    "live_http_request": "{request}",
    "http_response_close": "{response}",
    "http_response_sent": "{response}",
    "http_request_timeout": "{request}",
}


@lru_cache(maxsize=4096)
def stored(key: str) -> Stored | None:
    """Where the figure `key` is; None for what is no name of a figure. Agents may send keys of their owners."""
    if found := _SPACE.fullmatch(key):
        name = _SPACES.get(found[1], f"{found[1]}_space")
        return Stored(_OF_SPACE[found[2]], "By", "gauge", "memory", {SPACE: name})
    if found := _RESPONSE.fullmatch(key):
        return Stored(RESPONSES, "{response}", "delta", "http", {STATUS: int(found[1])})
    if key == "rss":
        return Stored("process.memory.usage", "By", "gauge", "memory", {})
    if key == "uptime":
        return Stored("process.uptime", "s", "gauge", "gc", {})
    if _KEY.fullmatch(key) is None:
        return None
    name = PREFIX + key
    if key.startswith("cpu_"):
        return Stored(name, "%", "gauge", "cpu", {})
    if key in _MEMORY:
        return Stored(name, "By", "gauge", "memory", {})
    if key == "total_gc_times":
        return Stored(name, "{gc}", "cumulative", "gc", {})
    if key in _GC_TOTALS:
        return Stored(name, "ms", "cumulative", "gc", {})
    if key in _GC_LAST:
        return Stored(name, "ms", "delta", "gc", {})
    if key in _HTTP:
        return Stored(name, _HTTP[key], "delta", "http", {})
    if key == "http_rt":
        return Stored(name, "ms", "gauge", "http", {})
    if key == "http_patch_timeout":
        return Stored(name, "s", "gauge", "http", {})
    if key.startswith("active_") and key.endswith("handles"):
        return Stored(name, "{handle}", "gauge", "uv", {})
    return Stored(name, "1", "gauge", "", {})
