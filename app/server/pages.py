"""
The pages that the gateway serves itself: what `make web` built into `app/web/built/`.

Each is a folder there, laid out as it is served: the page, and the files that it loads, whose names
change with what they hold.
"""

from importlib.resources import files
from os import PathLike, stat_result
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

BUILT = Path(str(files("app.web"))) / "built"

# A page loads, runs and asks nothing but what comes from where it comes from itself. A WebSocket
# to the same host and port is 'self' too.
_NOTHING_ELSE = (
    "default-src 'none'; script-src 'self'; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
)
# The editor lays out its lines by style attributes and writes its theme into style elements; with
# nothing loaded from elsewhere a style can tell nobody.
_FOR_EDITORS = "style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src 'self'"
# No text becomes markup, whatever a provider or a customer is called.
_FOR_OURS = "style-src 'self'; img-src 'self'; require-trusted-types-for 'script'"


class Design(NamedTuple):
    """One page: its name, its folder in what was built, where it is, what it may do, its switch."""

    name: str
    folder: str
    path: str
    policy: str
    switch: str

    @property
    def assets(self) -> str:
        """Where the files are that it loads."""
        return f"{self.path}/assets"

    def page(self, built: Path = BUILT) -> Path:
        """Return the page itself, which is there if it was built."""
        return built / self.folder / "index.html"

    def files(self, built: Path = BUILT) -> Path:
        """Return the folder of the files that it loads."""
        return built / self.folder / self.assets.removeprefix("/")


GRAPHIQL = Design(
    "GraphiQL", "graphiql", "/graphql", _NOTHING_ELSE + _FOR_EDITORS, "graphql.graphiql"
)
DASHBOARD = Design(
    "The dashboard", "dashboard", "/dashboard", _NOTHING_ELSE + _FOR_OURS, "server.dashboard"
)

# The system's own table of types differs from machine to machine, and `nosniff` makes it matter.
_TYPES = MappingProxyType(
    {
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
        ".ttf": "font/ttf",
    }
)
_NOT_BUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Credit Gateway</title>
<h1>{design.name} is not built here</h1>
<p>The gateway works: <code>POST /graphql</code> answers queries.
<p>To have a page at this address, run <code>make web</code> where the gateway is installed from
(it needs Node.js with npm), and start the gateway again.
<p>To have nothing here, set <code>{design.switch} = false</code>.
</html>
"""


class Page:
    """A page for a browser, or how to build it where that was not done."""

    def __init__(self, design: Design, built: Path = BUILT) -> None:
        try:
            self._body, caching = design.page(built).read_bytes(), "no-cache"
        except FileNotFoundError:
            self._body, caching = _NOT_BUILT.format(design=design).encode(), "no-store"
        self._headers = {
            "Cache-Control": caching,
            "Content-Security-Policy": design.policy,
            "Referrer-Policy": "no-referrer",
            "Vary": "Accept",  # there may be others than browsers at the same address
            "X-Content-Type-Options": "nosniff",
        }

    def answer(self, _: Request | None = None) -> Response:
        """Return the response, whoever asks."""
        return HTMLResponse(self._body, headers=self._headers)


def loaded(design: Design, built: Path = BUILT) -> list[Mount]:
    """Return where the files are that a page loads; nowhere, if it was not built."""
    folder = design.files(built)
    return [Mount(design.assets, Assets(folder, design.policy))] if folder.is_dir() else []


class Assets(StaticFiles):
    """Serves what a page loads: files whose names change with what they hold."""

    def __init__(self, folder: Path, policy: str) -> None:
        super().__init__(directory=folder)
        self._policy = policy

    def file_response(
        self,
        full_path: str | PathLike[str],
        stat_result: stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return the file, with what a browser has to know of it."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        # A worker has the policy of its own file, not the page's.
        response.headers["Content-Security-Policy"] = self._policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        if "Content-Type" in response.headers:
            response.headers["Content-Type"] = _TYPES.get(
                Path(full_path).suffix, "application/octet-stream"
            )
        return response
