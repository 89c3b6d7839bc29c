"""What is said about how much of a service is recorded, and what its probes are told."""

from urllib.parse import quote

import pytest

from started.first_data import PASSWORD
from started.server import Server

TOLD = "/api/v1/probe-settings"


def address(app, service):
    return f"/api/v1/apps/{app['id']}/services/{quote(service, safe='')}/sampling"


@pytest.fixture(scope="module")
def shop(server):
    return server.app("sampled shop")


@pytest.fixture(scope="module")
def writer(server, tokens):
    with server.client(tokens["write"]) as client:
        yield client


@pytest.fixture(scope="module")
def sender(server, shop):
    """The agent of the app."""
    with server.client(shop["token"]) as client:
        yield client


@pytest.fixture(autouse=True)
def forget(request):
    """Every test begins with an app of which nothing was said."""
    yield
    if "writer" in request.fixturenames and "sender" in request.fixturenames:
        writer, sender, shop = (request.getfixturevalue(name) for name in ("writer", "sender", "shop"))
        for service in sender.get(TOLD).json()["services"]:
            assert writer.delete(address(shop, service)).status_code == 204


def test_of_a_service_of_which_nothing_was_said_everything_is_as_configured(reader, shop):
    answer = reader.get(address(shop, "orders"))

    assert answer.status_code == 200
    assert answer.json() == {
        "app": shop["id"],
        "service": "orders",
        "sampling_rate": None,
        "slow_ms": None,
        "sampling_follows_parent": None,
        "changed_at": None,
        "changed_by": None,
    }


def test_what_was_said_is_told_to_probes_at_once(writer, reader, sender, shop):
    said = writer.put(address(shop, "orders"), json={"sampling_rate": 12.5, "slow_ms": 300})

    assert said.status_code == 200
    assert said.json()["changed_by"].startswith("token:")
    assert reader.get(address(shop, "orders")).json() == said.json()
    assert sender.get(TOLD).json() == {"services": {"orders": {"sampling_rate": 12.5, "slow_ms": 300.0}}}
    writer.put(address(shop, "orders"), json={"sampling_follows_parent": False, "slow_ms": None})
    assert sender.get(TOLD).json() == {"services": {"orders": {"sampling_follows_parent": False}}}


def test_what_was_taken_back_is_as_configured_again(writer, reader, sender, shop):
    writer.put(address(shop, "orders"), json={"sampling_rate": 0})

    for _ in range(2):  # taking back twice is no error
        answer = writer.delete(address(shop, "orders"))
        assert answer.status_code == 204
        assert answer.content == b""

    assert reader.get(address(shop, "orders")).json()["changed_at"] is None
    assert sender.get(TOLD).json() == {"services": {}}


def test_an_agent_that_asks_again_hears_that_nothing_is_new(writer, sender, shop):
    writer.put(address(shop, "orders"), json={"sampling_rate": 10})
    first = sender.get(TOLD)
    known = {"If-None-Match": first.headers["etag"]}

    same = sender.get(TOLD, headers=known)

    assert same.status_code == 304
    assert same.content == b""
    assert same.headers["etag"] == first.headers["etag"]
    writer.put(address(shop, "orders"), json={"sampling_rate": 11})
    assert sender.get(TOLD, headers=known).json()["services"]["orders"]["sampling_rate"] == 11


@pytest.mark.parametrize(
    "service",
    [
        "127.0.0.1:8000",
        "web-1.example(10.0.0.1):80",
        "a/b//c/",
        "/sampling",
        "x/sampling/sampling",
        "订单服务",
        "🛒",
        "two\nlines\n",
        " spaced ",
        "100%",
        "%2F%252F",
        "a?b#c&d=e;f",
        "<img src=x onerror=alert(1)>",
        "...",
        "x" * 255,
        "\ufffd\u202e",
    ],
)
def test_a_service_may_be_called_anything(writer, reader, sender, shop, service):
    said = writer.put(address(shop, service), json={"sampling_rate": 1})

    assert said.status_code == 200
    assert said.json()["service"] == service
    assert reader.get(address(shop, service)).json()["sampling_rate"] == 1
    assert list(sender.get(TOLD).json()["services"]) == [service]
    assert writer.delete(address(shop, service)).status_code == 204
    assert sender.get(TOLD).json()["services"] == {}


