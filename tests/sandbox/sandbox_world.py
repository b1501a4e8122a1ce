"""A served sandbox and a plain HTTP client of its three providers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

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

LOGIN = {
    "user_external_application_id": CARECLOUD_APPLICATION_ID,
    "login": CARECLOUD_LOGIN,
    "password": CARECLOUD_PASSWORD,
}

Json = dict[str, Any]


class World:
    """What the tests ask, with the credentials of the first customer unless told otherwise."""

    def __init__(self, sandbox: Sandbox, http: httpx.Client) -> None:
        self.sandbox = sandbox
        self.http = http
        self._access = ""
        self._bearer = ""

    def credentials(self, provider: str, number: int = 0, account: int = 0) -> str:
        accounts = self.sandbox.sample_customers()[number]["accounts"]
        found = [
            each["credentials"][provider] for each in accounts if provider in each["credentials"]
        ]
        return str(next(iter(found[account].values())))

    def renew(self, refresh_token: str | None = None) -> Json:
        token = refresh_token or self.credentials("cloudreve")
        url = f"{CLOUDREVE}/session/token/refresh"
        return dict(self.http.post(url, json={"refresh_token": token}).json())

    def cloudreve(self, path: str, token: str | None = None, **query: str | int) -> Json:
        if token is None:
            self._access = self._access or self.renew()["data"]["access_token"]
            token = self._access
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self.http.get(CLOUDREVE + path, params=dict(query), headers=headers)
        assert answer.status_code == 200
        return dict(answer.json())

    def walk(self, path: str, key: str, **query: str) -> list[Json]:
        """Every row of a Cloudreve list, by its cursor."""
        rows: list[Json] = []
        token = ""
        while True:
            data = self.cloudreve(path, page_size=10, next_page_token=token, **query)["data"]
            rows += data[key] or []
            if "next_token" not in data["pagination"]:
                return rows
            token = data["pagination"]["next_token"]

    def hostup(self, path: str, key: str | None = None, **query: str | int) -> httpx.Response:
        headers = {"X-API-Key": self.credentials("hostup") if key is None else key}
        return self.http.get(HOSTUP + path, params=dict(query), headers=headers)

    def transactions(self, body: object, **query: str | int) -> httpx.Response:
        headers = {"X-API-Key": self.credentials("hostup")}
        url = f"{HOSTUP}/billing/transactions"
        return self.http.post(url, json=body, params=dict(query), headers=headers)

    def log_pages(self) -> list[list[Json]]:
        """Every page of the HostUp credit log."""
        pages: list[list[Json]] = []
        more = True
        while more:
            data = self.hostup("/billing/credit-log", page=len(pages)).json()["data"]
            pages.append(data["log"])
            more = data["hasMore"]
        return pages

    def log_in(self) -> Json:
        return dict(self.http.post(f"{CARECLOUD}/users/actions/login", json=LOGIN).json()["data"])

    def carecloud(self, path: str, *, language: str = "en", **query: str | int) -> httpx.Response:
        self._bearer = self._bearer or self.log_in()["bearer_token"]
        headers = {"Authorization": f"Bearer {self._bearer}", "Accept-Language": language}
        asked = {"customer_id": self.credentials("carecloud"), **query}
        return self.http.get(CARECLOUD + path, params=asked, headers=headers)

    def records(self, *, language: str = "en", **query: str | int) -> list[Json]:
        asked = {"count": 1000, **query}
        rows = self.carecloud("/credit-history", language=language, **asked).json()
        return list(rows["data"]["credit_history"])


@contextmanager
def serving(sandbox: Sandbox) -> Iterator[World]:
    with (
        SandboxServer(sandbox) as server,
        httpx.Client(base_url=server.url, timeout=5) as http,
    ):
        yield World(sandbox, http)
