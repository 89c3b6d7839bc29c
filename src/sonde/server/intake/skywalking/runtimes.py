"""JVM and CLR figures as metrics, by the names of OpenTelemetry's conventions where they have one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.server.intake.skywalking.skywalking_pb2 import GCPhase, PoolType

if TYPE_CHECKING:
    from sonde.server.intake.skywalking.metrics import Figures
    from sonde.server.intake.skywalking.skywalking_pb2 import CLRMetric, JVMMetric, Memory, MemoryPool

_PERCENT = 0.01
_STATES = {
    "runnable": "runnableStateThreadCount",
    "blocked": "blockedStateThreadCount",
    "waiting": "waitingStateThreadCount",
    "timed_waiting": "timedWaitingStateThreadCount",
}


def jvm(metric: JVMMetric, time_ns: int, figures: Figures) -> None:
    """Once a second and process."""
    if metric.HasField("cpu"):
        figures.gauge("jvm.cpu.recent_utilization", "1", metric.cpu.usagePercent * _PERCENT, time_ns)
    for memory in metric.memory:
        _memory(memory, {"jvm.memory.type": "heap" if memory.isHeap else "non_heap"}, time_ns, figures)
    for pool in metric.memoryPool:
        _memory(pool, {"jvm.memory.pool.name": _name(PoolType, pool.type)}, time_ns, figures)
    for gc in metric.gc:
        phase = {"jvm.gc.phase": _name(GCPhase, gc.phase)}
        figures.delta("jvm.gc.count", "{collection}", gc.count, time_ns, phase)
        figures.delta("jvm.gc.time", "ms", gc.time, time_ns, phase)
    if metric.HasField("thread"):
        threads = metric.thread
        figures.gauge("jvm.thread.live", "{thread}", threads.liveCount, time_ns)
        figures.gauge("jvm.thread.peak", "{thread}", threads.peakCount, time_ns)
        figures.gauge("jvm.thread.daemon", "{thread}", threads.daemonCount, time_ns)
        for state, field in _STATES.items():
            figures.gauge("jvm.thread.count", "{thread}", getattr(threads, field), time_ns, {"jvm.thread.state": state})
    if metric.HasField("clazz"):
        classes = metric.clazz
        figures.gauge("jvm.class.count", "{class}", classes.loadedClassCount, time_ns)
        figures.total("jvm.class.loaded", "{class}", classes.totalLoadedClassCount, time_ns)
        figures.total("jvm.class.unloaded", "{class}", classes.totalUnloadedClassCount, time_ns)


def _memory(memory: Memory | MemoryPool, attributes: dict[str, str], time_ns: int, figures: Figures) -> None:
    sizes = {
        "jvm.memory.init": memory.init,
        "jvm.memory.used": memory.used,
        "jvm.memory.committed": memory.committed,
        "jvm.memory.limit": memory.max,
    }
    for name, size in sizes.items():
        if size >= 0:  # -1: there is no limit
            figures.gauge(name, "By", size, time_ns, attributes)


def clr(metric: CLRMetric, time_ns: int, figures: Figures) -> None:
    """Once a second and process."""
    if metric.HasField("cpu"):
        figures.gauge("dotnet.process.cpu.utilization", "1", metric.cpu.usagePercent * _PERCENT, time_ns)
    if metric.HasField("gc"):
        gc = metric.gc
        for at, count in enumerate((gc.Gen0CollectCount, gc.Gen1CollectCount, gc.Gen2CollectCount)):
            generation = {"dotnet.gc.heap.generation": f"gen{at}"}
            figures.gauge("dotnet.gc.collections", "{collection}", count, time_ns, generation)
        figures.gauge("dotnet.gc.heap.size", "By", gc.HeapMemory, time_ns)
    if metric.HasField("thread"):
        threads = metric.thread
        kinds = {
            "worker": (threads.MaxWorkerThreads, threads.AvailableWorkerThreads),
            "completion_port": (threads.MaxCompletionPortThreads, threads.AvailableCompletionPortThreads),
        }
        for kind, (most, available) in kinds.items():
            attributes = {"dotnet.thread_pool.thread.kind": kind}
            figures.gauge("dotnet.thread_pool.thread.limit", "{thread}", most, time_ns, attributes)
            figures.gauge("dotnet.thread_pool.thread.available", "{thread}", available, time_ns, attributes)


def _name(enum: type[PoolType | GCPhase], number: int) -> str:
    """The enum's word in small letters; a newer agent's unknown one is its number."""
    values = enum.DESCRIPTOR.values_by_number
    return values[number].name.removesuffix("_USAGE").lower() if number in values else str(number)