@pytest.mark.parametrize(
    ("wish", "named"),
    [
        ({}, "body"),
        ({"sampling_rate": None}, "body"),
        ({"sampling_rate": -1}, "sampling_rate"),
        ({"sampling_rate": 100.1}, "sampling_rate"),
        ({"sampling_rate": "10"}, "sampling_rate"),
        ({"sampling_rate": True}, "sampling_rate"),
        ({"slow_ms": -0.1}, "slow_ms"),
        ({"slow_ms": 1e10}, "slow_ms"),
        ({"slow_ms": [1]}, "slow_ms"),
        ({"sampling_rate": 1, "sampling_follows_parent": 1}, "sampling_follows_parent"),
        ({"rate": 10}, "rate"),
        ([], "body"),
        (None, "body"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_with_the_name_of_its_fault(writer, sender, shop, wish, named):
    answer = writer.put(address(shop, "orders"), json=wish)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_request"
    assert answer.json()["error"]["message"].startswith(f"{named}: ")
    assert sender.get(TOLD).json() == {"services": {}}


@pytest.mark.parametrize(
    "body", [b'{"slow_ms": NaN}', b'{"slow_ms": Infinity}', b'{"slow_ms": 1%s}' % (b"0" * 400), b"{"]
)
def test_numbers_that_are_none_are_refused(writer, shop, body):
    answer = writer.put(address(shop, "orders"), content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400


@pytest.mark.parametrize("service", ["x" * 256, "a\x00b"])
def test_a_name_no_database_could_keep_is_refused(writer, shop, service):
    answer = writer.put(address(shop, service), json={"sampling_rate": 1})

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("service: ")


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_an_app_that_is_not_there_is_404(writer, method):
    options = {"json": {"sampling_rate": 1}} if method == "put" else {}
    answer = getattr(writer, method)(address({"id": "0123456789ab"}, "orders"), **options)

    assert answer.status_code == 404
    assert "app" in answer.json()["error"]["message"]


def test_who_may_only_read_changes_nothing(reader, sender, shop):
    assert reader.put(address(shop, "orders"), json={"sampling_rate": 1}).status_code == 403
    assert reader.delete(address(shop, "orders")).status_code == 403
    assert sender.get(TOLD).json() == {"services": {}}


def test_a_session_needs_its_csrf_token_and_stands_in_the_answer_by_name(server, sender, writer, shop):
    with server.client() as session:
        login = session.post("/api/v1/session", json={"user": "admin", "password": PASSWORD})
        refused = session.put(address(shop, "orders"), json={"sampling_rate": 1})
        headers = {"X-CSRF-Token": login.json()["csrf"]}
        said = session.put(address(shop, "orders"), json={"sampling_rate": 1}, headers=headers)

    assert refused.status_code == 403
    assert said.json()["changed_by"] == "user:admin"


def test_probes_are_told_of_their_own_app_alone(server, writer, sender, shop):
    other = server.app("another sampled shop")
    writer.put(address(shop, "orders"), json={"sampling_rate": 1})

    with server.client(other["token"]) as client:
        assert client.get(TOLD).json() == {"services": {}}


def test_only_an_apps_token_opens_what_probes_are_told(server, stranger, tokens):
    assert stranger.get(TOLD).status_code == 401
    for token in [*tokens.values(), "x", "sonde_app_" + "A" * 43]:
        with server.client(token) as client:
            answer = client.get(TOLD)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "sonde app create" in answer.json()["error"]["message"]


def test_an_apps_token_changes_nothing(sender, shop):
    assert sender.put(address(shop, "orders"), json={"sampling_rate": 1}).status_code == 401
    assert sender.get(address(shop, "orders")).status_code == 401


def test_more_than_probes_take_is_refused(writer, sender, shop):
    """A frame holds 64 KiB: a hundred services with the longest names are too many, and are said so before."""
    names = [f"{'🛒' * 250}{number}" for number in range(70)]
    answers = [writer.put(address(shop, name), json={"sampling_rate": 1}) for name in names]

    refused = [answer for answer in answers if answer.status_code == 409]
    assert 0 < len(refused) < 10
    assert refused[0].json()["error"]["code"] == "too_many_settings"
    assert len(sender.get(TOLD).content) <= 64 << 10


@pytest.mark.slow
def test_it_outlives_a_restart(tmp_path):
    with Server(tmp_path / "data") as server:
        app = server.app("shop")
        token = server.token("write")
        with server.client(token) as client:
            client.put(address(app, "orders"), json={"sampling_rate": 5})

    with Server(tmp_path / "data") as server, server.client(app["token"]) as client:
        assert client.get(TOLD).json() == {"services": {"orders": {"sampling_rate": 5.0}}}
