"""A played agent against the whole server: who is heard, who is sent away, and what a person is told."""

import json
import socket
import time

import pytest
from nodejs_harness import FRAME_MAX_BYTES, Played, capture, frame
from websockets.exceptions import ConnectionClosed

from started.waiting import eventually

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS


def now_ms():
    return int(time.time() * 1000)


def counted(api, line):
    """The figure behind `line` on /metrics."""
    page = api.client.get("/metrics").text
    return next((float(it.rpartition(" ")[2]) for it in page.splitlines() if it.startswith(line)), 0.0)


def refused(api, reason):
    return counted(api, f'sonde_xtransit_refused_total{{reason="{reason}"}}')


def is_shut_down(agent):
    assert agent.hear()["type"] == "shutdown"


def hears_nothing(agent, api):
    """A frame after it is heard: nobody was sent away."""
    agent.there()
    with pytest.raises(TimeoutError):
        agent.hear(0.2)


def test_an_agent_is_there_after_its_heartbeat_on_any_path(play, api):
    agent = play("host-path").there()

    found = api.instance("host-path")

    assert found["connected"]
    assert abs(found["clock_offset_ms"]) < 5000
    agent.close()
    eventually(lambda: not api.instance("host-path")["connected"], "an agent that has gone")


def test_nothing_is_acknowledged(play, api):
    agent = play("host-quiet")
    agent.log("error_log", {})
    agent.log("package", {"pkgs": []})
    agent.log("core_files", {"list": []})
    agent.log("something_new", {"x": 1})
    agent.say("unknown_type")

    hears_nothing(agent, api)


def test_a_wrong_secret_is_told_to_stop_and_to_a_person(play, api):
    agent = play("host-wrong", secret="another one")
    agent.say()

    is_shut_down(agent)
    assert "host-wrong" in api.hints()["wrong_signature"]
    assert api.instance("host-wrong") is None


@pytest.mark.parametrize("app", ["0123456789ab", 4711, "no id"])
def test_an_unknown_app_is_told_to_stop(play, api, app):
    agent = play("host-nowhere", app=app)
    agent.say()

    is_shut_down(agent)
    assert "host-nowhere" in api.hints()["unknown_app"]


@pytest.mark.parametrize("missing", ["appId", "clientId"])
def test_a_frame_that_does_not_say_whose_it_is_is_told_to_stop(play, api, missing):
    agent = play("host-missing")
    said = json.loads(frame(api.id, api.secret))
    del said[missing]
    agent.socket.send(json.dumps(said))

    is_shut_down(agent)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"type": 1', "[" * 10_000, "\x00"])
def test_what_is_no_message_changes_nothing(play, api, text):
    agent = play("host-garbled")
    before = refused(api, "bad_json")
    agent.socket.send(text)

    hears_nothing(agent, api)
    assert refused(api, "bad_json") == before + 1


def test_a_renewed_secret_counts_at_once_and_the_old_one_no_more(play, api):
    agent = play("host-renewed").there()
    address = f"/api/v1/apps/{api.id}/secret"
    try:
        api.secret = agent.secret = api.client.post(address).json()["secret"]
        agent.there()
        old = play("host-old", secret="sonde_secret_old")
        old.say()
        is_shut_down(old)
    finally:
        api.secret = api.client.get(address).json()["secret"]


def test_an_app_whose_secret_cannot_be_read_sends_nobody_away(server, play, api, client):
    import sqlite3

    app = client.post("/api/v1/apps", json={"name": "made before"}).json()
    with sqlite3.connect(server.data / "metadata.sqlite3", timeout=30) as database:
        database.execute("UPDATE apps SET secret_sealed = NULL WHERE id = ?", (app["id"],))
    agent = play("host-before", app=app["id"], secret=app["secret"])
    before = refused(api, "secret_unreadable")
    agent.say()

    eventually(lambda: refused(api, "secret_unreadable") == before + 1, "a refusal")
    hints = client.get("/api/v1/connect/hints").json()["items"]
    assert any(it["app"] == app["id"] and "sonde app secret" in it["text"] for it in hints)
    agent.secret = client.post(f"/api/v1/apps/{app['id']}/secret").json()["secret"]
    agent.say()
    with pytest.raises(TimeoutError):
        agent.hear(0.3)


