"""Settings of the probe, which is inside the user's processes."""

from sonde.settings.setting import Setting

ENABLED = Setting(
    "probe",
    "enabled",
    bool,
    default=False,
    doc="Master switch. `sonde run` sets it; with the installed `.pth` it starts the probe in any Python process.",
)
SERVICE = Setting(
    "probe", "service", str, "", "Name of the service. Empty: made from the server's address.", also="OTEL_SERVICE_NAME"
)
RESOURCE_ATTRIBUTES = Setting(
    "probe",
    "resource_attributes",
    str,
    "",
    "More attributes of the process, `key=value,key=value`, percent-encoded.",
    also="OTEL_RESOURCE_ATTRIBUTES",
)
SOCKET = Setting(
    "probe",
    "socket",
    str,
    "",
    "Unix socket of the host's agent. Empty: `/run/sonde/agent.sock` for root, else under `$XDG_RUNTIME_DIR`.",
)
FLUSH_INTERVAL_MS = Setting(
    "probe",
    "flush_interval_ms",
    int,
    100,
    "Pause between two looks of the sender at the rings.",
    unit="ms",
    at_least=5,
    at_most=10_000,
)
RING_BYTES = Setting(
    "probe",
    "ring_bytes",
    int,
    1 << 20,
    "Room for finished spans of one thread. When full, spans are dropped and counted.",
    unit="bytes",
    at_least=1 << 14,
    at_most=1 << 28,
)
EXIT_FLUSH_MS = Setting(
    "probe",
    "exit_flush_ms",
    int,
    500,
    "The longest that process exit waits for unsent spans.",
    unit="ms",
    at_least=0,
    at_most=30_000,
)
PROBE_CORE = Setting(
    "probe",
    "core",
    str,
    "auto",
    "Which span recorder runs: `native`, `python`, or `auto`, the native one where it works.",
)
PLUGINS_OFF = Setting("probe", "plugins_off", str, "", "Plugins not to use, by library name, separated by commas.")
OTEL_BRIDGE = Setting(
    "probe",
    "otel_bridge",
    bool,
    default=True,
    doc="Be OpenTelemetry's tracer provider in programs that set none: what is instrumented for OpenTelemetry makes "
    "spans of ours.",
)
RECORD_SQL = Setting(
    "probe",
    "record_sql",
    str,
    "masked",
    "What a database span keeps of its statement: `masked` (literals become `?`), `full` or `off`. Messages of "
    "a database's errors keep their values with `full` only.",
)
WEBSOCKET_MESSAGES = Setting(
    "probe",
    "websocket_messages",
    bool,
    default=True,
    doc="Make each message of a WebSocket connection a span. Without, they are counted on the connection's.",
)
MAX_VALUE_BYTES = Setting(
    "probe",
    "max_value_bytes",
    int,
    1024,
    "An attribute's text is cut to this length.",
    unit="bytes",
    at_least=64,
    at_most=65_535,
)
SAMPLING_RATE = Setting(
    "probe",
    "sampling_rate",
    float,
    100.0,
    "Part of the traces that are recorded. The others are counted, so statistics stay exact; requests that fail or are "
    "slow are kept whole all the same.",
    unit="%",
    at_least=0,
    at_most=100,
)
SLOW_MS = Setting(
    "probe",
    "slow_ms",
    float,
    1000.0,
    "From this duration on, a request is slow and kept at any sampling rate. 0: none is.",
    unit="ms",
    at_least=0,
)
SAMPLING_FOLLOWS_PARENT = Setting(
    "probe",
    "sampling_follows_parent",
    bool,
    default=True,
    doc="Where the caller has decided whether its trace is recorded, do the same. Off: `sampling_rate` alone decides.",
)
PROPAGATORS = Setting(
    "probe",
    "propagators",
    str,
    "tracecontext,baggage",
    "Headers that outgoing requests get: `tracecontext`, `baggage`, `sw8`, `b3`, `b3multi`, separated by commas. All "
    "of them are read. A trace that came by `sw8` goes on by it, too.",
    also="OTEL_PROPAGATORS",
)
RUNTIME_METRICS_INTERVAL_S = Setting(
    "probe",
    "runtime_metrics_interval_s",
    float,
    10.0,
    "Pause between two reports on the interpreter: requests, collections, threads, loops.",
    unit="s",
    at_least=0.1,
    at_most=3600,
)
POOL_WAIT_THRESHOLD_MS = Setting(
    "probe",
    "pool_wait_threshold_ms",
    float,
    10.0,
    "A task of a request that waits so long until a thread of a pool takes it is told on the time axis of the trace. "
    "0: none is.",
    unit="ms",
    at_least=0,
    at_most=60_000,
)
STALLS_THRESHOLD_MS = Setting(
    "probe",
    "stalls_threshold_ms",
    float,
    0.0,
    "Watch event loops all the time, and tell of each that is blocked for so long, with the line and the cause. 0: "
    "only while the tool `stalls` runs.",
    unit="ms",
    at_least=0,
    at_most=60_000,
)
SYSCALLS_THRESHOLD_MS = Setting(
    "probe",
    "syscalls_threshold_ms",
    float,
    0.0,
    "Time system calls all the time, and tell of each that takes so long, with its line. 0: only while the tool "
    "`syscalls` runs.",
    unit="ms",
    at_least=0,
    at_most=60_000,
)
SHIP_LOGS = Setting(
    "probe",
    "ship_logs",
    str,
    "off",
    "From which level on the records of the standard logging module go to the server, too: `off`, `debug`, `info`, "
    "`warning`, `error` or `critical`.",
)
IGNORE_PATHS = Setting(
    "probe",
    "ignore_paths",
    str,
    "",
    "Requests to these paths are not recorded, nor what happens in them: `/healthz,/static/*`, separated by commas.",
)
URL_TEMPLATES = Setting(
    "probe",
    "url_templates",
    int,
    1000,
    "Names that one process learns for requests without a route (`/user/1` is `/user/{id}`). More are `{other}`.",
    at_least=1,
    at_most=100_000,
)
PROBE_TOKEN = Setting(
    "probe", "token", str, "", "App token this process sends under. Empty: the agent's own.", secret=True
)
LEAK_LOG = Setting(
    "probe",
    "leak_log",
    str,
    "",
    "File that `sonde.track_leaks` appends to, see `sonde leaks`. Empty: `leaks.log` in the state folder.",
)
LEAK_LOG_MAX_BYTES = Setting(
    "probe",
    "leak_log_max_bytes",
    int,
    16 << 20,
    "Room of the leak log, together with the one before it, `leaks.log.1`.",
    unit="bytes",
    at_least=1 << 14,
)
PROBE_DEBUG = Setting(
    "probe",
    "debug",
    bool,
    default=False,
    doc="Let faults of the probe be seen: they are raised instead of counted. For tests of the probe.",
)
