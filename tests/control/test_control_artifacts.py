"""Files on the server's disk: bounded, and never believed before their digest."""

import hashlib

import pytest
from small_disk import small_disk

from sonde.server.control.artifacts import Artifacts
from sonde.server.control.errors import ArtifactError
from sonde.wire.control import Piece

MIB = 1 << 20


def artifacts_in(folder, job=10 * MIB, all_jobs=20 * MIB, free=0):
    return Artifacts(folder, job_max_bytes=job, max_bytes=all_jobs, min_free_bytes=free)


def facts(name, data):
    digest = hashlib.sha256(data).hexdigest()
    return {"name": name, "media_type": "text/plain", "bytes": len(data), "sha256": digest}


def test_pieces_become_a_file_once_its_digest_is_right(tmp_path):
    artifacts = artifacts_in(tmp_path)
    assert artifacts.complete("ab", facts("x", b"abcdef")) == 0, "nothing of it is there"
    assert artifacts.store("ab", Piece("ab", "x", 0, 6, b"abc")) == 3
    assert artifacts.complete("ab", facts("x", b"abcdef")) == 3
    assert artifacts.store("ab", Piece("ab", "x", 3, 6, b"xyz")) == 6
    assert artifacts.complete("ab", facts("x", b"abcdef")) == 0, "it has to be sent again"
    assert artifacts.store("ab", Piece("ab", "x", 0, 6, b"abcdef")) == 6
    assert not artifacts.path("ab", "x").exists()

    assert artifacts.complete("ab", facts("x", b"abcdef")) is None

    assert artifacts.path("ab", "x").read_bytes() == b"abcdef"
    assert artifacts.complete("ab", facts("x", b"abcdef")) is None, "as often as it is asked"
    assert artifacts.used_bytes == 6
    assert artifacts_in(tmp_path).used_bytes == 6, "also after a restart"


def test_files_are_for_nobody_but_the_server(tmp_path):
    artifacts_in(tmp_path / "a").store("ab", Piece("ab", "x", 0, 3, b"abc"))

    assert (tmp_path / "a" / "ab").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a" / "ab" / ".x").stat().st_mode & 0o777 == 0o600


def test_a_job_and_all_jobs_together_are_bounded_before_the_disk_is(tmp_path):
    artifacts = artifacts_in(tmp_path, job=MIB, all_jobs=MIB + 10)

    with pytest.raises(ArtifactError, match="more than 1 MiB") as raised:
        artifacts.store("ab", Piece("ab", "x", 0, MIB + 1, b"a"))
    assert raised.value.reason == "too_large"
    artifacts.store("ab", Piece("ab", "x", 0, MIB, b"a" * 100_000))
    artifacts.store("ab", Piece("ab", "x", 100_000, MIB, b"a" * 100_000))
    with pytest.raises(ArtifactError, match="more than 1 MiB"):
        artifacts.store("ab", Piece("ab", "second", 0, MIB, b"a"))
    with pytest.raises(ArtifactError, match="artifacts_max_bytes") as raised:
        artifacts.store("cd", Piece("cd", "x", 0, MIB, b"a"))
    assert raised.value.reason == "disk_full"

    artifacts.remove("ab")
    assert artifacts.store("cd", Piece("cd", "x", 0, MIB, b"a")) == 1


def test_the_disk_is_left_what_the_spool_needs(tmp_path):
    artifacts = artifacts_in(tmp_path, free=1 << 60)

    with pytest.raises(ArtifactError, match="no room") as raised:
        artifacts.store("ab", Piece("ab", "x", 0, 1, b"a"))
    assert raised.value.reason == "disk_full"


@pytest.fixture
def disk(tmp_path):
    """One MiB."""
    with small_disk(tmp_path / "disk", 1) as folder:
        yield folder


def test_a_disk_that_is_full_is_a_failure_with_words_and_can_be_freed(disk):
    artifacts = artifacts_in(disk / "artifacts")
    (disk / "other").write_bytes(bytes(900 << 10))

    # It has room for the piece's announcement, and then somebody else takes it.
    artifacts._min_free_bytes = -MIB
    with pytest.raises(ArtifactError, match="no room") as raised:
        artifacts.store("ab", Piece("ab", "x", 0, 256 << 10, bytes(256 << 10)))
    assert raised.value.reason == "disk_full"
    artifacts.remove("ab")
    assert artifacts.used_bytes == 0

    (disk / "other").unlink()
    assert artifacts.store("ab", Piece("ab", "x", 0, 256 << 10, bytes(256 << 10))) == 256 << 10
