"""The emulated providers: for trying the gateway out, and for testing it.

Nothing of the gateway is imported here, and the gateway imports nothing from here.
"""

from app.sandbox.app import create_app
from app.sandbox.carecloud.logins import APPLICATION_ID as CARECLOUD_APPLICATION_ID
from app.sandbox.carecloud.logins import LOGIN as CARECLOUD_LOGIN
from app.sandbox.carecloud.logins import PASSWORD as CARECLOUD_PASSWORD
from app.sandbox.history import ControlError
from app.sandbox.sandbox import Sandbox
from app.sandbox.server import SandboxServer, run

__all__ = [
    "CARECLOUD_APPLICATION_ID",
    "CARECLOUD_LOGIN",
    "CARECLOUD_PASSWORD",
    "ControlError",
    "Sandbox",
    "SandboxServer",
    "create_app",
    "run",
]
