"""What `sonde debug` shows and writes, whatever a process says of itself."""

from __future__ import annotations

import hashlib

import pytest

from sonde.cli import CommandError
from sonde.cli.debugging import tree
from sonde.cli.debugging.agents import socket_of
from sonde.cli.debugging.files import Files
from sonde.cli.debugging.page import Page, cut, shown
from sonde.wire.profile import Frame, Tree

DOCUMENT = {
    "tool": "cpu",
    "pid": 7,
    "service": "shop",
    "instance": "shop-1",
    "python": "3.13.0",
    "started_at": "2026-01-01T00:00:00.000Z",
    "seconds": 1.5,
    "notes": ["a note that is long enough to be wrapped " * 4],
    "summary": {
        "hz": 100,
        "total_ns": 1_500_000_000,
        "native": True,
        "empty": [],
        "functions": [{"name": f"f{n}", "self_ns": n * 1000, "size_bytes": n << 20, "tid": 12345} for n in range(40)],
        "text": "one\ntwo",
        "nested": {"share": 0.25},
    },
}


def test_figures_have_their_units_and_tables_an_end():
    text = Page(100).result(DOCUMENT, [])

    assert text.startswith("cpu of process 7  shop shop-1\n2026-01-01T00:00:00.000Z, 1.5 s, Python 3.13.0\n")
    for words in (
        "total   1.5 s",
        "native  yes",
        "29 µs",
        "29.0 MiB",
        "12345",
        "… and 10 more",
        "  two",
        "share  0.25",
    ):
        assert words in text
    assert "empty" not in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("took_ns", 0, "0 ns"),
        ("took_ns", 999, "999 ns"),
        ("took_ms", 1500, "1.5 s"),
        ("took_s", 7200, "7,200 s"),
        ("bytes", 1023, "1023 B"),
        ("kept_bytes", -2048, "-2.0 KiB"),
        ("count", 1234567, "1,234,567"),
        ("thread_id", 1234567, "1234567"),
        ("share", 0.12345, "0.123"),
        ("seen", False, "no"),
        ("name", None, ""),
    ],
)
def test_a_value_is_shown_with_the_unit_of_its_name(key, value, text):
    assert shown(key, value) == text


def test_nothing_that_a_process_says_moves_the_cursor():
    evil = "\x1b[2J\x07\u202e\r"
    document = {
        "tool": evil,
        "notes": [evil],
        "summary": {evil: evil, "rows": [{evil: evil, "more": [[evil]]}], "text": f"{evil}\n{evil}"},
    }
    for text in (
        Page(80).result({**DOCUMENT, **document, "service": evil}, []),
        Page(80).tools([{"name": evil, "why_not": evil, "options": {evil: {"default": evil, "doc": evil}}}]),
        Page(80).processes([{"pid": 1, "service": evil, "command": evil}]),
    ):
        assert "\x1b" not in text
        assert not {"\x07", "\u202e", "\r"} & set(text)


def test_a_tree_shows_the_heavy_branches_first_and_leaves_out_the_light():
    made = Tree(10_000)
    hot, cold, rare = (Frame(name, "/app/shop.py", 1) for name in ("hot", "cold", "rare"))
    main = Frame("main", "/app/shop.py", 1)
    made.add([(main, 9), (cold, 20)], 300_000_000)
    made.add([(main, 9), (hot, 30)], 690_000_000)
    made.add([(main, 9), (rare, 40)], 10_000_000)

    lines = list(tree.lines(made.profile("cpu", "nanoseconds", 1, 1), 80))

    assert [line.split()[3] for line in lines] == ["main", "hot", "cold"]
    assert lines[1] == " 69.0%   690 ms   hot  /app/shop.py:30"


def test_a_tree_has_an_end():
    made = Tree(10_000)
    for number in range(45):
        made.add([(Frame(f"f{number}", "", 0), 0)], 1)
    deep = Tree(10_000)
    deep.add([(Frame(f"f{number}", "", 0), 0) for number in range(2000)], 1)
    for profile in (made.profile("cpu", "count", 0, 0), deep.profile("cpu", "count", 0, 0)):
        lines = list(tree.lines(profile, 80))
        assert len(lines) == tree.MAX_LINES + 1
        assert lines[-1].endswith("are in the file")
    assert list(tree.lines(Tree(1).profile("cpu", "count", 0, 0), 80)) == []


def test_what_is_cut_keeps_its_end():
    assert cut("/a/long/path.py", 8) == "…path.py"
    assert cut("short", 8) == "short"


def artifact(name, content):
    return {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_files_have_their_names_once_they_are_whole(tmp_path):
    with Files(tmp_path / "out") as files:
        files.add("a.bin", 0, b"abc")
        files.add("b.bin", 0, b"x")
        files.add("a.bin", 3, b"def")
        assert files.finished([artifact("a.bin", b"abcdef"), artifact("empty", b"")]) == [
            tmp_path / "out" / "a.bin",
            tmp_path / "out" / "empty",
        ]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.bin", "empty"]
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0


def test_files_that_are_not_as_they_were_sent_are_not_kept(tmp_path):
    with Files(tmp_path / "out") as files:
        files.add("a.bin", 0, b"abc")
        with pytest.raises(CommandError, match=r"a\.bin: a piece is missing at 3"):
            files.add("a.bin", 5, b"x")
        with pytest.raises(CommandError, match="did not arrive as it was sent"):
            files.finished([artifact("a.bin", b"abd")])
        with pytest.raises(CommandError, match=r"c\.bin did not arrive"):
            files.finished([artifact("c.bin", b"x")])
    assert list((tmp_path / "out").iterdir()) == []


def test_without_a_file_there_is_no_folder(tmp_path):
    with Files(tmp_path / "out"):
        pass
    assert not (tmp_path / "out").exists()


def test_the_socket_is_that_of_the_process(tmp_path, monkeypatch):
    """Its environment, then the settings file in its folder, then the user's place."""
    import os
    import subprocess
    import sys

    def started(**environment):
        command = [sys.executable, "-c", "print('up', flush=True); input()"]
        both = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, **both)
        assert process.stdout.readline() == b"up\n"  # until then its environment may be ours
        return process

    def of(process):
        with process:
            try:
                return socket_of(process.pid)
            finally:
                process.communicate(b"\n")

    monkeypatch.chdir("/")
    default = "/run/sonde/agent.sock" if os.geteuid() == 0 else "/x/sonde/agent.sock"
    assert of(started(XDG_RUNTIME_DIR="/x")) == default
    (tmp_path / "sonde.toml").write_text('[probe]\nsocket = "/from/file.sock"\n')
    assert of(started()) == "/from/file.sock"
    assert of(started(SONDE_SOCKET="/from/environment.sock")) == "/from/environment.sock"
    (tmp_path / "other.toml").write_text('[probe]\nsocket = "/from/other.sock"\n')
    assert of(started(SONDE_CONFIG="other.toml")) == "/from/other.sock"
