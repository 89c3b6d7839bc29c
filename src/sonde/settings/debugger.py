"""Settings of the agents' connections to the server, and of what the debugger's jobs leave there."""

from sonde.settings.setting import Setting

ARTIFACT_MAX_BYTES = Setting(
    "server",
    "artifact_max_bytes",
    int,
    256 << 20,
    "Room for the artifacts of one job; a job that makes more fails.",
    unit="bytes",
    at_least=1 << 10,
)
ARTIFACTS_MAX_BYTES = Setting(
    "server",
    "artifacts_max_bytes",
    int,
    8 << 30,
    "Room for the artifacts of all jobs. When full, jobs that make artifacts fail.",
    unit="bytes",
    at_least=1 << 10,
)
CONTROL_HEARTBEAT_S = Setting(
    "server",
    "control_heartbeat_s",
    float,
    10.0,
    "Pause between two heartbeats on an agent's connection. After six that were missed the other side is given up.",
    unit="s",
    at_least=0.1,
    at_most=300,
)
