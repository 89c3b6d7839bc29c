"""Whether a job may run: signed by our server, for this host, in time, for the first time, allowed, and the process is
the one that was meant. In this order, and the first no is the answer.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
from typing import TYPE_CHECKING

from sonde.agent.control.seen_processes import is_instance
from sonde.wire.control import ASK, MessageError, job_body, parsed_moment

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from sonde.agent.control.policy import Policy
    from sonde.agent.receiving.probes import Probe
    from sonde.wire.control import Job

log = logging.getLogger(__name__)

MAX_SEEN = 8192
MAX_SEEN_BYTES = 1 << 20


class RefusedError(Exception):
    """The job does not run. `job_id` is empty where not even that could be believed."""

    def __init__(self, job_id: str, reason: str, message: str) -> None:
        super().__init__(message)
        self.job_id = job_id
        self.reason = reason


class Trust:
    """The server's key: a setting, else the one it named at the first contact, kept for its address."""

    def __init__(self, file: Path, server: str, given: str) -> None:
        self._file = file
        self._server = server
        self._given = given
        self.key = given or self._kept().get(server, "")
        self.problem = ""

    def met(self, key: str) -> None:
        """The server says that this is its key."""
        if not self.key:
            self.key = key
            try:
                self._keep(key)
            except OSError as error:
                log.warning("the server's key cannot be kept in %s: %s", self._file, error.strerror)
            log.info("the key of %s is %s from now on", self._server, key)
        self.problem = ""
        if key != self.key:
            where = "the setting control_key" if self._given else str(self._file)
            self.problem = (
                f"the server's key is not the one that this host knows from {where}: no job is accepted. Change it "
                "there if the server was set up anew"
            )
            log.error("%s (%s instead of %s)", self.problem, key, self.key)

    def verify(self, body: str, signature: str) -> str:
        """Why the signature over `body` is none; empty: it is one."""
        # Imported here: a host that is never asked for anything need not have these megabytes in memory.
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

        if self.problem:
            return self.problem
        try:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(self.key, validate=True))
        except (binascii.Error, ValueError):
            return "the server's key is no Ed25519 key in base64"
        try:
            key.verify(base64.b64decode(signature, validate=True), body.encode())
        except (InvalidSignature, binascii.Error, ValueError):
            return "the job is not signed by the server that this host knows"
        return ""

    def _kept(self) -> dict[str, str]:
        try:
            kept = json.loads(self._file.read_text())
        except FileNotFoundError:
            return {}
        except ValueError:
            kept = None
        if not isinstance(kept, dict):
            # Not an empty one: whoever can damage the file must not make this host trust another server.
            self._server_unknown()
            return {self._server: "-"}
        return {str(server): str(key) for server, key in kept.items()}

    def _server_unknown(self) -> None:
        log.error("%s cannot be read: no job is accepted until it is removed", self._file)

    def _keep(self, key: str) -> None:
        kept = json.dumps({**self._kept(), self._server: key})
        _replace(self._file, kept)


class Seen:
    """Ids and nonces of jobs that have come, until they have expired: also over a restart."""

    def __init__(self, file: Path, now: Callable[[], datetime]) -> None:
        self._file = file
        self._now = now
        self._until: dict[str, str] = {}  # id or nonce -> when its job expires
        try:
            kept = json.loads(file.read_bytes()[:MAX_SEEN_BYTES])
            self._until = {str(word): str(until) for word, until in kept.items()}
        except FileNotFoundError:
            log.debug("no job has ever come")
        except (ValueError, AttributeError) as error:
            log.warning("%s cannot be read: jobs of the last minute could be repeated: %s", file, error)

    def first(self, job: Job) -> bool:
        """Whether neither its id nor its nonce was here before; from now on they were. Raises OSError."""
        words = {job["id"], job["nonce"]}
        if words & self._until.keys():
            return False
        now = self._now()
        self._until = {word: until for word, until in self._until.items() if not _is_over(until, now)}
        self._until |= dict.fromkeys(words, job["expires_at"])
        _replace(self._file, json.dumps(self._until))
        return True

    @property
    def is_full(self) -> bool:
        """Whether no more can be remembered for now."""
        now = self._now()
        return len(self._until) >= MAX_SEEN and not any(_is_over(until, now) for until in self._until.values())


class Checks:
    """What a job has to pass."""

    def __init__(
        self,
        trust: Trust,
        seen: Seen,
        node: str,
        policy: Callable[[], Policy],
        process: Callable[[int], Probe | None],
        now: Callable[[], datetime],
    ) -> None:
        """`policy` reads it anew; `process` finds a process of this host and app that has a probe."""
        self.trust = trust
        self._seen = seen
        self._node = node
        self._policy = policy
        self._process = process
        self._now = now

    def passed(self, body: str, signature: str, *, room: int) -> Job:
        """The job. `room`: so many more may run. Raises RefusedError."""
        problem = self.trust.verify(body, signature)
        if problem:
            raise RefusedError(_id_of(body), "bad_signature", problem)
        try:
            job = job_body(body)
            issued, expires = parsed_moment(job["issued_at"]), parsed_moment(job["expires_at"])
        except MessageError as error:
            raise RefusedError(_id_of(body), "bad_options", str(error)) from None
        if job["node"] != self._node:
            raise RefusedError(job["id"], "wrong_node", f"the job is for the node {job['node']}, not {self._node}")
        now = self._now()
        if not issued - (expires - issued) <= now < expires:
            raise RefusedError(
                job["id"],
                "expired",
                f"the job may begin until {job['expires_at']}, and this host's clock says {now:%Y-%m-%dT%H:%M:%SZ}",
            )
        self._first_time(job)
        process = self._process(job["pid"])
        self._allowed(job, process.service if process else "")
        if process is None:
            message = f"no process {job['pid']} with a probe of this app is connected; it may have ended"
            raise RefusedError(job["id"], "gone", message)
        if not is_instance(process, job["instance"]):
            raise RefusedError(job["id"], "gone", f"process {job['pid']} is another one by now")
        if room <= 0:
            raise RefusedError(job["id"], "busy", "too many jobs are under way on this host; wait for one to end")
        return job

    def service_of(self, pid: int) -> str:
        """Of the process, as far as it is known."""
        process = self._process(pid)
        return process.service if process else ""

    def _first_time(self, job: Job) -> None:
        if self._seen.is_full:
            raise RefusedError(job["id"], "busy", "too many jobs came within the last minute")
        try:
            first = self._seen.first(job)
        except OSError as error:
            message = f"this host cannot write down that it has seen the job: {error.strerror}"
            raise RefusedError(job["id"], "disk_full", message) from None
        if not first:
            raise RefusedError(job["id"], "replayed", "this job has come before")

    def _allowed(self, job: Job, service: str) -> None:
        policy = self._policy()
        asks = job["tool"] == ASK
        problem = policy.refuses_service(service) if asks else policy.refuses(job["tool"], job["seconds"], service)
        if problem:
            raise RefusedError(job["id"], "not_allowed", problem)


def _id_of(body: str) -> str:
    """The id that a body claims to be of: for the answer only."""
    try:
        return job_body(body)["id"]
    except MessageError:
        return ""


def _is_over(until: str, now: datetime) -> bool:
    try:
        return parsed_moment(until) <= now
    except MessageError:
        return True


def _replace(file: Path, content: str) -> None:
    """Put `content` in place of the file's, whole or not at all. Raises OSError."""
    new = file.with_suffix(".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(handle, "w", encoding="utf-8") as opened:  # noqa: PTH123 - made with its mode
        opened.write(content)
    new.replace(file)
