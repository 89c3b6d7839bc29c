"""Nothing is readable or writable without credentials, and with them only as far as they reach."""

import pytest

from started.first_data import PASSWORD
from started.server import command
from started.waiting import eventually

OPEN = {
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("post", "/api/v1/session"),
    ("get", "/api/v1/shared/{token}"),
    ("get", "/api/v1/shared/{token}/panels/{panel_id}"),
}
"""Of the last two the address itself is the credential, see test_api_dashboards.py."""
PATH_VALUES = {"{trace_id}": "0" * 32, "{name}": "shop", "{host}": "host", "{app}": "0123456789ab", "{service}": "shop"}
WISHES = {"post": {"name": "intruder"}, "put": {"sampling_rate": 0}}
LOGIN = "/api/v1/session"


def operations(openapi):
    for path, methods in openapi["paths"].items():
        for method in methods:
            filled = path
            for name, value in PATH_VALUES.items():
                filled = filled.replace(name, value)
            yield method, path, filled


@pytest.fixture
def session(server):
    """A console: logged in, with its cookie and CSRF token."""
    with server.client() as client:
        answer = client.post(LOGIN, json={"user": "admin", "password": PASSWORD})
        assert answer.status_code == 200
        client.csrf = answer.json()["csrf"]
        yield client


def test_every_address_but_a_few_needs_credentials(openapi, stranger):
    checked = 0
    for method, path, filled in operations(openapi):
        if (method, path) in OPEN:
            continue
        answer = stranger.request(method, filled, json=WISHES.get(method))

        assert answer.status_code == 401, (method, path)
        assert answer.json()["error"]["code"] == "unauthenticated"
        assert answer.headers["www-authenticate"] == "Bearer"
        checked += 1
    assert checked >= 10
    assert stranger.get("/api/v1/openapi.json").status_code == 401


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer x",
        "Basic YWRtaW46YWRtaW4=",
        "sonde_api_" + "A" * 43,
        "Bearer sonde_api_" + "A" * 43,
    ],
)
def test_credentials_that_nobody_gave_out_open_nothing(openapi, server, authorization):
    with server.client() as client:
        for method, path, filled in operations(openapi):
            if (method, path) not in OPEN:
                answer = client.request(method, filled, headers={"Authorization": authorization})

                assert answer.status_code == 401, (method, path)


def test_an_apps_token_sends_and_does_not_read(server):
    app = server.app("sender")

    with server.client(app["token"]) as client:
        assert client.get("/api/v1/services").status_code == 401
        assert client.get("/metrics").status_code == 401
        answer = client.post("/v1/traces", content=b"", headers={"Content-Type": "application/x-protobuf"})
        assert answer.status_code == 200


def test_an_api_token_reads_and_does_not_send(server, tokens):
    for token in tokens.values():
        with server.client(token) as client:
            answer = client.post("/v1/traces", content=b"", headers={"Content-Type": "application/x-protobuf"})

            assert answer.status_code == 401


def test_a_token_reaches_as_far_as_its_scope(server, tokens):
    def make_app(scope):
        with server.client(tokens[scope]) as client:
            return client.post("/api/v1/apps", json={"name": f"made by {scope}"})

    refused = make_app("read")

    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "forbidden"
    for scope in ("write", "admin"):
        made = make_app(scope)
        assert made.status_code == 201
        assert set(made.json()) == {"id", "name", "created_at", "secret", "token"}


def test_the_list_of_apps_shows_neither_secret_nor_token(server, tokens):
    with server.client(tokens["admin"]) as client:
        made = client.post("/api/v1/apps", json={"name": "shown once"}).json()
        listed = client.get("/api/v1/apps").text

    assert made["id"] in listed
    assert made["secret"] not in listed
    assert made["token"] not in listed


def test_an_apps_secret_is_for_those_who_may_write_and_a_new_one_ends_the_old(server, tokens):
    made = server.app("signs")
    address = f"/api/v1/apps/{made['id']}/secret"
    with server.client(tokens["read"]) as client:
        assert client.get(address).status_code == 403
        assert client.post(address).status_code == 403

    with server.client(tokens["write"]) as client:
        assert client.get(address).json() == {"app": made["id"], "secret": made["secret"], "why": ""}
        renewed = client.post(address).json()
        assert renewed["secret"] != made["secret"]
        assert client.get(address).json() == renewed
        assert client.get("/api/v1/apps/0123456789ab/secret").status_code == 404
        assert client.post("/api/v1/apps/0123456789ab/secret").status_code == 404


