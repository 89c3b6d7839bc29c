"""Diagnostic reports: what is hidden of an environment, and who gets all of it."""

import contextlib
import gzip
import json
import sqlite3

import pytest
from test_nodejs_uploads import Sender

from sonde.server.nodejs.diag_report import MASK, BadReportError, without_secrets

HIDDEN = "hunter2"


def masked(*environment):
    report = {"pid": 7, "system": {"env": list(environment), "resourceLimits": []}, "jsStacks": [{"functionName": "ü"}]}
    shown = json.loads(without_secrets(json.dumps(report).encode()))
    assert shown | {"system": None} == report | {"system": None}, "the rest is as it was"
    return shown["system"]["env"]


@pytest.mark.parametrize(
    "variable",
    [
        "DATABASE_PASSWORD=hunter2",
        "db_pass=hunter2",
        "AWS_SECRET_ACCESS_KEY=hunter2=",
        "GITHUB_TOKEN=hunter2",
        "STRIPE_API_KEY=hunter2",
        "KEY=hunter2",
        "SENTRY_DSN=hunter2",
        "npm_config__auth=hunter2",
        "SLACK_WEBHOOK_URL=https://hunter2",
        "X=-----BEGIN PRIVATE KEY----- hunter2",
        "Y=ghp_hunter2hunter2hunter2",
        "DATABASE_URL=postgres://shop:hunter2@db:5432/shop",
    ],
)
def test_what_looks_secret_is_hidden(variable):
    (shown,) = masked(variable)

    assert HIDDEN not in shown
    assert MASK in shown
    assert shown.partition("=")[0] == variable.partition("=")[0]


def test_an_address_stays_but_for_its_password():
    assert masked("A=postgres://shop:hunter2@db:5432/shop") == [f"A=postgres://shop:{MASK}@db:5432/shop"]


@pytest.mark.parametrize(
    "variable", ["PATH=/usr/bin", "PWD=/srv", "NODE_ENV=production", "KEYBOARD=us", "EMPTY_TOKEN=", "TOKEN", "=", ""]
)
def test_what_does_not_is_shown(variable):
    assert masked(variable) == [variable]


@pytest.mark.parametrize(
    "report", [b"", b"\xff", b"[]", b"{}", b'{"system": 1}', b'{"system": {"env": {"TOKEN": "x"}}}', b"[" * 100_000]
)
def test_a_file_that_cannot_be_understood_is_shown_to_nobody(report):
    with pytest.raises(BadReportError):
        without_secrets(report)


def stored(server, api, play, content):
    """The address of a report that an agent has sent."""
    sender = Sender(server, api, play(f"host-{len(content)}")).begin().ready()
    words = sender.asked_to_send()
    assert sender.send(words, [("x.diag", gzip.compress(content))]).json()["ok"]
    return f"/api/v1/nodejs/files/{sender.file['id']}/content"


def test_all_of_a_report_is_for_admins_and_noted(server, api, play):
    report = {"pid": 7, "system": {"env": ["API_TOKEN=hunter2", "PATH=/bin"]}}
    address = stored(server, api, play, json.dumps(report).encode())

    with server.client(server.token("admin")) as admin:
        for client in (api.client, admin):
            shown = client.get(address)
            assert shown.json()["system"]["env"] == [f"API_TOKEN={MASK}", "PATH=/bin"]
            assert "attachment" in shown.headers["content-disposition"]
        assert api.client.get(address, params={"raw": True}).status_code == 403
        whole = admin.get(address, params={"raw": True})
        assert whole.json() == report
        assert whole.headers["etag"] != shown.headers["etag"]
    with contextlib.closing(sqlite3.connect(server.data / "metadata.sqlite3", timeout=30)) as database:
        noted = database.execute("SELECT subject, detail FROM audit WHERE what = 'nodejs.diag.raw'").fetchall()
    assert len(noted) == 1


def test_what_is_no_report_is_not_offered_as_one(server, api, play):
    address = stored(server, api, play, b"API_TOKEN=hunter2, and no JSON")

    answer = api.client.get(address)

    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "not_masked"
    assert HIDDEN not in answer.text
