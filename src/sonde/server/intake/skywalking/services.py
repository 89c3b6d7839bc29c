"""Names of the gRPC services and what their methods take. Newer agents put a package before a service's name, SkyAPM's
for PHP do not; so whatever was ever called without one is known by both names.

Source: the services of https://github.com/apache/skywalking-data-collect-protocol and its Compat files.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

V3, V10, BARE = "skywalking.v3.", "skywalking.v10.", ""


class Kind(StrEnum):
    """What a message is, and the word for it in counters."""

    SEGMENT = "segment"
    SEGMENTS = "segments"
    PROPERTIES = "properties"
    KEEP_ALIVE = "keep_alive"
    METER = "meter"
    METERS = "meters"
    LOG = "log"
    EVENT = "event"
    JVM = "jvm"
    CLR = "clr"
    PROFILE_QUERY = "profile_query"
    PROFILE_SNAPSHOT = "profile_snapshot"
    PROFILE_FINISH = "profile_finish"
    CONFIGURATION = "configuration"
    BROWSER_PERF = "browser_perf"
    BROWSER_ERROR = "browser_error"
    COUNTED = "counted"
    """Taken and counted, and nothing else: there is no place for it yet."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service: under which packages, and the kind of message that each method takes."""

    packages: tuple[str, ...]
    methods: dict[str, Kind]


SERVICES = {
    "TraceSegmentReportService": Service((V3, BARE), {"collect": Kind.SEGMENT, "collectInSync": Kind.SEGMENTS}),
    "ManagementService": Service(
        (V3, BARE), {"reportInstanceProperties": Kind.PROPERTIES, "keepAlive": Kind.KEEP_ALIVE}
    ),
    "MeterReportService": Service((V3, BARE), {"collect": Kind.METER, "collectBatch": Kind.METERS}),
    "LogReportService": Service((V3,), {"collect": Kind.LOG}),
    "ProfileTask": Service(
        (V3, BARE),
        {
            "getProfileTaskCommands": Kind.PROFILE_QUERY,
            "collectSnapshot": Kind.PROFILE_SNAPSHOT,
            "reportTaskFinish": Kind.PROFILE_FINISH,
            "goProfileReport": Kind.COUNTED,
        },
    ),
    "JVMMetricReportService": Service((V3, BARE), {"collect": Kind.JVM}),
    "CLRMetricReportService": Service((V3, BARE), {"collect": Kind.CLR}),
    "ConfigurationDiscoveryService": Service((V3,), {"fetchConfigurations": Kind.CONFIGURATION}),
    "EventService": Service((V3,), {"collect": Kind.EVENT}),
    "SpanAttachedEventReportService": Service((V3,), {"collect": Kind.COUNTED}),
    "BrowserPerfService": Service(
        (V3, BARE),
        {
            "collectPerfData": Kind.BROWSER_PERF,
            "collectErrorLogs": Kind.BROWSER_ERROR,
            "collectWebVitalsPerfData": Kind.COUNTED,
            "collectResourcePerfData": Kind.COUNTED,
            "collectWebInteractionsPerfData": Kind.COUNTED,
        },
    ),
    "PprofTask": Service((V10,), {"getPprofTaskCommands": Kind.COUNTED}),
    "AsyncProfilerTask": Service((V10,), {"collect": Kind.COUNTED, "getAsyncProfilerTaskCommands": Kind.COUNTED}),
}

PATHS = {
    f"/{package}{name}/{method}": kind
    for name, service in SERVICES.items()
    for package in service.packages
    for method, kind in service.methods.items()
}
"""Every method that is answered with Commands, by the path of its call."""

PPROF_UPLOAD = f"/{V10}PprofTask/collect"
"""The one that answers each message: the agent asks whether it may send its file. Nobody has asked for one."""
