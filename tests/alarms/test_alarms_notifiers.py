"""What goes over the wire: to real HTTP and SMTP servers on this machine, signed as the receivers document it."""

import base64
import hashlib
import hmac
import json
import socket
import ssl
import subprocess
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from making import document
from sqlalchemy import select

from sonde.server.accounts import tables
from sonde.server.accounts.database import writing
from sonde.server.alarms import waiting
from sonde.server.alarms.channels import dingtalk, feishu
from sonde.server.alarms.channels.speaking import send, show
from sonde.server.alarms.delivery_list import DeliveryFilter, DeliveryList
from sonde.server.alarms.lease import Lease
from sonde.server.alarms.notifier_book import NotifierBook
from sonde.server.alarms.preview import preview_message
from sonde.server.alarms.rule_book import RuleBook
from sonde.server.alarms.sending import TRIED_FOR, Sending
from sonde.server.alarms.standing_rows import Group
from sonde.server.alarms.telling import told_of
from sonde.server.alarms.templates import templates
from sonde.server.alarms.waiting import MOST_ALARMS, MOST_WAITING, enqueue
from sonde.server.alarms.wording import Message, lines, title
from sonde.server.reports.alarms import AlarmNotifierDocument

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
SECRET = "SEC-open-sesame"


class Receiver:
    """An HTTP server; `answers` are (status, body), the last one for ever."""

    def __init__(self):
        received, answers = self.received, self.answers = [], [(200, "{}")]

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.append((self.path, dict(self.headers), body))
                status, text = answers.pop(0) if len(answers) > 1 else answers[0]
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?key=k"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def bodies(self):
        return [json.loads(body) for _, _, body in self.received]


@pytest.fixture
def receiver():
    found = Receiver()
    yield found
    found.stop()


def notifier(kind, **said):
    return AlarmNotifierDocument(name="ops", kind=kind, **said)


def sent(document_, message=None):
    message = message or preview_message(document_, "a1", NOW, "https://sonde.example.org/")
    return send(document_, message, NOW, local_allowed=True)


def test_our_own_json_is_signed_and_says_everything(receiver):
    outcome = sent(notifier("webhook", url=receiver.url, secret=SECRET, headers={"X-Team": "ops"}))

    assert outcome.delivered
    path, headers, body = receiver.received[0]
    assert path == "/hook?key=k"
    assert headers["X-Team"] == "ops"
    signed = headers["X-Sonde-Timestamp"].encode() + b"." + body
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["X-Sonde-Signature"] == f"sha256={expected}"
    said = json.loads(body)
    assert (said["version"], said["status"], said["severity"]) == (1, "firing", "critical")
    assert [alarm["status"] for alarm in said["alarms"]] == ["firing", "recovered"]
    assert said["alarms"][0]["value"] == 812.0
    assert said["alarms"][0]["url"].startswith("https://sonde.example.org/alarms/history?rule_id=")


