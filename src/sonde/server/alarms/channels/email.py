"""E-mail, over SMTP: to the address of the mail server that was checked, with TLS checked against its name."""

from __future__ import annotations

import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import TYPE_CHECKING

from sonde.server.alarms import wording
from sonde.server.alarms.errors import BadNotifierError
from sonde.server.alarms.outgoing import WITHIN_S, Answer
from sonde.server.alarms.targets import addresses

if TYPE_CHECKING:
    from datetime import datetime

    from sonde.server.alarms.wording import Message
    from sonde.server.reports.alarms import AlarmNotifierDocument


def mail(notifier: AlarmNotifierDocument, message: Message, now: datetime) -> EmailMessage:
    """What is sent."""
    found = EmailMessage()
    found["Subject"] = wording.title(message)
    found["From"] = notifier.from_address
    found["To"] = ", ".join(notifier.to_addresses)
    found["Date"] = format_datetime(now)
    found["Message-ID"] = make_msgid(domain=notifier.from_address.rpartition("@")[2] or "sonde")
    found["Auto-Submitted"] = "auto-generated"  # so that nobody's absence note answers
    paragraphs = []
    for told in message.alarms:
        link = message.link(told)
        paragraphs.append(
            "\n".join([wording.name_of(message, told), *wording.lines(message, told), *([link] if link else [])])
        )
    found.set_content("\n\n".join(paragraphs or [wording.test_line(message)]) + "\n")
    return found


def send(notifier: AlarmNotifierDocument, message: Message, now: datetime, *, local_allowed: bool) -> Answer:
    """Once. Raises nothing: what goes wrong is the answer."""
    try:
        found = addresses(notifier.smtp_host, notifier.smtp_port, "smtp_host", local_allowed=local_allowed)
        with _connect(notifier, found[0]) as client:
            if notifier.smtp_security == "starttls":
                client.starttls(context=ssl.create_default_context())
            if notifier.smtp_user:
                client.login(notifier.smtp_user, notifier.smtp_password)
            refused = client.send_message(mail(notifier, message, now))
    except BadNotifierError as error:
        return Answer(0, str(error))
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error
        return Answer(error.smtp_code, said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said))
    except (smtplib.SMTPException, OSError, ValueError) as error:  # ValueError: of addresses no mail can have
        return Answer(0, str(error) or type(error).__name__)
    if refused:  # the others have it: to send it again would be to send it to them again
        return Answer(250, f"accepted, but not for {', '.join(refused)}")
    return Answer(250, "accepted")


class _To(smtplib.SMTP):
    """Connects to an address, and believes to speak with the name that it was looked up for."""

    address = ""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002 - their signature
        return socket.create_connection((self.address, port), timeout)


class _TlsTo(_To, smtplib.SMTP_SSL):
    """Likewise, with TLS from the first byte on."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = super()._get_socket(host, port, timeout)
        return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def _connect(notifier: AlarmNotifierDocument, address: str) -> smtplib.SMTP:
    kind = type("_Client", (_TlsTo if notifier.smtp_security == "tls" else _To,), {"address": address})
    client: smtplib.SMTP = kind(notifier.smtp_host, notifier.smtp_port, timeout=WITHIN_S)
    return client
