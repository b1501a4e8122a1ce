"""
A fast upstream: what the sandbox answered once, given to whoever asks for as many rows.

The sandbox builds every answer anew, which takes it longer than the servers that are measured take
for theirs. As a command it serves a recording: its arguments are the recording, the port, and the
milliseconds that each answer takes.
"""

import asyncio
import base64
import json
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import uvicorn
from starlette.types import Receive, Scope, Send

from app.sandbox import (
    CARECLOUD_APPLICATION_ID,
    CARECLOUD_LOGIN,
    CARECLOUD_PASSWORD,
    Sandbox,
    SandboxServer,
)

CLOUDREVE = "/cloudreve/api/v4"
HOSTUP = "/hostup/api"
CARECLOUD = "/carecloud/webservice/rest-api/enterprise-interface/v1.0"
COUNTED = "/counted"
# HostUp's own size of a page; the others are asked for as many rows.
ROWS = 25
# Fifty rows in all, where nothing is merged and all rows are given.
FEWER_ROWS = {"cloudreve": 13, "carecloud": 12}
_ROWS_ASKED = re.compile(rb"(?:page_size|count)=(\d+)")


class Recording(NamedTuple):
    """Answers by path and rows asked for, and what is needed to ask for them."""

    answers: dict[str, bytes]
    cloudreve_token: str
    carecloud_token: str
    hostup_key: str
    customer_id: str
    units: dict[str, str]

    def lists(self) -> list[list[dict[str, Any]]]:
        """Return fifty rows as the providers give them, a list for each."""
        cloudreve, carecloud = FEWER_ROWS["cloudreve"], FEWER_ROWS["carecloud"]
        found = (
            (f"{CLOUDREVE}/user/creditChanges {cloudreve}", "changes"),
            (f"{HOSTUP}/billing/credit-log ", "log"),
            (f"{CARECLOUD}/credit-history {carecloud}", "credit_history"),
        )
        return [json.loads(self.answers[key])["data"][name] for key, name in found]

    def save(self, file: Path) -> None:
        """Write the answers for the command below."""
        written = {key: base64.b64encode(body).decode() for key, body in self.answers.items()}
        file.write_text(json.dumps(written))


def record(entries: int) -> Recording:
    """Ask a sandbox for its first customer's newest rows, and all that has to be asked before."""
    with SandboxServer(Sandbox(entries=entries)) as providers:
        credentials = {
            account["provider"]: next(iter(account["credentials"].values()))
            for account in providers.sandbox.sample_customers()[0]["accounts"]
        }
        with httpx.Client(base_url=providers.url, trust_env=False) as http:
            return _recorded(http, credentials)


def _recorded(http: httpx.Client, credentials: dict[str, dict[str, str]]) -> Recording:
    answers: dict[str, bytes] = {}

    def keep(response: httpx.Response) -> dict[str, Any]:
        response.raise_for_status()
        asked = _ROWS_ASKED.search(response.request.url.query)
        answers[_key(response.request.url.path, asked[1] if asked else b"")] = response.content
        answer: dict[str, Any] = response.json()
        return answer

    refresh = {"refresh_token": credentials["cloud"]["refreshToken"]}
    tokens = keep(http.post(f"{CLOUDREVE}/session/token/refresh", json=refresh))["data"]
    login = {
        "user_external_application_id": CARECLOUD_APPLICATION_ID,
        "login": CARECLOUD_LOGIN,
        "password": CARECLOUD_PASSWORD,
    }
    care_token = keep(http.post(f"{CARECLOUD}/users/actions/login", json=login))["data"]
    as_user = {"Authorization": f"Bearer {tokens['access_token']}"}
    as_client = {"X-API-Key": credentials["hosting"]["apiKey"]}
    as_operator = {"Authorization": f"Bearer {_bearer(care_token)}", "Accept-Language": "en"}
    customer_id = credentials["loyalty"]["customerId"]
    for rows in (ROWS, FEWER_ROWS["cloudreve"]):
        changes: dict[str, str | int] = {"page_size": rows, "order_direction": "desc"}
        keep(http.get(f"{CLOUDREVE}/user/creditChanges", params=changes, headers=as_user))
    keep(http.get(f"{HOSTUP}/billing/credit-log", params={"page": 0}, headers=as_client))
    keep(http.get(f"{HOSTUP}/account/currency", headers=as_client))
    currencies = keep(http.get(f"{CARECLOUD}/currencies", headers=as_operator))["data"]
    for rows in (ROWS, FEWER_ROWS["carecloud"]):
        history: dict[str, str | int] = {
            "customer_id": customer_id,
            "count": rows,
            "sort_field": "credit_history_record_time",
            "sort_direction": "DESC",
        }
        keep(http.get(f"{CARECLOUD}/credit-history", params=history, headers=as_operator))
    return Recording(
        answers,
        tokens["access_token"],
        _bearer(care_token),
        credentials["hosting"]["apiKey"],
        customer_id,
        {one["currency_id"]: one["code"] for one in currencies["currencies"]},
    )


def _bearer(login: dict[str, Any]) -> str:
    token: str = login["bearer_token"]
    return token


def _key(path: str, rows: bytes) -> str:
    return f"{path} {rows.decode()}"


class _Upstream:
    """An ASGI application; `/counted` tells how often it was asked."""

    def __init__(self, answers: dict[str, bytes], latency_seconds: float) -> None:
        self._answers = answers
        self._latency_seconds = latency_seconds
        self._calls = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == COUNTED:
            body = str(self._calls).encode()
        else:
            self._calls += 1
            if scope["method"] != "GET":
                while (await receive()).get("more_body"):
                    pass
            asked = _ROWS_ASKED.search(scope["query_string"])
            body = self._answers.get(_key(scope["path"], asked[1] if asked else b""), b"")
            if self._latency_seconds:
                await asyncio.sleep(self._latency_seconds)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        status = 200 if body else 404
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _serve(recording: str, port: str, latency_ms: str) -> None:
    written = json.loads(Path(recording).read_text())
    answers = {key: base64.b64decode(body) for key, body in written.items()}
    app = _Upstream(answers, float(latency_ms) / 1000)
    uvicorn.run(app, port=int(port), lifespan="off", access_log=False, log_level="warning")


if __name__ == "__main__":
    _serve(*sys.argv[1:])
