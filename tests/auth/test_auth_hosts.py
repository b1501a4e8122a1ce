"""Without access control only names of this machine are answered to."""

import pytest
from raw import exchange
from world import World

pytest_plugins = ("auth_fixtures",)

WHO = {"query": "{ viewer { subject } }"}
OURS = ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:8000", "127.9.9.9", "[::1]", "[::1]:1"]
OTHERS = [
    "evil.example.com",
    "evil.example.com:8000",
    "localhost.evil.example.com",
    "127.0.0.1.evil.example.com",
    "127.0.0.1@evil.example.com",
    "evil.example.com#localhost",
    "10.0.0.1",
    "0.0.0.0",  # noqa: S104 - asked for, not bound
    "2130706433",
    "[::2]:1",
    "localhost:",
    "localhost:a",
    "",
]


@pytest.mark.parametrize("host", OURS)
def test_a_loopback_name_is_answered(open_world: World, host: str) -> None:
    assert open_world.http.post("/graphql", json=WHO, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", OTHERS)
def test_another_host_is_refused_before_anything_is_asked(open_world: World, host: str) -> None:
    post = open_world.http.post("/graphql", json=WHO, headers={"Host": host})
    page = open_world.http.get("/graphql", headers={"Host": host, "Accept": "text/html"})

    for response in (post, page):
        assert response.status_code in {400, 421}
        assert "subject" not in response.text
    if host:
        assert "localhost" in post.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (b"Host: localhost\r\n", {200}),
        (b"Host: localhost\r\nHost: localhost\r\n", {400, 421}),
        (b"Host: localhost\r\nX-Forwarded-Host: evil.example.com\r\n", {200}),
        (b"Host: evil.example.com\r\nX-Forwarded-Host: localhost\r\n", {421}),
        (b"", {400, 421}),
    ],
)
def test_exactly_one_host_header_counts(
    open_world: World, lines: bytes, expected: set[int]
) -> None:
    request = b"GET /graphql?query={viewer{subject}} HTTP/1.1\r\n" + lines + b"\r\n"

    assert exchange(open_world.url, request).status in expected


def test_probes_are_answered_under_any_name(open_world: World) -> None:
    headers = {"Host": "gateway.internal"}

    assert open_world.http.get("/livez", headers=headers).status_code == 200
    assert open_world.http.get("/readyz", headers=headers).status_code == 200


def test_with_access_control_any_name_is_answered(steady: World) -> None:
    headers = {"Host": "gateway.example.com"}

    assert steady.http.post("/graphql", json=WHO, headers=headers).status_code == 401