def test_a_name_can_be_taken_once(server, tokens):
    with server.client(tokens["write"]) as client:
        client.post("/api/v1/apps", json={"name": "twice"})
        answer = client.post("/api/v1/apps", json={"name": "twice"})

    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "name_taken"


def test_a_token_made_while_the_server_runs_works_at_once(server):
    with server.client(server.token("read")) as client:
        assert client.get("/api/v1/apps").status_code == 200


def test_logging_in_gives_a_cookie_that_scripts_cannot_read(server):
    with server.client() as client:
        answer = client.post(LOGIN, json={"user": "admin", "password": PASSWORD})

    cookie = answer.headers["set-cookie"]
    assert answer.json()["user"] == "admin"
    assert answer.json()["role"] == "admin"
    for part in ("sonde_session=", "HttpOnly", "SameSite=lax", "Path=/"):
        assert part in cookie
    assert answer.headers["cache-control"] == "no-store"


def test_a_session_reads_and_changes_things_with_its_csrf_token_only(session):
    wish = {"name": "made by a session"}

    assert session.get("/api/v1/services").status_code == 200
    assert session.get(LOGIN).json()["csrf"] == session.csrf
    for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "0" * 64}):
        refused = session.post("/api/v1/apps", json=wish, headers=headers)
        assert refused.status_code == 403
        assert refused.json()["error"]["code"] == "csrf"
    assert session.post("/api/v1/apps", json=wish, headers={"X-CSRF-Token": session.csrf}).status_code == 201


def test_a_session_that_was_ended_is_worth_nothing(server, session):
    cookie = session.cookies["sonde_session"]
    assert session.delete(LOGIN).status_code == 403, "not without the CSRF token"

    answer = session.delete(LOGIN, headers={"X-CSRF-Token": session.csrf})

    assert answer.status_code == 204
    assert "sonde_session" not in session.cookies
    with server.client() as thief:
        assert thief.get("/api/v1/services", headers={"Cookie": f"sonde_session={cookie}"}).status_code == 401


def test_a_wrong_token_is_not_saved_by_a_good_cookie(session):
    assert session.get("/api/v1/services", headers={"Authorization": "Bearer x"}).status_code == 401


def test_a_wrong_password_and_a_wrong_name_look_the_same(stranger, server):
    answers = [
        stranger.post(LOGIN, json={"user": user, "password": "wrong password"}) for user in ("admin", "nobody at all")
    ]
    # so that other tests can log in as admin from this address
    assert stranger.post(LOGIN, json={"user": "admin", "password": PASSWORD}).status_code == 200
    stranger.cookies.clear()

    assert {answer.status_code for answer in answers} == {401}
    assert answers[0].text == answers[1].text


def test_guessing_is_answered_with_429_and_when_to_come_again(stranger):
    answers = [stranger.post(LOGIN, json={"user": "victim", "password": f"guess {n}"}) for n in range(7)]

    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
    assert 0 < int(answers[-1].headers["retry-after"]) <= 300
    assert answers[-1].json()["error"]["code"] == "too_many_attempts"


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {"user": "admin"}},
        {"json": {"user": 1, "password": True}},
        {"json": []},
        {"content": b"{", "headers": {"Content-Type": "application/json"}},
        {"data": {"user": "admin", "password": "from a form on another site"}},
        {"json": {"user": "x" * 65, "password": "y"}},
    ],
)
def test_a_login_that_is_no_login_is_a_bad_request(stranger, sent):
    answer = stranger.post(LOGIN, **sent)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_request"


def test_a_body_that_is_too_large_is_refused(stranger):
    body = b'{"user": "admin", "password": "' + b"x" * 100_000 + b'"}'
    for content in (body, iter([body])):  # announced, and in chunks
        answer = stranger.post(LOGIN, content=content, headers={"Content-Type": "application/json"})

        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "too_large"


def test_a_revoked_token_stops_working(server):
    token = server.token("read")
    with server.client(token) as client:
        token_id = client.get(LOGIN).json()["user"]
        command("token", "revoke", token_id, "--data", str(server.data))

        eventually(lambda: client.get("/api/v1/apps").status_code == 401, "the token is refused")
