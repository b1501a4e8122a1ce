"""GraphiQL's page and the files that it loads, as `make web` built them into `app/web/built/`."""

from importlib.resources import files
from os import PathLike, stat_result
from pathlib import Path
from types import MappingProxyType

from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

BUILT = Path(str(files("app.web"))) / "built"
ASSETS = "/graphql/assets"

# The page loads, runs and asks nothing but what comes from where it comes from itself. A WebSocket
# to the same host and port is 'self' too. The editor lays out its lines by style attributes and
# writes its theme into style elements; with nothing loaded from elsewhere a style can tell nobody.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; worker-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
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
_NOT_BUILT = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Credit Gateway</title>
<h1>GraphiQL is not built here</h1>
<p>The gateway works: <code>POST /graphql</code> answers queries.
<p>To have GraphiQL at this address, run <code>make web</code> where the gateway is installed from
(it needs Node.js with npm), and start the gateway again.
<p>To have nothing here, set <code>graphql.graphiql = false</code>.
</html>
"""


class Page:
    """GraphiQL for a browser at `/graphql`, or how to build it where that was not done."""

    def __init__(self, built: Path = BUILT) -> None:
        try:
            self._body, caching = (built / "index.html").read_bytes(), "no-cache"
        except FileNotFoundError:
            self._body, caching = _NOT_BUILT, "no-store"
        self._headers = {
            "Cache-Control": caching,
            "Content-Security-Policy": _POLICY,
            "Referrer-Policy": "no-referrer",
            "Vary": "Accept",
            "X-Content-Type-Options": "nosniff",
        }

    def answer(self) -> Response:
        """Return the response, whoever asks."""
        return HTMLResponse(self._body, headers=self._headers)


class Assets(StaticFiles):
    """Serves what the page loads: files whose names change with what they hold."""

    def __init__(self, built: Path = BUILT) -> None:
        super().__init__(directory=built / "graphql" / "assets")

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
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        if "Content-Type" in response.headers:
            response.headers["Content-Type"] = _TYPES.get(
                Path(full_path).suffix, "application/octet-stream"
            )
        return response
