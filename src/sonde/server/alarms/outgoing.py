"""One request to somebody else's server: to the address that was checked, no redirects followed, little read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from sonde.server.alarms.errors import BadNotifierError
from sonde.server.alarms.targets import addresses, parse_target

WITHIN_S = 10.0
ANSWER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Request:
    """A POST."""

    url: str
    body: bytes
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


class Answer(NamedTuple):
    """`status` 0: there was none, and `text` says why."""

    status: int
    text: str


def post(request: Request, *, local_allowed: bool, within_s: float = WITHIN_S) -> Answer:
    """Send it, once. Raises nothing: what goes wrong is the answer."""
    try:
        target = parse_target(request.url)
        found = addresses(target.host, target.port, "url", local_allowed=local_allowed)
    except BadNotifierError as error:
        return Answer(0, str(error))
    except OSError as error:
        return Answer(0, f"the name cannot be found: {error.strerror or error}")
    headers = {"User-Agent": "Sonde", "Content-Type": request.media_type, **request.headers, "Host": target.host_header}
    pool: HTTPConnectionPool
    if target.scheme == "https":
        pool = HTTPSConnectionPool(
            found[0], target.port, server_hostname=target.host, assert_hostname=target.host, timeout=within_s
        )
    else:
        pool = HTTPConnectionPool(found[0], target.port, timeout=within_s)
    try:
        response = pool.request(
            "POST",
            target.path,
            body=request.body,
            headers=headers,
            retries=False,
            redirect=False,
            preload_content=False,
        )
        text = response.read(ANSWER_BYTES).decode("utf-8", "replace")
        response.close()
    except (HTTPError, OSError) as error:
        return Answer(0, _said(error))
    finally:
        pool.close()
    return Answer(response.status, text)


def _said(error: BaseException) -> str:
    """Without urllib3's own wrapping, which names the pool and not the host."""
    reason = getattr(error, "reason", None) or error
    return str(reason).rpartition(">: ")[2][:300] or type(error).__name__
