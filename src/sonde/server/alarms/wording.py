"""What a message says to people, in their language: a title, and a few lines for each alarm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sonde.server.alarms.templates import description_in, title_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sonde.server.alarms.telling import Told
    from sonde.server.reports.language import Language

_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "info": "INFO",
        "warning": "WARNING",
        "critical": "CRITICAL",
        "recovered": "RECOVERED",
        "test": "TEST",
        "more": "and {count} more",
        "firing": "{count} firing",
        "over": "{count} recovered",
        "is": "{measures}: {value} {op} {threshold}",
        "silent": "{measures}: nothing for {value}",
        "since": "since {time}",
        "still": "still firing after {span}",
        "lasted": "from {time} for {span}",
        "flapping": "comes and goes",
        "no_value": "no value",
        "rule_deleted": "the rule was deleted",
        "rule_changed": "the rule was changed",
        "rule_disabled": "the rule was switched off",
        "forgotten": "not seen any more",
        "test_line": "This is a test of the notifier {name}: nothing has happened.",
    },
    "zh": {
        "info": "提示",
        "warning": "警告",
        "critical": "严重",
        "recovered": "已恢复",
        "test": "测试",
        "more": "等 {count} 条",
        "firing": "{count} 条告警",
        "over": "{count} 条已恢复",
        "is": "{measures}:{value} {op} {threshold}",
        "silent": "{measures}:已 {value} 没有数据",
        "since": "开始于 {time}",
        "still": "已持续 {span},仍未恢复",
        "lasted": "开始于 {time},持续 {span}",
        "flapping": "反复触发",
        "no_value": "无数据",
        "rule_deleted": "规则已删除",
        "rule_changed": "规则已修改",
        "rule_disabled": "规则已停用",
        "forgotten": "已不再出现",
        "test_line": "这是通知渠道 {name} 的测试消息,没有发生任何告警。",
    },
}


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. No alarms: a test."""

    notifier: str
    alarms: Sequence[Told]
    language: Language = "en"
    console_url: str = ""

    @property
    def is_test(self) -> bool:
        """It says that it is one."""
        return not self.alarms

    @property
    def firing(self) -> list[Told]:
        """What fires."""
        return [told for told in self.alarms if told.event == "fired"]

    @property
    def severity(self) -> str:
        """The worst of what fires; `recovered` where nothing does."""
        found = {told.severity for told in self.firing}
        return next((name for name in ("critical", "warning", "info") if name in found), "recovered")

    def link(self, told: Told | None = None) -> str:
        """Where the console shows it; empty where nobody said where the console is."""
        base = self.console_url.rstrip("/")
        if not base:
            return ""
        return f"{base}/alarms/history?rule_id={told.rule_id}" if told else f"{base}/alarms"


def title(message: Message) -> str:
    """One line."""
    words = _WORDS[message.language]
    if message.is_test:
        return f"[{words['test']}] {message.notifier}"
    if len(message.alarms) == 1:
        (told,) = message.alarms
        return f"[{words['recovered' if told.event == 'recovered' else told.severity]}] {name_of(message, told)}"
    firing, over = len(message.firing), len(message.alarms) - len(message.firing)
    counts = [words["firing"].format(count=firing)] * bool(firing) + [words["over"].format(count=over)] * bool(over)
    first = name_of(message, (message.firing or message.alarms)[0])
    more = words["more"].format(count=len(message.alarms) - 1)
    return f"[{', '.join(counts)}] {first} {more}"


def name_of(message: Message, told: Told) -> str:
    """The rule, and which of its groups. Of a rule that is called as its template is: in the receiver's language."""
    said = ", ".join(f"{key}={value}" for key, value in told.group.items())
    rule = title_in(message.language, told.rule)
    return f"{rule} ({said})" if said else rule


def lines(message: Message, told: Told) -> list[str]:
    """What there is to say of an alarm, beside its name."""
    words = _WORDS[message.language]
    form = words["silent" if told.unit == "s" else "is"]
    found = [
        form.format(
            measures=told.measures,
            value=shown(told.value, told.unit) or words["no_value"],
            op=told.op if told.event == "fired" else "/",
            threshold=shown(told.threshold, told.unit),
        )
    ]
    started = datetime.fromisoformat(told.started_at)
    time = f"{started:%Y-%m-%d %H:%M:%S} UTC"
    if told.ended_at is None:
        found.append(words["since"].format(time=time))
        if told.reminder:
            found.append(words["still"].format(span=span((datetime.fromisoformat(told.now) - started).total_seconds())))
    else:
        seconds = (datetime.fromisoformat(told.ended_at) - started).total_seconds()
        found.append(words["lasted"].format(time=time, span=span(seconds)))
    if told.ended_by and told.ended_by in words:
        found.append(words[told.ended_by])
    if told.flapping:
        found.append(words["flapping"])
    if told.description:
        found.append(description_in(message.language, told.description))
    return found


def test_line(message: Message) -> str:
    """Of a message that is one."""
    return _WORDS[message.language]["test_line"].format(name=message.notifier)


def more_line(message: Message, count: int) -> str:
    """In place of alarms that the receiver has no room for."""
    return "… " + _WORDS[message.language]["more"].format(count=count)


def shown(value: float | None, unit: str) -> str:
    """A number with its unit; empty where there is none."""
    if value is None:
        return ""
    if unit == "ratio":
        return f"{value * 100:.3g} %"
    if unit == "s":
        return span(value)
    number = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{number} {unit}".rstrip()


def span(seconds: float) -> str:
    """`2 h 5 min`."""
    whole = round(seconds)
    parts = [(whole // 3600, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    said = [f"{count} {name}" for count, name in parts if count]
    return " ".join(said[:2]) or "0 s"
