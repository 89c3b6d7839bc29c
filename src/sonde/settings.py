"""Every setting of every part, one row each: name, type, unit, default, what it does, whether it is a secret.

Nobody else reads the environment. The value of a setting is the first found of: what the caller passed (a command's
flag), `SONDE_<NAME>`, the standard OpenTelemetry variable where there is one, `sonde.toml` (`[part] name = …`), the
default.

Each process with a probe imports this while it starts: so it has no dataclasses, and pathlib, tomllib and typing are
imported where they are needed.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing's own would cost an import of typing
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any, Generic, TypeVar

    T = TypeVar("T", bool, int, float, str)
else:
    T = None
    Generic = {T: object}  # what stands for it while the program runs

MASK = "********"
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


class SettingError(ValueError):
    """A setting has a value it cannot have. The message names the setting, the value and where it came from."""


class Setting(Generic[T]):
    """One row. `part` is who reads it, `name` its name in `sonde.toml` and, as `SONDE_<NAME>`, in the environment."""

    __slots__ = ("also", "at_least", "at_most", "default", "doc", "name", "part", "secret", "type", "unit")

    def __init__(
        self,
        part: str,
        name: str,
        type_: type[T],
        default: T,
        doc: str,
        unit: str = "",
        secret: bool = False,
        at_least: float | None = None,
        at_most: float | None = None,
        also: str = "",
    ) -> None:
        self.part = part
        self.name = name
        self.type: type[T] = type_
        self.default: T = default
        self.doc = doc
        self.unit = unit
        self.secret = secret
        self.at_least = at_least
        self.at_most = at_most
        self.also = also
        """A standard environment variable that is honoured too, e.g. OTEL_SERVICE_NAME."""

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return f"SONDE_{self.name.upper()}"

    def parse(self, raw: Any, origin: str) -> T:
        """The value `raw` stands for. Raises SettingError, naming `origin`, where it stands for none."""
        try:
            value: T = _as_bool(raw) if self.type is bool else self.type(raw)
        except (TypeError, ValueError):
            shown = MASK if self.secret else repr(raw)
            raise SettingError(f"{self.name}: {origin} says {shown}, which is no {self.type.__name__}") from None
        if isinstance(value, int | float):
            if self.at_least is not None and value < self.at_least:
                raise SettingError(f"{self.name}: {origin} says {value}, the least is {self.at_least}")
            if self.at_most is not None and value > self.at_most:
                raise SettingError(f"{self.name}: {origin} says {value}, the most is {self.at_most}")
        return value


def _as_bool(raw: object) -> bool:
    text = str(raw).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(text)


_rows: list[Setting[Any]] = []


def _row(part: str, name: str, type_: type[T], default: T, doc: str, **more: Any) -> Setting[T]:
    row = Setting(part, name, type_, default, doc, **more)
    _rows.append(row)
    return row


def rows() -> Iterator[Setting[Any]]:
    """Every setting, in the order of the documentation page."""
    return iter(_rows)


class Settings:
    """Where values come from, asked once per setting: `settings[SPOOL_MAX_BYTES]`.

    `given` is what the caller passed, by setting name; None in it means "not passed".
    """

    def __init__(
        self,
        given: Mapping[str, object] | None = None,
        environ: Mapping[str, str] | None = None,
        file: Path | None = None,
    ) -> None:
        self._given = {name: value for name, value in (given or {}).items() if value is not None}
        self._environ = os.environ if environ is None else environ
        self._file: dict[str, dict[str, Any]] = {}
        named = file or self._environ.get("SONDE_CONFIG")
        self._path = str(named) if named else "sonde.toml"
        if named or os.path.isfile(self._path):  # noqa: PTH113 - for pathlib's sake
            import tomllib  # noqa: PLC0415 - the probe reads settings in each process, a file in few

            try:
                with open(self._path, "rb") as opened:  # noqa: PTH123
                    self._file = tomllib.load(opened)
            except (OSError, ValueError) as error:
                raise SettingError(f"the settings file {self._path} cannot be read: {error}") from None

    def __getitem__(self, setting: Setting[T]) -> T:
        """The value of `setting`. Raises SettingError for a value it cannot have."""
        if setting.name in self._given:
            return setting.parse(self._given[setting.name], "the caller")
        for variable in (setting.variable, setting.also):
            if variable and (raw := self._environ.get(variable)) is not None:
                return setting.parse(raw, variable)
        part = self._file.get(setting.part, {})
        if setting.name in part:
            return setting.parse(part[setting.name], self._path)
        return setting.default

    def chosen(self, setting: Setting[Any]) -> bool:
        """Whether somebody said a value, even if it is the default's."""
        return (
            setting.name in self._given
            or any(variable in self._environ for variable in (setting.variable, setting.also) if variable)
            or setting.name in self._file.get(setting.part, {})
        )

    def environment(self) -> dict[str, str]:
        """The environment of a child that shall see the same values: ours, and what the caller passed."""
        passed = {row.variable: str(self._given[row.name]) for row in rows() if row.name in self._given}
        return {**self._environ, **passed}

    def shown(self, setting: Setting[T]) -> T | str:
        """The value for a page or a log: a secret that is set is masked."""
        value = self[setting]
        return MASK if setting.secret and value else value


