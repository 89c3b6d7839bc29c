"""Headers that tell a browser what our pages need, and to allow nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Scripts come from our own files only. Styles may stand in elements: the component library sets them there.
_ALLOWED = (
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
)
_IN_NO_FRAME = (b"x-frame-options", b"DENY")
HEADERS = (
    (b"content-security-policy", "; ".join(_ALLOWED).encode()),
    (b"x-content-type-options", b"nosniff"),
    _IN_NO_FRAME,
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)


SHARED = "/shared/"
"""Below it are pages that other sites may show in a frame, where a setting says so. They need no session."""


def in_frames_of(origins: str) -> tuple[tuple[bytes, bytes], ...]:
    """HEADERS of a page that those sites may show in a frame. `origins` as CSP writes them."""
    allowed = "; ".join(_ALLOWED).replace("frame-ancestors 'none'", f"frame-ancestors {origins}")
    others = [header for header in HEADERS[1:] if header is not _IN_NO_FRAME]
    return ((b"content-security-policy", allowed.encode()), *others)


class SecurityHeaders:
    """Puts HEADERS on every answer. `embed_origins`: who may show shared dashboards in a frame; empty: nobody."""

    def __init__(self, app: ASGIApp, embed_origins: str = "") -> None:
        self._app = app
        self._shared = in_frames_of(embed_origins) if embed_origins else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        headers = self._shared if scope["path"].startswith(SHARED) else HEADERS

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        await self._app(scope, receive, send_with_headers)
