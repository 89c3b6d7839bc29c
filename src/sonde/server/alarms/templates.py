"""Rules to start from."""

from __future__ import annotations

from sonde.server.reports.alarms import AlarmRuleDocument, AlarmTemplate

_TEMPLATES = (
    (
        "error-rate",
        "Requests fail",
        "More than 5 % of a service's requests fail, for two minutes.",
        {
            "severity": "critical",
            "what": {"kind": "statistic", "statistic": "error_rate"},
            "group_by": ["service"],
            "window_s": 300,
            "condition": {"op": ">", "threshold": 0.05, "recovery_threshold": 0.03, "for_s": 120, "requests_least": 20},
        },
    ),
    (
        "p95-unusual",
        "Slower than usual",
        "The 95th percentile of a service is far above that of the same hour of the last seven days.",
        {
            "severity": "warning",
            "what": {"kind": "statistic", "statistic": "p95_ms"},
            "group_by": ["service"],
            "window_s": 300,
            "condition": {
                "op": ">",
                "baseline": {"every": "day", "periods": 7, "k": 4.0, "floor": 20.0, "floor_ratio": 0.1},
                "for_s": 300,
                "requests_least": 20,
            },
        },
    ),
    (
        "no-data",
        "No requests any more",
        "A service that had requests in the last day has had none for ten minutes.",
        {
            "severity": "warning",
            "what": {"kind": "no_data", "signal": "requests"},
            "group_by": ["service"],
            "condition": {"op": ">", "threshold": 600},
        },
    ),
    (
        "dead-agent",
        "An agent is silent",
        "The agent of a host that reported in the last day has been silent for three minutes.",
        {
            "severity": "critical",
            "what": {"kind": "agent"},
            "condition": {"op": ">", "threshold": 180},
        },
    ),
    (
        "disk-full",
        "A disk is nearly full",
        "The fullest disk of a host is more than 90 % full.",
        {
            "severity": "warning",
            "what": {"kind": "host", "figure": "disk_used"},
            "window_s": 300,
            "condition": {"op": ">", "threshold": 0.9, "recovery_threshold": 0.88, "for_s": 300},
        },
    ),
    (
        "apdex-low",
        "Users wait",
        "The Apdex of a service is below 0.85 for five minutes.",
        {
            "severity": "warning",
            "what": {"kind": "statistic", "statistic": "apdex"},
            "group_by": ["service"],
            "window_s": 300,
            "condition": {"op": "<", "threshold": 0.85, "recovery_threshold": 0.9, "for_s": 300, "requests_least": 20},
        },
    ),
    (
        "new-errors",
        "An error comes often",
        "An error of one type comes more than 50 times in five minutes.",
        {
            "severity": "warning",
            "what": {"kind": "errors"},
            "group_by": ["service", "error_type"],
            "window_s": 300,
            "condition": {"op": ">", "threshold": 50},
        },
    ),
)


def templates() -> list[AlarmTemplate]:
    """In the order in which they are offered."""
    return [
        AlarmTemplate(
            id=name,
            title=title,
            description=text,
            rule=AlarmRuleDocument.model_validate({"name": title, "description": text, **rule}),
        )
        for name, title, text, rule in _TEMPLATES
    ]