def state_home(environ: Mapping[str, str] | None = None) -> Path:
    """The folder for what a part keeps when nobody named one."""
    from pathlib import Path  # noqa: PLC0415 - the probe keeps nothing

    environ = os.environ if environ is None else environ
    if os.geteuid() == 0:
        return Path("/var/lib/sonde")
    return Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "sonde"


def default_agent_socket(environ: Mapping[str, str] | None = None) -> str:
    """Where the host's agent listens and every probe of the same user looks for it."""
    environ = os.environ if environ is None else environ
    if os.geteuid() == 0:
        return "/run/sonde/agent.sock"
    runtime = environ.get("XDG_RUNTIME_DIR")
    return f"{runtime}/sonde/agent.sock" if runtime else f"/tmp/sonde-{os.geteuid()}/agent.sock"  # noqa: S108 - the folder is made 0700


def default_policy(environ: Mapping[str, str] | None = None) -> str:
    """Where the agent's policy is when nobody named a file."""
    environ = os.environ if environ is None else environ
    if os.geteuid() == 0:
        return "/etc/sonde/policy.toml"
    return f"{environ.get('XDG_CONFIG_HOME') or os.path.expanduser('~/.config')}/sonde/policy.toml"  # noqa: PTH111 - likewise


# -- probe ------------------------------------------------------------------------------------------------------------
ENABLED = _row(
    "probe",
    "enabled",
    bool,
    default=False,
    doc="Master switch. `sonde run` sets it; with the installed `.pth` it starts the probe in any Python process.",
)
SERVICE = _row(
    "probe", "service", str, "", "Name of the service. Empty: made from the server's address.", also="OTEL_SERVICE_NAME"
)
RESOURCE_ATTRIBUTES = _row(
    "probe",
    "resource_attributes",
    str,
    "",
    "More attributes of the process, `key=value,key=value`, percent-encoded.",
    also="OTEL_RESOURCE_ATTRIBUTES",
)
SOCKET = _row(
    "probe",
    "socket",
    str,
    "",
    "Unix socket of the host's agent. Empty: `/run/sonde/agent.sock` for root, else under `$XDG_RUNTIME_DIR`.",
)
FLUSH_INTERVAL_MS = _row(
    "probe",
    "flush_interval_ms",
    int,
    100,
    "Pause between two looks of the sender at the rings.",
    unit="ms",
    at_least=5,
    at_most=10_000,
)
RING_BYTES = _row(
    "probe",
    "ring_bytes",
    int,
    1 << 20,
    "Room for finished spans of one thread. When full, spans are dropped and counted.",
    unit="bytes",
    at_least=1 << 14,
    at_most=1 << 28,
)
EXIT_FLUSH_MS = _row(
    "probe",
    "exit_flush_ms",
    int,
    500,
    "The longest that process exit waits for unsent spans.",
    unit="ms",
    at_least=0,
    at_most=30_000,
)
PROBE_CORE = _row(
    "probe",
    "core",
    str,
    "auto",
    "Which span recorder runs: `native`, `python`, or `auto`, the native one where it works.",
)
PLUGINS_OFF = _row("probe", "plugins_off", str, "", "Plugins not to use, by library name, separated by commas.")
OTEL_BRIDGE = _row(
    "probe",
    "otel_bridge",
    bool,
    default=True,
    doc="Be OpenTelemetry's tracer provider in programs that set none: what is instrumented for OpenTelemetry makes "
    "spans of ours.",
)
RECORD_SQL = _row(
    "probe",
    "record_sql",
    str,
    "masked",
    "What a database span keeps of its statement: `masked` (literals become `?`), `full` or `off`. Messages of "
    "a database's errors keep their values with `full` only.",
)
WEBSOCKET_MESSAGES = _row(
    "probe",
    "websocket_messages",
    bool,
    default=True,
    doc="Make each message of a WebSocket connection a span. Without, they are counted on the connection's.",
)
MAX_VALUE_BYTES = _row(
    "probe",
    "max_value_bytes",
    int,
    1024,
    "An attribute's text is cut to this length.",
    unit="bytes",
    at_least=64,
    at_most=65_535,
)
SAMPLING_RATE = _row(
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
SLOW_MS = _row(
    "probe",
    "slow_ms",
    float,
    1000.0,
    "From this duration on, a request is slow and kept at any sampling rate. 0: none is.",
    unit="ms",
    at_least=0,
)
SAMPLING_FOLLOWS_PARENT = _row(
    "probe",
    "sampling_follows_parent",
    bool,
    default=True,
    doc="Where the caller has decided whether its trace is recorded, do the same. Off: `sampling_rate` alone decides.",
)
PROPAGATORS = _row(
    "probe",
    "propagators",
    str,
    "tracecontext,baggage",
    "Headers that outgoing requests get: `tracecontext`, `baggage`, `sw8`, `b3`, `b3multi`, separated by commas. All "
    "of them are read. A trace that came by `sw8` goes on by it, too.",
    also="OTEL_PROPAGATORS",
)
RUNTIME_METRICS_INTERVAL_S = _row(
    "probe",
    "runtime_metrics_interval_s",
    float,
    10.0,
    "Pause between two reports on the interpreter: requests, collections, threads, loops.",
    unit="s",
    at_least=0.1,
    at_most=3600,
)
POOL_WAIT_THRESHOLD_MS = _row(
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
STALLS_THRESHOLD_MS = _row(
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
SYSCALLS_THRESHOLD_MS = _row(
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
SHIP_LOGS = _row(
    "probe",
    "ship_logs",
    str,
    "off",
    "From which level on the records of the standard logging module go to the server, too: `off`, `debug`, `info`, "
    "`warning`, `error` or `critical`.",
)
IGNORE_PATHS = _row(
    "probe",
    "ignore_paths",
    str,
    "",
    "Requests to these paths are not recorded, nor what happens in them: `/healthz,/static/*`, separated by commas.",
)
URL_TEMPLATES = _row(
    "probe",
    "url_templates",
    int,
    1000,
    "Names that one process learns for requests without a route (`/user/1` is `/user/{id}`). More are `{other}`.",
    at_least=1,
    at_most=100_000,
)
PROBE_TOKEN = _row(
    "probe", "token", str, "", "App token this process sends under. Empty: the agent's own.", secret=True
)
LEAK_LOG = _row(
    "probe",
    "leak_log",
    str,
    "",
    "File that `sonde.track_leaks` appends to, see `sonde leaks`. Empty: `leaks.log` in the state folder.",
)
LEAK_LOG_MAX_BYTES = _row(
    "probe",
    "leak_log_max_bytes",
    int,
    16 << 20,
    "Room of the leak log, together with the one before it, `leaks.log.1`.",
    unit="bytes",
    at_least=1 << 14,
)
PROBE_DEBUG = _row(
    "probe",
    "debug",
    bool,
    default=False,
    doc="Let faults of the probe be seen: they are raised instead of counted. For tests of the probe.",
)

# -- agent ------------------------------------------------------------------------------------------------------------
SERVER_URL = _row(
    "agent", "server", str, "http://127.0.0.1:8600", "Base address of the server.", also="OTEL_EXPORTER_OTLP_ENDPOINT"
)
AGENT_TOKEN = _row("agent", "agent_token", str, "", "App token the agent sends under.", secret=True)
AGENT_SOCKET = _row(
    "agent", "agent_socket", str, "", "Unix socket the agent listens on. Empty: the place where probes look."
)
SKYAPM_SOCKET = _row(
    "agent",
    "skyapm_socket",
    str,
    "",
    "Unix socket for PHP processes with SkyAPM 3, as its `skywalking.sock_path` names it. Empty: none.",
)
QUEUE_DIR = _row(
    "agent",
    "queue_dir",
    str,
    "",
    "Folder of the disk queue. Empty: `queue` in the state folder; below it, for an agent that `sonde run` starts.",
)
QUEUE_MAX_BYTES = _row(
    "agent",
    "queue_max_bytes",
    int,
    256 << 20,
    "Room of the disk queue. When full, the oldest batches go and are counted.",
    unit="bytes",
    at_least=1 << 20,
)
BATCH_MAX_BYTES = _row(
    "agent", "batch_max_bytes", int, 4 << 20, "A batch is sent when it has this size,", unit="bytes", at_least=1 << 10
)
BATCH_MAX_AGE_MS = _row("agent", "batch_max_age_ms", int, 250, "or this age.", unit="ms", at_least=1)
AGENT_COMPRESSION = _row(
    "agent", "compression", str, "gzip", "How bodies are compressed: `gzip`, `zstd` (where Python has it) or `none`."
)
HOST_METRICS_INTERVAL_S = _row(
    "agent", "host_metrics_interval_s", float, 10.0, "Pause between two readings of the host.", unit="s", at_least=0.2
)
TOP_PROCESSES = _row(
    "agent",
    "top_processes",
    int,
    20,
    "Processes that are reported each minute: so many by CPU, and so many by memory. 0: none.",
    at_least=0,
    at_most=100,
)
PROCESS_COMMANDS = _row(
    "agent",
    "process_commands",
    bool,
    default=True,
    doc="Whether their command lines are reported with them, without what looks like a secret.",
)
SETTINGS_INTERVAL_S = _row(
    "agent",
    "settings_interval_s",
    float,
    10.0,
    "Pause between two questions to the server whether probes shall sample otherwise than configured. 0: none.",
    unit="s",
    at_least=0,
    at_most=3600,
)
AGENT_MAX_CONNECTIONS = _row(
    "agent",
    "agent_max_connections",
    int,
    512,
    "Probes connected at the same time; one more is turned away and counted.",
    at_least=1,
    at_most=65_535,
)
AGENT_FLUSH_MS = _row(
    "agent",
    "agent_flush_ms",
    int,
    3000,
    "The longest that a stopping agent tries to empty its queue; the rest stays on disk for the next start.",
    unit="ms",
    at_least=0,
    at_most=60_000,
)
CONTROL = _row(
    "agent",
    "control",
    bool,
    default=True,
    doc="Keep a connection to the server, on which it may ask for tools as far as the policy allows. Off: keep none.",
)
POLICY = _row(
    "agent",
    "policy",
    str,
    "",
    "File that says which tools the server may use on this host; without it, none. Empty: `/etc/sonde/policy.toml` for "
    "root, else `sonde/policy.toml` in `$XDG_CONFIG_HOME`.",
)
CONTROL_KEY = _row(
    "agent",
    "control_key",
    str,
    "",
    "The server's public key, base64: jobs that it has not signed are refused. Empty: the key that the server named at "
    "the first contact.",
)
AGENT_ARTIFACTS_MAX_BYTES = _row(
    "agent",
    "agent_artifacts_max_bytes",
    int,
    512 << 20,
    "Room on the agent's disk for what tools have made and the server has not got yet.",
    unit="bytes",
    at_least=1 << 20,
)

# -- server -----------------------------------------------------------------------------------------------------------
DATA_DIR = _row("server", "data", str, "", "Folder of everything the server keeps. Empty: the state folder.")
HOST = _row("server", "host", str, "127.0.0.1", "Address the server listens on.")
PORT = _row("server", "port", int, 8600, "Port of console, API and OTLP/HTTP.", at_least=0, at_most=65_535)
OTLP_PORT = _row(
    "server",
    "otlp_port",
    int,
    4318,
    "Second port for OTLP/HTTP, where SDKs look by default. -1: none.",
    at_least=-1,
    at_most=65_535,
)
OTLP_GRPC_PORT = _row(
    "server",
    "otlp_grpc_port",
    int,
    4317,
    "Port for OTLP/gRPC, where SDKs look by default. -1: none.",
    at_least=-1,
    at_most=65_535,
)
SKYWALKING_GRPC_PORT = _row(
    "server",
    "skywalking_grpc_port",
    int,
    11800,
    "Port for SkyWalking's agents over gRPC, where they look by default. -1: none.",
    at_least=-1,
    at_most=65_535,
)
SKYWALKING_HTTP_PORT = _row(
    "server",
    "skywalking_http_port",
    int,
    12800,
    "Port for SkyWalking's agents over HTTP, and for OTLP/HTTP as SkyWalking has it. -1: none.",
    at_least=-1,
    at_most=65_535,
)
SKYWALKING_APP = _row(
    "server",
    "skywalking_app",
    str,
    "",
    "Name or id of the app that SkyWalking's agents without a token belong to. Empty: they are refused.",
)
XTRANSIT_PORT = _row(
    "server",
    "xtransit_port",
    int,
    9190,
    "Port of the WebSocket for easy-monitor's xtransit, where it looks by default. -1: none.",
    at_least=-1,
    at_most=65_535,
)
XTRANSIT_UPLOAD_URL = _row(
    "server",
    "xtransit_upload_url",
    str,
    "",
    "Address to which xtransit agents send files, where they reach the console at another one than the WebSocket: "
    "`https://sonde.example.org`. Empty: the host that the agent connected to, with the port of the console.",
)
XTRANSIT_MAX_FRAME_BYTES = _row(
    "server",
    "xtransit_max_frame_bytes",
    int,
    16 << 20,
    "An xtransit agent that sends a larger message, such as a lock file, is disconnected.",
    unit="bytes",
    at_least=1 << 16,
)
NODEJS_FILE_MAX_BYTES = _row(
    "server",
    "nodejs_file_max_bytes",
    int,
    4 << 30,
    "A larger profile, snapshot or core of a Node.js process, before or after decompression, is refused.",
    unit="bytes",
    at_least=1 << 10,
)
NODEJS_FILES_MAX_BYTES = _row(
    "server",
    "nodejs_files_max_bytes",
    int,
    20 << 30,
    "Room for all files of Node.js processes. When full, more are refused until somebody deletes some.",
    unit="bytes",
    at_least=1 << 10,
)
STORE_URL = _row(
    "server",
    "store_url",
    str,
    "",
    "A ClickHouse to use instead of the embedded engine, `http://user:password@host:8123/database`.",
    secret=True,
)
METADATA_URL = _row(
    "server",
    "metadata_url",
    str,
    "",
    "SQLAlchemy address of the metadata. Empty: SQLite in the data folder.",
    secret=True,
)
STORE_PORT = _row(
    "server",
    "store_port",
    int,
    -1,
    "TCP port on which the embedded store answers read-only SQL in ClickHouse's HTTP dialect. -1: none.",
    at_least=-1,
    at_most=65_535,
)
STORE_PASSWORD = _row("server", "store_password", str, "", "Password of the user `sql` on that port.", secret=True)
STORE_MEMORY_BYTES = _row(
    "server",
    "store_memory_bytes",
    int,
    1 << 30,
    "Memory limit of the embedded engine.",
    unit="bytes",
    at_least=256 << 20,
)
INTAKE_MAX_BODY_BYTES = _row(
    "server",
    "intake_max_body_bytes",
    int,
    64 << 20,
    "A larger OTLP body, before or after decompression, is refused: with 413, over gRPC with RESOURCE_EXHAUSTED.",
    unit="bytes",
    at_least=1 << 10,
)
SPOOL_MAX_BYTES = _row(
    "server",
    "spool_max_bytes",
    int,
    4 << 30,
    "Room for accepted data that is not stored yet. When full, intake answers 503.",
    unit="bytes",
    at_least=1 << 20,
)
SPOOL_MIN_FREE_BYTES = _row(
    "server",
    "spool_min_free_bytes",
    int,
    256 << 20,
    "Intake answers 503 while the disk of the spool has less free.",
    unit="bytes",
    at_least=0,
)
SPOOL_FILE_MAX_AGE_MS = _row(
    "server", "spool_file_max_age_ms", int, 500, "A spool file is loaded when it has this age,", unit="ms", at_least=10
)
SPOOL_FILE_MAX_BYTES = _row(
    "server", "spool_file_max_bytes", int, 20 << 20, "or this size.", unit="bytes", at_least=1 << 10
)
SPOOL_KEEP_S = _row(
    "server",
    "spool_keep_s",
    int,
    300,
    "How long a loaded spool file is kept: against power loss, and to know a body that is sent again.",
    unit="s",
    at_least=0,
)
RETENTION_SPANS_DAYS = _row(
    "server", "retention_spans_days", int, 7, "Days that spans are kept.", unit="days", at_least=1
)
RETENTION_ROLLUPS_DAYS = _row(
    "server", "retention_rollups_days", int, 90, "Days that statistics are kept.", unit="days", at_least=1
)
RETENTION_METRICS_DAYS = _row(
    "server", "retention_metrics_days", int, 30, "Days that metrics are kept.", unit="days", at_least=1
)
RETENTION_LOGS_DAYS = _row(
    "server", "retention_logs_days", int, 7, "Days that log records are kept.", unit="days", at_least=1
)
RETENTION_JOBS_DAYS = _row(
    "server",
    "retention_jobs_days",
    int,
    30,
    "Days that jobs of the debugger and their artifacts are kept.",
    unit="days",
    at_least=1,
)
ARTIFACT_MAX_BYTES = _row(
    "server",
    "artifact_max_bytes",
    int,
    256 << 20,
    "Room for the artifacts of one job; a job that makes more fails.",
    unit="bytes",
    at_least=1 << 10,
)
ARTIFACTS_MAX_BYTES = _row(
    "server",
    "artifacts_max_bytes",
    int,
    8 << 30,
    "Room for the artifacts of all jobs. When full, jobs that make artifacts fail.",
    unit="bytes",
    at_least=1 << 10,
)
CONTROL_HEARTBEAT_S = _row(
    "server",
    "control_heartbeat_s",
    float,
    10.0,
    "Pause between two heartbeats on an agent's connection. After six that were missed the other side is given up.",
    unit="s",
    at_least=0.1,
    at_most=300,
)
APDEX_T_MS = _row(
    "server",
    "apdex_t_ms",
    int,
    500,
    "Apdex threshold T: an answer within T satisfies, within 4 T is tolerated.",
    unit="ms",
    at_least=1,
)
ALARM_DELAY_S = _row(
    "server",
    "alarm_delay_s",
    float,
    15.0,
    "A slot of 30 s is judged so long after its end: longer than data take to come.",
    unit="s",
    at_least=0,
    at_most=600,
)
ALARM_LOCAL_TARGETS = _row(
    "server",
    "alarm_local_targets",
    bool,
    default=False,
    doc="Whether notifiers of alarms may call this machine itself.",
)
CONSOLE_URL = _row(
    "server",
    "console_url",
    str,
    "",
    "Where people open the console, `https://sonde.example.org`: for links in messages. Empty: messages have none.",
)
ADMIN_PASSWORD = _row(
    "server",
    "admin_password",
    str,
    "",
    "Password of the admin made at the first start. Empty: a random one, printed once and kept in `first-login.json`.",
    secret=True,
)
SECRETS_KEY = _row(
    "server",
    "secrets_key",
    str,
    "",
    "What apps' secrets are sealed with: 32 random bytes in base64. Empty: `secrets.key` in the data folder, made when "
    "it is missing. Servers that share their metadata need the same one.",
    secret=True,
)
SESSION_HOURS = _row(
    "server", "session_hours", int, 12, "A console session ends after this time without use.", unit="hours", at_least=1
)
COOKIE_SECURE = _row(
    "server", "cookie_secure", bool, default=False, doc="Send the session cookie over HTTPS only. Turn on behind TLS."
)
EMBED_ORIGINS = _row(
    "server",
    "embed_origins",
    str,
    "",
    "Sites whose pages may show shared dashboards in a frame, such as `https://wiki.example.org`, separated by spaces. "
    "Empty: none.",
)
QUERY_TIMEOUT_S = _row(
    "server", "query_timeout_s", int, 30, "The longest a page's query may run.", unit="s", at_least=1
)
LOG_LEVEL = _row("server", "log_level", str, "info", "`debug`, `info`, `warning` or `error`.")
