"""What a notifier may say, and which of it is secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sonde.server.alarms.errors import BadNotifierError
from sonde.server.alarms.targets import check_literal, parse_target
from sonde.server.reports.alarms import MASKED, AlarmNotifierDocument

if TYPE_CHECKING:
    from sonde.server.reports.alarms import NotifierKind

_COMMON = frozenset({"name", "kind", "enabled", "language", "group_s"})
_SMTP = frozenset(
    {"smtp_host", "smtp_port", "smtp_security", "smtp_user", "smtp_password", "from_address", "to_addresses"}
)
_FIELDS: dict[NotifierKind, frozenset[str]] = {
    "webhook": frozenset({"url", "secret", "format", "headers"}),
    "dingtalk": frozenset({"url", "secret", "mentions"}),
    "feishu": frozenset({"url", "secret", "mentions"}),
    "wecom": frozenset({"url", "mentions"}),
    "slack": frozenset({"url", "mentions"}),
    "email": _SMTP,
}
_SECRETS = ("url", "secret", "headers", "smtp_password")
_ADDRESS = re.compile(r"[^@\s<>,;\"]{1,64}@[^@\s<>,;\"]{1,190}")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_VALUE = re.compile(r"[\x20-\x7e]{0,2000}", re.ASCII)
_NOT_THEIRS = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-type"})
_MENTION = re.compile(r"[\w.+\-]{1,100}")


def check(document: AlarmNotifierDocument, *, local_allowed: bool) -> None:
    """Raises BadNotifierError for what nobody can be told by."""
    if document.name != document.name.strip() or not document.name.isprintable():
        raise BadNotifierError("name", "visible characters, without a space at either end")
    allowed = _COMMON | _FIELDS[document.kind]
    for name, field in AlarmNotifierDocument.model_fields.items():
        if name not in allowed and getattr(document, name) != field.get_default(call_default_factory=True):
            raise BadNotifierError(name, f"the kind {document.kind} has none")
    if document.kind == "email":
        _check_email(document, local_allowed=local_allowed)
    else:
        target = parse_target(document.url)
        check_literal(target.host, "url", local_allowed=local_allowed)
    for name, value in document.headers.items():
        if not _HEADER.fullmatch(name) or name.lower() in _NOT_THEIRS:
            raise BadNotifierError(f"headers.{name[:60]}", "no header that can be set")
        if not _VALUE.fullmatch(value):
            raise BadNotifierError(f"headers.{name}", "visible ASCII characters, at most 2000")
    for number, name in enumerate(document.mentions):
        if not _MENTION.fullmatch(name):
            raise BadNotifierError(f"mentions.{number}", "letters, digits, `.`, `_`, `-` and `+`")


def _check_email(document: AlarmNotifierDocument, *, local_allowed: bool) -> None:
    if not re.fullmatch(r"[A-Za-z0-9.\-:_]{1,255}", document.smtp_host):
        raise BadNotifierError("smtp_host", "the name of a mail server is needed")
    check_literal(document.smtp_host, "smtp_host", local_allowed=local_allowed)
    if not _ADDRESS.fullmatch(document.from_address):
        raise BadNotifierError("from_address", "is no address such as sonde@example.org")
    if not document.to_addresses:
        raise BadNotifierError("to_addresses", "somebody must get it")
    for number, address in enumerate(document.to_addresses):
        if not _ADDRESS.fullmatch(address):
            raise BadNotifierError(f"to_addresses.{number}", "is no address such as ops@example.org")
    if document.smtp_password and not document.smtp_user:
        raise BadNotifierError("smtp_user", "a password needs a user")
    if document.smtp_user and document.smtp_security == "none":
        raise BadNotifierError("smtp_security", "a password is not sent in the clear: starttls or tls")


def secrets_of(document: AlarmNotifierDocument) -> dict[str, Any]:
    """The fields that are sealed."""
    return {name: getattr(document, name) for name in _SECRETS if getattr(document, name)}


def without_secrets(document: AlarmNotifierDocument) -> AlarmNotifierDocument:
    """What is kept in the clear."""
    fields = AlarmNotifierDocument.model_fields
    return document.model_copy(update={name: fields[name].get_default(call_default_factory=True) for name in _SECRETS})


def masked(document: AlarmNotifierDocument) -> AlarmNotifierDocument:
    """What comes out."""
    hidden: dict[str, Any] = {name: MASKED for name in _SECRETS if name != "headers" and getattr(document, name)}
    return document.model_copy(update=hidden | {"headers": dict.fromkeys(document.headers, MASKED)})


def unmasked(wanted: AlarmNotifierDocument, known: AlarmNotifierDocument | None) -> AlarmNotifierDocument:
    """With what was kept in place of each MASKED. Raises BadNotifierError where nothing was."""
    kept: dict[str, Any] = {}
    for name in _SECRETS:
        value = getattr(wanted, name)
        if name == "headers":
            old = known.headers if known else {}
            for header, said in value.items():
                if said == MASKED and header not in old:
                    raise BadNotifierError(f"headers.{header}", "nothing is kept that could stay")
            kept[name] = {header: old[header] if said == MASKED else said for header, said in value.items()}
        elif value == MASKED:
            if known is None or not getattr(known, name):
                raise BadNotifierError(name, "nothing is kept that could stay")
            kept[name] = getattr(known, name)
    return wanted.model_copy(update=kept)


def target_of(document: AlarmNotifierDocument) -> str:
    """Where it goes to, without what is secret."""
    if document.kind == "email":
        return f"{', '.join(document.to_addresses)} ({document.smtp_host}:{document.smtp_port})"
    try:
        target = parse_target(document.url)
    except BadNotifierError:
        return ""
    return f"{target.scheme}://{target.host_header}"


def hidden_in(document: AlarmNotifierDocument, text: str) -> str:
    """A text without the secrets of the notifier: what a receiver answers may repeat them."""
    known = [document.secret, document.smtp_password, document.url, *document.headers.values()]
    if document.url and document.kind != "email":
        known.append(document.url.partition("://")[2].partition("/")[2])
    for secret in sorted((it for it in known if len(it) >= 6), key=len, reverse=True):
        text = text.replace(secret, MASKED)
    return text
