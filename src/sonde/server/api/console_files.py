"""The console: static files made from `web/`, and its first page for every address that is a page of its router."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp, Scope

_ASSETS = "assets/"
_NOT_PAGES = ("api/", "v1/", _ASSETS)
_FOR_EVER = "public, max-age=31536000, immutable"
_NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Sonde</title>
<h1>The console is not built</h1>
<p>The server runs; its pages are made by <code>make web</code> (Node 20 or newer), and come with every released wheel.
<p>The API is at <code>/api/v1</code>, described by <code>/api/v1/openapi.json</code>.
"""


class ConsoleFiles(StaticFiles):
    """Files whose name carries a hash are kept by the browser for ever; everything else is asked for each time."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, check_dir=False)
        self._first_page = folder / "index.html"

    async def check_config(self) -> None:
        """No folder is no fault: see _NOT_BUILT."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or the first page. Raises HTTPException."""
        if path in {".", "index.html"}:
            return self._page(scope)
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or path.startswith(_NOT_PAGES):
                raise
            return self._page(scope)
        response.headers["Cache-Control"] = _FOR_EVER if path.startswith(_ASSETS) else "no-cache"
        return response

    def _page(self, scope: Scope) -> Response:
        if not self._first_page.is_file():
            return HTMLResponse(_NOT_BUILT, 503)
        response = self.file_response(self._first_page, self._first_page.stat(), scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def console(folder: Path) -> ASGIApp:
    """The files of `folder`, compressed on the way."""
    return GZipMiddleware(ConsoleFiles(folder), minimum_size=1400, compresslevel=5)
