"""Settings of what the server accepts and keeps: intake, spool, store, days of retention."""

from sonde.settings.setting import Setting

STORE_URL = Setting(
    "server",
    "store_url",
    str,
    "",
    "A ClickHouse to use instead of the embedded engine, `http://user:password@host:8123/database`.",
    secret=True,
)
STORE_PORT = Setting(
    "server",
    "store_port",
    int,
    -1,
    "TCP port on which the embedded store answers read-only SQL in ClickHouse's HTTP dialect. -1: none.",
    at_least=-1,
    at_most=65_535,
)
STORE_PASSWORD = Setting("server", "store_password", str, "", "Password of the user `sql` on that port.", secret=True)
STORE_MEMORY_BYTES = Setting(
    "server",
    "store_memory_bytes",
    int,
    1 << 30,
    "Memory limit of the embedded engine.",
    unit="bytes",
    at_least=256 << 20,
)
INTAKE_MAX_BODY_BYTES = Setting(
    "server",
    "intake_max_body_bytes",
    int,
    64 << 20,
    "A larger OTLP body, before or after decompression, is refused: with 413, over gRPC with RESOURCE_EXHAUSTED.",
    unit="bytes",
    at_least=1 << 10,
)
SPOOL_MAX_BYTES = Setting(
    "server",
    "spool_max_bytes",
    int,
    4 << 30,
    "Room for accepted data that is not stored yet. When full, intake answers 503.",
    unit="bytes",
    at_least=1 << 20,
)
SPOOL_MIN_FREE_BYTES = Setting(
    "server",
    "spool_min_free_bytes",
    int,
    256 << 20,
    "Intake answers 503 while the disk of the spool has less free.",
    unit="bytes",
    at_least=0,
)
SPOOL_FILE_MAX_AGE_MS = Setting(
    "server", "spool_file_max_age_ms", int, 500, "A spool file is loaded when it has this age,", unit="ms", at_least=10
)
SPOOL_FILE_MAX_BYTES = Setting(
    "server", "spool_file_max_bytes", int, 20 << 20, "or this size.", unit="bytes", at_least=1 << 10
)
SPOOL_KEEP_S = Setting(
    "server",
    "spool_keep_s",
    int,
    300,
    "How long a loaded spool file is kept: against power loss, and to know a body that is sent again.",
    unit="s",
    at_least=0,
)
RETENTION_SPANS_DAYS = Setting(
    "server", "retention_spans_days", int, 7, "Days that spans are kept.", unit="days", at_least=1
)
RETENTION_ROLLUPS_DAYS = Setting(
    "server", "retention_rollups_days", int, 90, "Days that statistics are kept.", unit="days", at_least=1
)
RETENTION_METRICS_DAYS = Setting(
    "server", "retention_metrics_days", int, 30, "Days that metrics are kept.", unit="days", at_least=1
)
RETENTION_LOGS_DAYS = Setting(
    "server", "retention_logs_days", int, 7, "Days that log records are kept.", unit="days", at_least=1
)
RETENTION_JOBS_DAYS = Setting(
    "server",
    "retention_jobs_days",
    int,
    30,
    "Days that jobs of the debugger and their artifacts are kept.",
    unit="days",
    at_least=1,
)
