"""Settings of the server's figures, and of the alarms on them."""

from sonde.settings.setting import Setting

APDEX_T_MS = Setting(
    "server",
    "apdex_t_ms",
    int,
    500,
    "Apdex threshold T: an answer within T satisfies, within 4 T is tolerated.",
    unit="ms",
    at_least=1,
)
ALARM_DELAY_S = Setting(
    "server",
    "alarm_delay_s",
    float,
    15.0,
    "A slot of 30 s is judged so long after its end: longer than data take to come.",
    unit="s",
    at_least=0,
    at_most=600,
)
ALARM_LOCAL_TARGETS = Setting(
    "server",
    "alarm_local_targets",
    bool,
    default=False,
    doc="Whether notifiers of alarms may call this machine itself.",
)
