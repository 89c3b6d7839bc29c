"""The way of a file, with a played agent: each of its states, and every upload that must not be taken."""

import gzip
import json
import secrets
import socket
import time
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from nodejs_harness import FILE_MAX_BYTES, upload_query

from started.waiting import eventually

ADDRESS = "/xapi/upload_from_xtransit"


class Sender:
    """An agent that makes a file when it is asked, and can be told how it sends it."""

    def __init__(self, server, api, played):
        self.server = server
        self.api = api
        self.played = played
        self.path = f"/log/x-{secrets.token_hex(4)}.diag"
        played.there()

    def begin(self, action="diag", **more):
        """A file that is to be made; the agent says that it is."""
        self.played.serve(
            {
                "xprofctl": json.dumps({"filepath": self.path, "executable_path": "/bin/node"}),
                "check_file": '{"exists": true}',
            }
        )
        answer = self.api.post(self.played.agent, "processes/7/actions", action=action, transfer=False, **more)
        assert answer.status_code == 201, answer.text
        self.file = answer.json()
        return self

    def ready(self):
        self.played.say("action", {"filePath": self.path})
        eventually(lambda: self.state() == "on_agent", "a file on the agent")
        return self

    def state(self):
        return self.api.file(self.file["id"])["state"]

    def asked_to_send(self):
        """The words of the command."""
        before = len(self.played.commands)
        answer = self.api.client.post(f"/api/v1/nodejs/files/{self.file['id']}/transfer")
        assert answer.json()["state"] == "transferring", answer.text
        return eventually(
            lambda: next((it for it in self.played.commands[before:] if it.startswith("upload_file")), None),
            "the command",
        ).split(" ")

    def send(self, words, files, **changes):
        _, file_id, kind, _, base, token = words
        query = upload_query(file_id, kind, self.played.agent, token) | changes
        parts = [(name, (f"{name}.gz", data, "application/gzip")) for name, data in files]
        return httpx.post(f"{base}{ADDRESS}", params=query, files=parts, timeout=60)


@pytest.fixture
def sender(server, api, play):
    return Sender(server, api, play(f"host-{secrets.token_hex(4)}"))


PACKED = gzip.compress(b'{"pid": 7}' * 50)


def test_a_file_goes_from_creating_to_stored_and_the_agent_has_the_last_word(sender, server):
    sender.begin()
    assert sender.state() == "creating"
    sender.played.say("action", {})  # of commands without a file
    sender.ready()
    sender.played.say("action", {"filePath": sender.path})  # comes twice
    words = sender.asked_to_send()
    assert words[:4] == ["upload_file", str(sender.file["id"]), "diag", sender.path]
    assert words[4] == server.url

    answer = sender.send(words, [("x.diag", PACKED)])

    assert answer.status_code == 200
    assert answer.json()["ok"] is True
    assert sender.state() == "transferring", "until the agent says that it is done"


def test_an_agent_that_says_it_has_sent_what_never_came_is_not_believed(sender):
    sender.begin().ready()
    sender.played.serve({"upload_file": '{"storage": "something"}'})
    sender.api.client.post(f"/api/v1/nodejs/files/{sender.file['id']}/transfer")

    assert "did not come here" in eventually(lambda: sender.api.file(sender.file["id"])["message"], "why")
    assert sender.state() == "on_agent"


def test_a_second_transfer_names_the_same_place_in_other_words(sender):
    sender.begin().ready()
    sender.played.serve({"upload_file": '{"storage": ""}'})
    sender.api.client.post(f"/api/v1/nodejs/files/{sender.file['id']}/transfer")
    eventually(lambda: sender.state() == "on_agent", "a transfer that failed")
    sender.api.client.post(f"/api/v1/nodejs/files/{sender.file['id']}/transfer")

    command = eventually(
        lambda: [it for it in sender.played.commands if it.startswith("upload_file")][1:], "the second command"
    )[0]
    assert command.split(" ")[3] == sender.path.replace("/log/", "/log/./")


def uploads(api, result):
    page = api.client.get("/metrics").text
    line = next(
        (it for it in page.splitlines() if it.startswith(f'sonde_nodejs_uploads_total{{result="{result}"}}')), "x 0"
    )
    return float(line.rpartition(" ")[2])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"signature": "0" * 40}, "signature"),
        ({"timestamp": "1"}, "too_old"),
        ({"fileId": "999999"}, "not_wanted"),
        ({"fileId": "x"}, "bad_request"),
        ({"fileId": "9" * 30}, "bad_request"),
        ({"fileType": "core"}, "not_wanted"),
        ({"nonce": ""}, "bad_request"),
    ],
)
def test_an_upload_that_was_not_asked_for_is_refused_in_the_agents_own_way(sender, changes, reason):
    words = sender.begin().ready().asked_to_send()
    before = uploads(sender.api, reason)

    answer = sender.send(words, [("x.diag", PACKED)], **changes)

    assert answer.status_code == 200
    assert answer.json()["ok"] is False
    assert answer.json()["message"]
    assert uploads(sender.api, reason) == before + 1
    assert sender.send(words, [("x.diag", PACKED)]).json()["ok"], "the right one is still wanted"