def test_alertmanagers_json_has_its_version_4_shape(receiver):
    sent(notifier("webhook", url=receiver.url, format="alertmanager"))

    (said,) = receiver.bodies
    assert set(said) == {
        "version",
        "groupKey",
        "truncatedAlerts",
        "status",
        "receiver",
        "groupLabels",
        "commonLabels",
        "commonAnnotations",
        "externalURL",
        "alerts",
    }
    firing, resolved = said["alerts"]
    assert set(firing) == {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"}
    assert (said["version"], said["status"]) == ("4", "firing")
    assert firing["labels"] == {
        "alertname": "Checkout is slow",
        "severity": "critical",
        "app": "a1",
        "service": "checkout",
        "team": "payments",
    }
    assert firing["endsAt"] == "0001-01-01T00:00:00Z"
    assert (resolved["status"], resolved["endsAt"]) == ("resolved", NOW.isoformat(timespec="seconds"))
    assert datetime.fromisoformat(firing["startsAt"]) < NOW
    assert len(firing["fingerprint"]) == 16
    assert said["commonLabels"] == {"app": "a1"}


def test_dingtalk_is_signed_in_the_address_and_says_no_in_the_body(receiver):
    wanted = notifier("dingtalk", url=receiver.url, secret=SECRET, mentions=["13800000000", "all"])
    receiver.answers[:] = [(200, '{"errcode": 310000, "errmsg": "sign not match"}'), (200, '{"errcode": 0}')]

    refused, taken = sent(wanted), sent(wanted)

    assert (refused.delivered, taken.delivered) == (False, True)
    assert "sign not match" in refused.answer
    query = parse_qs(urlsplit(receiver.received[0][0]).query)
    assert query["key"] == ["k"]
    assert query["timestamp"] == [str(int(NOW.timestamp() * 1000))]
    expected = hmac.new(SECRET.encode(), f"{query['timestamp'][0]}\n{SECRET}".encode(), hashlib.sha256).digest()
    assert base64.b64decode(query["sign"][0]) == expected
    (_, said) = receiver.bodies
    assert said["msgtype"] == "markdown"
    assert said["at"] == {"atMobiles": ["13800000000"], "isAtAll": True}
    assert "@13800000000" in said["markdown"]["text"]


def test_feishu_is_signed_in_the_body_and_says_no_there(receiver):
    receiver.answers[:] = [(200, '{"code": 19021, "msg": "sign match fail"}'), (200, '{"code": 0, "msg": "success"}')]
    wanted = notifier("feishu", url=receiver.url, secret=SECRET, mentions=["ou_1"])

    assert [sent(wanted).delivered, sent(wanted).delivered] == [False, True]

    (_, said) = receiver.bodies
    key = f"{said['timestamp']}\n{SECRET}".encode()
    assert base64.b64decode(said["sign"]) == hmac.new(key, b"", hashlib.sha256).digest()
    assert said["timestamp"] == str(int(NOW.timestamp()))
    assert said["msg_type"] == "interactive"
    assert said["card"]["header"]["template"] == "red"
    assert "<at id=ou_1></at>" in said["card"]["elements"][0]["content"]


def test_signatures_are_those_that_the_receivers_own_examples_would_make():
    """Computed with openssl, as their pages show it in a shell."""

    def openssl(key, text):
        done = subprocess.run(
            ["openssl", "dgst", "-sha256", "-hmac", key, "-binary"],
            input=text.encode(),
            capture_output=True,
            check=True,
        )
        return base64.b64encode(done.stdout).decode()

    assert dingtalk.sign("this is secret", "1599360473000") == openssl(
        "this is secret", "1599360473000\nthis is secret"
    )
    assert feishu.sign("demo", "1599360473") == openssl("1599360473\ndemo", "")


def test_wecom_takes_4096_bytes_and_no_more(receiver):
    receiver.answers[:] = [(200, '{"errcode": 0}')]
    wanted = notifier("wecom", url=receiver.url, mentions=["zhang"], language="zh")
    few = preview_message(wanted, "a1", NOW, "")
    many = Message("ops", few.alarms * 40, "zh")

    assert sent(wanted, many).delivered

    (said,) = receiver.bodies
    content = said["markdown"]["content"]
    assert len(content.encode()) <= 4096
    assert "等" in content.splitlines()[-2] or "… 等" in content
    assert content.endswith("<@zhang>")
    assert "严重" in title(few) or "告警" in title(few)


def test_a_rule_that_is_called_as_its_template_is_told_in_the_receivers_language():
    template = next(it for it in templates() if it.id == "error-rate")
    few = preview_message(notifier("wecom", language="zh"), "a1", NOW, "")
    told = replace(few.alarms[0], rule=template.title, description=template.description)
    later = datetime.fromisoformat(told.started_at) + timedelta(hours=4)
    reminded = replace(told, reminder=True, now=later.isoformat())

    assert title(Message("ops", [told], "zh")) == "[严重] 请求失败 (service=checkout)"
    assert title(Message("ops", [replace(told, rule="我的规则")], "en")) == "[CRITICAL] 我的规则 (service=checkout)"
    assert lines(Message("ops", [told], "zh"), told)[-1] == "服务超过 5 % 的请求失败，持续两分钟。"
    assert "已持续 4 h,仍未恢复" in lines(Message("ops", [reminded], "zh"), reminded)
    assert "still firing after 4 h" in lines(Message("ops", [reminded]), reminded)


def test_slack_gets_a_line_and_attachments_with_its_own_characters_escaped(receiver):
    receiver.answers[:] = [(200, "ok")]
    assert sent(notifier("slack", url=receiver.url, mentions=["channel"])).delivered

    (said,) = receiver.bodies
    assert said["text"].endswith("<!channel>")
    assert [attachment["color"] for attachment in said["attachments"]] == ["#d92d20", "#17b26a"]
    assert "812 ms &gt; 500 ms" in said["attachments"][0]["text"]


def test_a_redirect_is_not_followed_and_an_error_is_no_delivery(receiver):
    for status in (302, 404, 500):
        receiver.answers[:] = [(status, "no")]
        outcome = sent(notifier("webhook", url=receiver.url))
        assert not outcome.delivered
        assert outcome.answer.startswith(str(status))
    assert len(receiver.received) == 3


def test_this_machine_is_not_called_unless_a_setting_says_so(receiver):
    wanted = notifier("webhook", url=receiver.url.replace("127.0.0.1", "localhost"))

    outcome = send(wanted, preview_message(wanted, "a1", NOW, ""), NOW, local_allowed=False)

    assert not outcome.delivered
    assert "this server itself" in outcome.answer
    assert receiver.received == []


class Mailbox:
    """Keeps what it gets."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content.decode()))
        return "250 kept"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Of `localhost`, and nobody signed it but itself."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            folder / "key.pem",
            "-out",
            folder / "cert.pem",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ],
        check=True,
        capture_output=True,
    )
    return folder


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@pytest.fixture
def mail_server(certificate):
    """With STARTTLS, and a user `sonde`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")

    def authenticate(server, session, envelope, mechanism, data):
        return AuthResult(success=data.login == b"sonde" and data.password == SECRET.encode())

    controller = Controller(
        Mailbox(),
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=context,
        authenticator=authenticate,
        auth_require_tls=True,
    )
    controller.start()
    yield controller
    controller.stop()


def by_mail(controller, **said):
    port = controller.server.sockets[0].getsockname()[1]
    return notifier(
        "email",
        smtp_host="localhost",
        smtp_port=port,
        from_address="sonde@example.org",
        to_addresses=["ops@example.org", "dev@example.org"],
        **said,
    )


def test_mail_arrives_in_the_receivers_language(mail_server):
    wanted = by_mail(mail_server, smtp_security="none", language="zh")
    outcome = sent(wanted, Message("ops", (), "zh"))

    assert outcome.delivered, outcome
    ((sender, receivers, content),) = mail_server.handler.mails
    assert (sender, receivers) == ("sonde@example.org", ["ops@example.org", "dev@example.org"])
    assert "Auto-Submitted: auto-generated" in content
    shown = show(wanted, Message("ops", (), "zh"), NOW)
    assert "测试" in shown.title
    assert "ops" in shown.body


def test_mail_over_tls_is_sent_to_those_alone_whose_certificate_is_known(mail_server, certificate, monkeypatch):
    wanted = by_mail(mail_server, smtp_user="sonde", smtp_password=SECRET)

    assert "certificate" in sent(wanted).answer.lower()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    assert sent(wanted).delivered
    assert not sent(wanted.model_copy(update={"smtp_password": "wrong"})).delivered
    assert len(mail_server.handler.mails) == 1


@pytest.fixture
def queue(accounts, app, clock, receiver):
    """Notifier `ops`, a rule that names it, and what delivers."""
    return Queue(accounts, app, clock, receiver.url)


class Queue:
    def __init__(self, accounts, app, clock, url):
        self.engine, self.clock, self.app = accounts.engine, clock, app

        def now():
            return clock.now

        self.lease = Lease(self.engine, now, "test")
        self.book = NotifierBook(self.engine, accounts.sealer, now, local_allowed=True)
        self.book.add(app, AlarmNotifierDocument(name="ops", kind="webhook", url=url, group_s=10), "test")
        self.rule = RuleBook(self.engine, now).add(app, document(notify=["ops"]), "test")
        self.sending = Sending(self.engine, self.lease, self.book, now=now, console_url="")
        self.lease.take()

    def tell(self, count=1):
        told = [
            told_of(self.rule, Group((("n", str(n)),), started_s=1000), "fired", self.clock.now) for n in range(count)
        ]
        with writing(self.engine) as connection:
            enqueue(connection, self.rule, told, self.clock.now)

    def round(self, seconds=0):
        self.clock.pass_by(seconds)
        self.lease.take()
        return self.sending.round()

    def deliveries(self):
        wanted = DeliveryFilter([self.app])
        return DeliveryList(self.engine, lambda: self.clock.now).search(wanted, 1000, None)[0]


def test_alarms_of_the_same_moment_come_in_one_message(queue, receiver):
    queue.tell()
    queue.clock.pass_by(5)
    queue.tell(2)
    assert queue.round() == 0
    assert queue.round(6) == 1

    assert [len(body["alarms"]) for body in receiver.bodies] == [3]
    queue.tell(MOST_ALARMS + 1)
    assert queue.round(11) == 2
    assert sorted(len(body["alarms"]) for body in receiver.bodies[1:]) == [1, MOST_ALARMS]


def test_while_a_receiver_is_down_it_is_tried_ever_more_rarely_and_then_gets_everything(queue, receiver):
    receiver.answers[:] = [(500, f"down, says {SECRET}")]
    queue.tell()
    assert queue.round(11) == 1
    assert queue.round(1) == 0
    assert queue.round(5) == 1
    assert queue.round(6) == 0
    (waits,) = queue.deliveries()
    assert (waits.state, waits.attempts, waits.answer[:10]) == ("waiting", 2, "500: down,")
    ((shown, waiting_count),) = queue.book.all([queue.app])
    assert (shown.last_problem[:3], waiting_count) == ("500", 1)

    queue.tell()
    again = Queue.__new__(Queue)  # a restart: nothing but the database is left
    again.__dict__.update(queue.__dict__)
    receiver.answers[:] = [(200, "")]
    assert again.round(30) == 2

    assert [it.state for it in queue.deliveries()] == ["sent", "sent"]
    assert queue.book.all([queue.app])[0][0].last_problem == ""


def test_after_a_day_a_message_is_given_up(queue, receiver):
    receiver.answers[:] = [(500, "down")]
    queue.tell()
    queue.round(11)

    queue.round(TRIED_FOR.total_seconds())

    (given_up,) = queue.deliveries()
    assert (given_up.state, given_up.attempts) == ("failed", 2)
    assert queue.round(3600) == 0


def test_the_queue_has_an_end_and_what_falls_off_is_kept_with_the_reason(queue, receiver, monkeypatch):
    monkeypatch.setattr(waiting, "MOST_WAITING", 3)
    for _ in range(5):
        queue.tell()
        queue.clock.pass_by(11)

    assert [it.state for it in queue.deliveries()] == ["waiting"] * 3 + ["dropped"] * 2
    assert queue.deliveries()[-1].answer == waiting.FULL
    assert MOST_WAITING > 3


def test_secrets_are_sealed_and_an_answer_that_repeats_them_is_masked(queue, receiver, accounts):
    ((known, _),) = queue.book.all([queue.app])
    queue.book.change(known, known.document.model_copy(update={"secret": SECRET}), "test")
    receiver.answers[:] = [(400, f"your secret {SECRET} and key /hook?key=k")]
    queue.tell()
    queue.round(11)

    (waits,) = queue.deliveries()
    assert SECRET not in waits.answer
    with accounts.engine.connect() as connection:
        (row,) = connection.execute(select(tables.alarm_notifiers)).all()
    assert SECRET not in repr(row)
    assert receiver.url not in repr(row)
    assert queue.book.all([queue.app])[0][0].document.secret == SECRET
    assert timedelta(0) < TRIED_FOR
