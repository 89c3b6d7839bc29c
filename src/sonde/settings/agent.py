"""Settings of the agent, one a host."""

from sonde.settings.setting import Setting

SERVER_URL = Setting(
    "agent", "server", str, "http://127.0.0.1:8600", "Base address of the server.", also="OTEL_EXPORTER_OTLP_ENDPOINT"
)
AGENT_TOKEN = Setting("agent", "agent_token", str, "", "App token the agent sends under.", secret=True)
AGENT_SOCKET = Setting(
    "agent", "agent_socket", str, "", "Unix socket the agent listens on. Empty: the place where probes look."
)
SKYAPM_SOCKET = Setting(
    "agent",
    "skyapm_socket",
    str,
    "",
    "Unix socket for PHP processes with SkyAPM 3, as its `skywalking.sock_path` names it. Empty: none.",
)
QUEUE_DIR = Setting(
    "agent",
    "queue_dir",
    str,
    "",
    "Folder of the disk queue. Empty: `queue` in the state folder; below it, for an agent that `sonde run` starts.",
)
QUEUE_MAX_BYTES = Setting(
    "agent",
    "queue_max_bytes",
    int,
    256 << 20,
    "Room of the disk queue. When full, the oldest batches go and are counted.",
    unit="bytes",
    at_least=1 << 20,
)
BATCH_MAX_BYTES = Setting(
    "agent", "batch_max_bytes", int, 4 << 20, "A batch is sent when it has this size,", unit="bytes", at_least=1 << 10
)
BATCH_MAX_AGE_MS = Setting("agent", "batch_max_age_ms", int, 250, "or this age.", unit="ms", at_least=1)
AGENT_COMPRESSION = Setting(
    "agent", "compression", str, "gzip", "How bodies are compressed: `gzip`, `zstd` (where Python has it) or `none`."
)
HOST_METRICS_INTERVAL_S = Setting(
    "agent", "host_metrics_interval_s", float, 10.0, "Pause between two readings of the host.", unit="s", at_least=0.2
)
TOP_PROCESSES = Setting(
    "agent",
    "top_processes",
    int,
    20,
    "Processes that are reported each minute: so many by CPU, and so many by memory. 0: none.",
    at_least=0,
    at_most=100,
)
PROCESS_COMMANDS = Setting(
    "agent",
    "process_commands",
    bool,
    default=True,
    doc="Whether their command lines are reported with them, without what looks like a secret.",
)
SETTINGS_INTERVAL_S = Setting(
    "agent",
    "settings_interval_s",
    float,
    10.0,
    "Pause between two questions to the server whether probes shall sample otherwise than configured. 0: none.",
    unit="s",
    at_least=0,
    at_most=3600,
)
AGENT_MAX_CONNECTIONS = Setting(
    "agent",
    "agent_max_connections",
    int,
    512,
    "Probes connected at the same time; one more is turned away and counted.",
    at_least=1,
    at_most=65_535,
)
AGENT_FLUSH_MS = Setting(
    "agent",
    "agent_flush_ms",
    int,
    3000,
    "The longest that a stopping agent tries to empty its queue; the rest stays on disk for the next start.",
    unit="ms",
    at_least=0,
    at_most=60_000,
)
CONTROL = Setting(
    "agent",
    "control",
    bool,
    default=True,
    doc="Keep a connection to the server, on which it may ask for tools as far as the policy allows. Off: keep none.",
)
POLICY = Setting(
    "agent",
    "policy",
    str,
    "",
    "File that says which tools the server may use on this host; without it, none. Empty: `/etc/sonde/policy.toml` for "
    "root, else `sonde/policy.toml` in `$XDG_CONFIG_HOME`.",
)
CONTROL_KEY = Setting(
    "agent",
    "control_key",
    str,
    "",
    "The server's public key, base64: jobs that it has not signed are refused. Empty: the key that the server named at "
    "the first contact.",
)
AGENT_ARTIFACTS_MAX_BYTES = Setting(
    "agent",
    "agent_artifacts_max_bytes",
    int,
    512 << 20,
    "Room on the agent's disk for what tools have made and the server has not got yet.",
    unit="bytes",
    at_least=1 << 20,
)
