"""Rules to start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.server.reports.alarms import AlarmRuleDocument, AlarmTemplate

if TYPE_CHECKING:
    from sonde.server.reports.language import Language

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


_CHINESE = {
    "error-rate": ("请求失败", "服务超过 5 % 的请求失败，持续两分钟。"),
    "p95-unusual": ("比平时慢", "服务的 95 分位延迟远高于过去七天同一时刻。"),
    "no-data": ("没有请求了", "过去一天有过请求的服务已经十分钟没有请求。"),
    "dead-agent": ("agent 失联", "过去一天上报过的主机，其 agent 已经三分钟没有上报。"),
    "disk-full": ("磁盘将满", "主机上最满的磁盘使用率超过 90 %。"),
    "apdex-low": ("用户在等待", "服务的 Apdex 低于 0.85，持续五分钟。"),
    "new-errors": ("错误频繁出现", "同一类型的错误五分钟内出现超过 50 次。"),
}
"""Title and description, by id."""
_SAID = {(name, "en"): (title, text) for name, title, text, _ in _TEMPLATES} | {
    (name, "zh"): said for name, said in _CHINESE.items()
}
_TITLES: dict[str, str] = {title: name for (name, _), (title, _) in _SAID.items()}
_DESCRIPTIONS: dict[str, str] = {text: name for (name, _), (_, text) in _SAID.items()}


def templates(language: Language = "en") -> list[AlarmTemplate]:
    """In the order in which they are offered."""
    found = []
    for name, _, _, rule in _TEMPLATES:
        title, text = _SAID[name, language]
        document = AlarmRuleDocument.model_validate({"name": title, "description": text, **rule})
        found.append(AlarmTemplate(id=name, title=title, description=text, rule=document))
    return found


def title_in(language: Language, title: str) -> str:
    """A rule's name; one that came with its template, in that language."""
    name = _TITLES.get(title)
    return _SAID[name, language][0] if name else title


def description_in(language: Language, text: str) -> str:
    """Likewise its description."""
    name = _DESCRIPTIONS.get(text)
    return _SAID[name, language][1] if name else text