def test_a_token_opens_the_door_once(sender):
    words = sender.begin().ready().asked_to_send()
    _, file_id, kind, _, _, token = words
    same = upload_query(file_id, kind, sender.played.agent, token, nonce="77")

    assert sender.send(words, [("x.diag", b"no gzip")], **same).json()["ok"] is False
    assert "before" in sender.send(words, [("x.diag", PACKED)], **same).json()["message"]
    assert sender.send(words, [("x.diag", PACKED)]).json()["ok"]
    assert sender.send(words, [("x.diag", PACKED)]).json()["ok"] is False, "its token is used up"


@pytest.mark.parametrize(
    "data",
    [b"", b"no gzip", gzip.compress(b"x")[:-3], gzip.compress(bytes(FILE_MAX_BYTES + 1)), secrets.token_bytes(100)],
    ids=["empty", "plain", "torn", "bomb", "noise"],
)
def test_what_is_no_gzip_or_a_bomb_is_refused_and_leaves_nothing(sender, server, data):
    words = sender.begin().ready().asked_to_send()
    before = sorted((server.data / "nodejs").iterdir())

    answer = sender.send(words, [("x.diag", data)])

    assert answer.json()["ok"] is False
    assert sorted((server.data / "nodejs").iterdir()) == before
    assert sender.api.file(sender.file["id"])["parts"] == []


def test_a_core_has_two_parts_and_nothing_else_has(sender):
    words = sender.begin("core").ready().asked_to_send()
    assert words[3] == f"{sender.path}::/bin/node"
    core, node = gzip.compress(b"\x7fELF core"), gzip.compress(b"\x7fELF node")
    assert sender.send(words, [("core.7", core)]).json()["ok"] is False

    answer = sender.send(words, [("core.7", core), ("node", node)])

    assert answer.json()["data"]["storage"].count("\0") == 1
    parts = sender.api.file(sender.file["id"])["parts"]
    assert [it["name"] for it in parts] == ["core.7", "node"]
    content = sender.api.client.get(f"/api/v1/nodejs/files/{sender.file['id']}/content", params={"part": 1})
    assert content.content == b"\x7fELF node"


def test_an_upload_that_stops_half_way_leaves_nothing_and_can_come_again(sender, server):
    words = sender.begin().ready().asked_to_send()
    _, file_id, kind, _, base, token = words
    query = urlencode(upload_query(file_id, kind, sender.played.agent, token))
    before = sorted((server.data / "nodejs").iterdir())
    gone = uploads(sender.api, "disconnected")
    parts = urlsplit(base)
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        head = f"POST {ADDRESS}?{query} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        connection.sendall(f"{head}Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode())
        piece = b'--b\r\nContent-Disposition: form-data; name="x.diag"\r\n\r\n' + PACKED[:40]
        connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        time.sleep(0.2)

    eventually(lambda: uploads(sender.api, "disconnected") == gone + 1, "the end of it")
    assert sorted((server.data / "nodejs").iterdir()) == before
    assert sender.send(words, [("x.diag", PACKED)]).json()["ok"]


def test_the_address_is_for_posting_files_and_others_are_the_consoles(server, client):
    assert client.get(ADDRESS).json()["ok"] is False
    assert client.post(f"{ADDRESS}/more").status_code in {404, 405}


def test_files_are_marked_listed_and_deleted_with_what_is_stored(sender, server):
    words = sender.begin().ready().asked_to_send()
    sender.send(words, [("x.diag", PACKED)])
    address = f"/api/v1/nodejs/files/{sender.file['id']}"
    client = sender.api.client
    marked = client.patch(address, json={"favourite": True, "note": "see line 3"}).json()
    assert (marked["favourite"], marked["note"]) == (True, "see line 3")
    assert client.patch(address, json={"note": ""}).json()["favourite"] is True

    listed = client.get("/api/v1/nodejs/files", params={"app": sender.api.id, "favourite": True}).json()["items"]
    assert [it["id"] for it in listed] == [sender.file["id"]]
    before = len(list((server.data / "nodejs").iterdir()))
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404
    assert len(list((server.data / "nodejs").iterdir())) == before - 1


def test_a_long_list_comes_in_pages(server, api, play):
    played = play("host-pages").there()
    sender = Sender(server, api, played)
    made = []
    for _ in range(3):
        sender.begin()
        made.append(sender.file["id"])
    first = api.client.get("/api/v1/nodejs/files", params={"agent": "host-pages", "limit": 2}).json()
    rest = api.client.get(
        "/api/v1/nodejs/files", params={"agent": "host-pages", "limit": 2, "cursor": first["next"]}
    ).json()

    assert [it["id"] for it in first["items"] + rest["items"]] == made[::-1]
    assert rest["next"] is None


def test_who_may_only_read_changes_nothing(server, api):
    with server.client(server.token("read")) as reader:
        assert reader.get("/api/v1/nodejs/files").status_code == 200
        for method, address in (
            ("POST", api.of("host", "processes/7/actions")),
            ("POST", api.of("host", "processes/7/config")),
            ("POST", "/api/v1/nodejs/files/1/transfer"),
            ("PATCH", "/api/v1/nodejs/files/1"),
            ("DELETE", "/api/v1/nodejs/files/1"),
        ):
            assert reader.request(method, address, json={}).status_code == 403