@pytest.mark.parametrize(("skew_ms", "heard"), [(-DAY_MS, False), (DAY_MS, True), (-4 * MINUTE_MS, True)])
def test_a_clock_that_is_wrong_is_a_hint_and_no_shutdown(play, api, skew_ms, heard):
    name = f"host-skew{skew_ms}"
    agent = play(name)
    agent.say(at_ms=now_ms() + skew_ms)

    eventually(lambda: name in api.hints().get("clock_skew", ""), "a hint")
    assert ((api.instance(name) or {}).get("connected") or False) == heard
    with pytest.raises(TimeoutError):
        agent.hear(0.2)


def test_frames_that_waited_for_an_outage_count_after_a_heartbeat_on_that_connection(play, api):
    late = now_ms() - 10 * MINUTE_MS
    agent = play("host-late")
    before = refused(api, "too_old")
    agent.log("core_files", {"list": [{"core_path": "/early"}]}, at_ms=late)
    eventually(lambda: refused(api, "too_old") == before + 1, "a refusal")
    agent.there()
    agent.log("core_files", {"list": [{"core_path": "/core.1", "executable_path": "/node"}]}, at_ms=late)

    found = eventually(lambda: api.get("host-late", "cores")["items"], "the core")
    assert [it["core_path"] for it in found] == ["/core.1"]


def test_a_burst_with_the_heartbeat_last_is_taken(play, api):
    agent = play("host-burst")
    agent.log("core_files", {"list": [{"core_path": "/core.2"}]})
    agent.log("package", {"pkgs": [{"name": "/package.json", "pkg": '{"name": "shop"}'}, {}]})
    agent.say()

    eventually(lambda: api.get("host-burst", "cores")["items"], "the core")
    assert eventually(lambda: api.get("host-burst", "packages")["items"], "the package")[0]["name"] == "shop"


def test_what_comes_twice_is_kept_once_and_a_new_package_takes_the_place_of_the_old(play, api):
    agent = play("host-twice").there()
    for _ in range(2):
        agent.log("core_files", {"list": [{"core_path": "/core.3", "node_version": "20"}]})
    for version in ("1.0.0", "2.0.0"):
        pkg = json.dumps({"name": "shop", "version": version})
        agent.log("package", {"pkgs": [{"name": "/package.json", "pkg": pkg, "lock": "{}"}]})

    eventually(lambda: [it["version"] for it in api.get("host-twice", "packages")["items"]] == ["2.0.0"], "the new one")
    assert len(api.get("host-twice", "cores")["items"]) == 1
    detail = api.get("host-twice", "packages/detail", file="/package.json")
    assert detail["locked"] == []
    assert detail["problem"]


def test_a_program_that_connects_again_replaces_its_old_connection(play, api):
    first = play("host-again").there()
    second = play("host-again")
    second.client = first.client
    second.there()

    with pytest.raises(ConnectionClosed):
        first.hear()
    assert api.instance("host-again")["connected"]


def test_two_agents_of_one_name_both_stay_and_a_person_is_told(play, api):
    first, second = play("host-same").there(), play("host-same").there()
    first.say()
    second.say()

    eventually(lambda: "host-same" in api.hints().get("same_name", ""), "a hint")
    for agent in (first, second):
        agent.say()
        with pytest.raises(TimeoutError):
            agent.hear(0.2)


def test_a_giant_frame_ends_its_connection_and_no_other(play, api):
    other, agent = play("host-calm").there(), play("host-giant").there()
    agent.log("package", {"pkgs": [{"name": "/x", "pkg": "x" * FRAME_MAX_BYTES}]})

    with pytest.raises(ConnectionClosed):
        agent.hear()
    assert "xtransit_max_frame_bytes" in eventually(lambda: api.hints().get("too_large"), "a hint")
    other.there()


def test_strangers_who_speak_no_websocket_disturb_nobody(server, play, api):
    address = ("127.0.0.1", int(server.xtransit_url.rpartition(":")[2]))
    half_open = [socket.create_connection(address) for _ in range(20)]
    for stranger in half_open[:10]:
        stranger.sendall(b"\x16\x03\x01 no http\r\n\r\n")

    play("host-among-strangers").there()
    for stranger in half_open:
        stranger.close()


def test_a_connection_that_dies_without_a_word_can_come_again(server, api, play):
    agent = play("host-cut").there()
    agent.socket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    agent.socket.socket.close()

    play("host-cut").there()


