"""Nobody asks who is calling: `auth.mode = "none"`, refused unless the host is loopback."""

from app.model.viewer import Scope, Viewer

ANONYMOUS = Viewer("anonymous", frozenset(Scope))