def test_commands_are_split_at_blanks_so_a_path_with_one_is_never_sent(play, api):
    agent = play("host-blank").there()
    agent.log("core_files", {"list": [{"core_path": "/with space/core"}]})
    eventually(lambda: api.get("host-blank", "cores")["items"], "the core")
    agent.serve({})

    answer = api.post("host-blank", "cores/transfer", core_path="/with space/core")

    file = answer.json()
    message = (
        file["error"]["message"] if "error" in file else eventually(lambda: api.file(file["id"])["message"], "why")
    )
    assert "blanks" in message
    assert not [it for it in agent.commands if it.startswith("upload_file")]


def test_commands_to_the_addon_go_one_at_a_time_and_others_together(play, api):
    agent = play("host-turns").there()
    agent.commands = []
    import threading

    def ask(rest):
        api.client.get(api.of("host-turns", rest))

    asking = [threading.Thread(target=ask, args=(rest,)) for rest in ("processes/7/config", "processes/8/config", "os")]
    for thread in asking:
        thread.start()
    first, second = agent.hear(), agent.hear()
    commands = [it["data"]["command"] for it in (first, second)]
    assert sum(it.startswith("xprofctl") for it in commands) == 1
    with pytest.raises(TimeoutError):
        agent.hear(0.5)
    for asked in (first, second):
        agent.answer(asked, "{}")
    third = agent.hear()
    assert third["data"]["command"].startswith("xprofctl")
    assert third["data"]["expiredTime"] == 15_000
    agent.answer(third, "{}")
    for thread in asking:
        thread.join()


def test_an_answer_to_nothing_or_to_another_agents_question_is_only_counted(play, api):
    before = counted(api, 'sonde_xtransit_commands_total{command="any",result="late"}')
    agent, other = play("host-answers").there(), play("host-others").there()
    import threading

    got = []
    asking = threading.Thread(target=lambda: got.append(api.get("host-answers", "os")))
    asking.start()
    asked = agent.hear()
    other.answer(asked, '{"nodeVersion": "forged"}')
    agent.say("response", {"ok": True, "data": {}}, trace="nobody asked")
    eventually(
        lambda: counted(api, 'sonde_xtransit_commands_total{command="any",result="late"}') == before + 2, "a count"
    )
    agent.answer(asked, '{"nodeVersion": "20.0.0"}')
    asking.join()
    assert got[0]["node_version"] == "20.0.0"


def test_what_an_agent_says_no_to_is_said_in_its_own_words(play, api):
    agent = play("host-no").there()
    import threading

    got = []
    asking = threading.Thread(target=lambda: got.append(api.post("host-no", "processes/7/actions", action="diag")))
    asking.start()
    asked = agent.hear()
    assert asked["data"]["command"] == "xprofctl 7 diag_report {}"
    agent.answer(asked, "", "process <7> not enable xprofiler")
    asking.join()

    assert got[0].status_code == 409
    assert got[0].json()["error"] == {
        "code": "refused_by_agent",
        "message": "xprofctl: process <7> not enable xprofiler",
    }
    assert api.client.get(api.of("host-away", "os")).json()["error"]["code"] == "not_connected"


def test_the_recorded_exchanges_are_taken_frame_by_frame(server, client):
    """With another app's id and a time of now: what was recorded is signed for an app that is not ours."""
    from nodejs_harness import Api

    app = client.post("/api/v1/apps", json={"name": "replayed"}).json()
    api = Api(client, app)
    _, records = capture()
    frames = [json.loads(it["raw"]) for it in records if it["dir"] == "c2s"]
    shift = now_ms() - max(it["timestamp"] for it in frames)
    before = counted(api, "sonde_xtransit_frames_total")
    heartbeats = Played(server, api, "agent-01").there()
    for said in frames:
        data = json.loads(json.dumps(said["data"]))
        inner = data.get("data")
        if isinstance(inner, dict) and "log_timestamp" in inner:
            inner["log_timestamp"] += shift
        heartbeats.say(said["type"], data, at_ms=now_ms(), trace=said["traceId"], agent="agent-01")
    heartbeats.there()

    processes = eventually(
        lambda: [it for it in api.get("agent-01", "processes")["items"] if it["heap_used_bytes"] is not None],
        "the recorded processes",
    )
    assert {it["pid"]: it["threads"] for it in processes} == {9: [0], 10: [0, 1]}
    assert counted(api, "sonde_xtransit_frames_total") >= before
    assert api.get("agent-01", "packages")["items"][0]["dependencies"][0]["locked"] == "4.17.15"
    assert api.get("agent-01", "cores")["items"][0]["core_path"] == "/srv/demo/cores/core.4242"
    assert api.get("agent-01", "system")["latest"]["disks"] == {"/": pytest.approx(0.3, abs=0.03)}
    heartbeats.close()
