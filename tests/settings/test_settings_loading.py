"""A configuration that can be used: what it means, with its defaults and the environment."""

import base64
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from app.model.accounts import ProviderKind
from app.model.entries import CreditChangeKind
from app.model.errors import ConfigurationError
from app.settings import (
    CareCloudSettings,
    CloudreveSettings,
    HostUpSettings,
    Rate,
    Settings,
    load,
    provider_kind,
    reference,
)

KEY = base64.b64encode(b"k" * 32).decode()
OLDER_KEY = base64.b64encode(b"o" * 32).decode()
VAULT = {"GATEWAY_VAULT_KEY": KEY}

SMALLEST = """
[auth]
mode = "none"
"""

WHOLE = """
[server]
host = "localhost"
port = 8001
request_timeout = "2500ms"
max_in_flight = 10
cors_origins = ["https://app.example.com", "http://localhost:3000"]

[cache]
url = "rediss://gateway:hunter2@redis.example.com:6380/2"
fresh_for = "30s"
stale_for = "7d"
rebuild_after = "15m"

[directory]
url = "sqlite:///kept/customers.db"

[vault]
keys = ["env:GATEWAY_VAULT_KEY", "file:older.key"]

[auth]
mode = "none"
issuer = "https://login.example.com/"
jwks_url = "https://login.example.com/.well-known/jwks.json"
development_key = "file:development.key"

[limits]
page_size = 1000
rate = "5/second"

[graphql]
graphiql = false
trusted_documents = "trusted.json"

[providers.cloud]
kind = "cloudreve"
base_url = "https://cloud.example.com/api/v4/"
points_unit = "credits"
page_size = 10
fresh_for = "0s"

[providers.hosting]
kind = "hostup"
base_url = "http://127.0.0.1:9000/hostup/api"
max_body = "512KiB"

[providers.loyalty]
kind = "carecloud"
base_url = "http://crm.example.com/webservice/rest-api/enterprise-interface/v1.0"
allow_http = true
time_zone = "Europe/Prague"
external_application_id = "app"
login = "gateway"
password = "env:CARECLOUD_PASSWORD"
operation_kinds = { "Manually added credits" = "ADJUSTMENT" }
negative_operations = ["Redemption"]
"""


def loaded(folder: Path, text: str, environ: Mapping[str, str] = VAULT) -> Settings:
    path = folder / "gateway.toml"
    path.write_text(text, "utf-8")
    return load(path, environ)


def whole(folder: Path, environ: Mapping[str, str] | None = None) -> Settings:
    (folder / "older.key").write_text(OLDER_KEY + "\n", "utf-8")
    (folder / "trusted.json").write_text('{"a1": "{ viewer { subject } }"}', "utf-8")
    (folder / "development.key").write_text("correct horse battery staple, twice", "utf-8")
    return loaded(folder, WHOLE, {**VAULT, "CARECLOUD_PASSWORD": "s3cret", **(environ or {})})


def test_the_smallest_file_has_the_documented_defaults(tmp_path: Path) -> None:
    settings = loaded(tmp_path, SMALLEST)

    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8000)
    assert settings.server.request_timeout == timedelta(seconds=10)
    assert (settings.server.max_in_flight, settings.server.cors_origins) == (256, ())
    assert settings.cache.url.get_secret_value() == "embedded://"
    assert settings.cache.fresh_for == timedelta(seconds=60)
    assert settings.cache.stale_for == settings.cache.rebuild_after == timedelta(hours=24)
    assert settings.auth.audience == "credit-gateway"
    assert settings.auth.customer_claim == "customer"
    assert settings.limits.model_dump() == {
        "page_size": 100,
        "cost": 2000,
        "depth": 12,
        "aliases": 30,
        "root_fields": 20,
        "fields": 1000,
        "directives": 50,
        "tokens": 2000,
        "rate": {"count": 600, "per": timedelta(minutes=1)},
    }
    assert settings.graphql.graphiql
    assert settings.vault_keys() == (b"k" * 32,)
    assert settings.providers == {}


def test_a_relative_database_is_beside_the_configuration(tmp_path: Path) -> None:
    folder = tmp_path.as_posix()

    beside = loaded(tmp_path, SMALLEST).directory.url
    below = whole(tmp_path).directory.url
    elsewhere = loaded(
        tmp_path, SMALLEST + '[directory]\nurl = "sqlite:////srv/x.db"'
    ).directory.url

    assert beside.get_secret_value() == f"sqlite:///{folder}/credit-gateway.db"
    assert below.get_secret_value() == f"sqlite:///{folder}/kept/customers.db"
    assert elsewhere.get_secret_value() == "sqlite:////srv/x.db"


@pytest.mark.parametrize("options", ["", "?sslmode=verify-full&sslrootcert=/etc/ca.pem"])
def test_a_postgresql_is_taken_as_it_is_written_and_shown_without_its_password(
    tmp_path: Path, options: str
) -> None:
    address = f"postgresql://gateway:hunter2@db.example.com:5433/credits{options}"

    url = loaded(tmp_path, SMALLEST + f'[directory]\nurl = "{address}"').directory.url

    assert url.get_secret_value() == address
    assert str(url) == "postgresql://***@db.example.com:5433/credits"


def test_every_kind_of_provider_has_its_own_settings(tmp_path: Path) -> None:
    settings = whole(tmp_path)

    cloud, hosting, loyalty = (settings.providers[name] for name in ("cloud", "hosting", "loyalty"))
    assert isinstance(cloud, CloudreveSettings)
    assert (cloud.name, cloud.base_url) == ("cloud", "https://cloud.example.com/api/v4")
    assert (cloud.page_size, cloud.points_unit) == (10, "credits")
    assert (cloud.timeout, cloud.max_concurrency) == (timedelta(seconds=5), 16)
    assert (cloud.rate, cloud.max_body) == (Rate(120, timedelta(minutes=1)), 8 * 1024**2)
    assert isinstance(hosting, HostUpSettings)
    assert hosting.time_zone == ZoneInfo("Europe/Stockholm")
    assert (hosting.page_size, hosting.max_body) == (None, 512 * 1024)
    assert isinstance(loyalty, CareCloudSettings)
    assert loyalty.time_zone == ZoneInfo("Europe/Prague")
    assert loyalty.password.get_secret_value() == "s3cret"
    assert loyalty.operation_kinds == {"Manually added credits": CreditChangeKind.ADJUSTMENT}
    assert loyalty.negative_operations == ("Redemption",)
    assert (loyalty.page_size, loyalty.language) == (100, "en")


def test_kinds_are_told_as_the_other_layers_name_them(tmp_path: Path) -> None:
    settings = whole(tmp_path)

    assert settings.provider_kinds() == {
        "cloud": ProviderKind.CLOUDREVE,
        "hosting": ProviderKind.HOSTUP,
        "loyalty": ProviderKind.CARECLOUD,
    }
    assert provider_kind(settings.providers["hosting"]) is ProviderKind.HOSTUP


def test_trusted_documents_are_read_from_their_file(tmp_path: Path) -> None:
    settings = whole(tmp_path)

    assert settings.graphql.trusted_documents == {"a1": "{ viewer { subject } }"}
    assert loaded(tmp_path, SMALLEST).graphql.trusted_documents == {}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"a1": 1}', '{"a1": "{"', "[" * 100_000])
def test_a_file_of_no_documents_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "trusted.json").write_text(content, "utf-8")

    with pytest.raises(ConfigurationError, match=r"^graphql\.trusted_documents: (in )?its file"):
        loaded(tmp_path, SMALLEST + '[graphql]\ntrusted_documents = "trusted.json"')


def test_a_provider_without_its_own_freshness_has_the_caches(tmp_path: Path) -> None:
    settings = whole(tmp_path)

    assert settings.fresh_for("cloud") == timedelta(0)
    assert settings.fresh_for("hosting") == timedelta(seconds=30)


def test_secrets_are_read_from_variables_and_files(tmp_path: Path) -> None:
    settings = whole(tmp_path)

    assert settings.vault_keys() == (b"k" * 32, b"o" * 32)
    assert settings.auth.development_key is not None
    assert settings.auth.development_key.get_secret_value() == "correct horse battery staple, twice"


def test_no_secret_is_in_what_is_shown_of_the_settings(tmp_path: Path) -> None:
    settings = whole(tmp_path)

    shown = f"{settings!r} {settings} {settings.cache.url} {settings.model_dump_json()}"
    for secret in ("hunter2", "s3cret", "correct horse", KEY, OLDER_KEY):
        assert secret not in shown
    assert str(settings.cache.url) == "rediss://***@redis.example.com:6380/2"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis+cluster://10.0.0.1:7000", "redis+cluster://10.0.0.1:7000"),
        ("redis+cluster://u:hunter2@a:1,b:2,[::1]:3/", "redis+cluster://***@a:1,b:2,[::1]:3/"),
        ("redis+sentinel://:hunter2@a:1,b:2/main", "redis+sentinel://***@a:1,b:2/main"),
        ("redis+sentinel://a:1/main/3", "redis+sentinel://a:1/main/3"),
    ],
)
def test_several_servers_are_accepted_and_their_password_not_shown(
    url: str, shown: str, tmp_path: Path
) -> None:
    settings = loaded(tmp_path, f'{SMALLEST}\n[cache]\nurl = "{url}"')

    assert settings.cache.url.get_secret_value() == url
    assert str(settings.cache.url) == shown


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = loaded(tmp_path, SMALLEST)

    with pytest.raises(ValidationError):
        settings.server.port = 1  # type: ignore[misc]


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    environ = {
        "GATEWAY_CACHE__URL": "redis://127.0.0.1:6379/0",
        "GATEWAY_CACHE__FRESH_FOR": "5s",
        "GATEWAY_SERVER__PORT": "9000",
        "GATEWAY_SERVER__CORS_ORIGINS": '["https://other.example.com"]',
        "GATEWAY_LIMITS__PAGE_SIZE": "20",
        "GATEWAY_GRAPHQL__GRAPHIQL": "true",
        "GATEWAY_VAULT__KEYS": '["env:OTHER_KEY"]',
        "OTHER_KEY": OLDER_KEY,
        "GATEWAY_PROVIDERS__CLOUD__BASE_URL": "https://other.example.com/api/v4",
        "GATEWAY_PROVIDERS__LOYALTY__OPERATION_KINDS": '{"Redemption": "SPEND"}',
        "GATEWAY_PROVIDERS__LOYALTY__PASSWORD": "another",
    }

    settings = whole(tmp_path, environ)

    assert settings.cache.url.get_secret_value() == "redis://127.0.0.1:6379/0"
    assert settings.cache.fresh_for == timedelta(seconds=5)
    assert settings.server.port == 9000
    assert settings.server.cors_origins == ("https://other.example.com",)
    assert settings.limits.page_size == 20
    assert settings.graphql.graphiql
    assert settings.vault_keys() == (b"o" * 32,)
    assert settings.providers["cloud"].base_url == "https://other.example.com/api/v4"
    loyalty = settings.providers["loyalty"]
    assert isinstance(loyalty, CareCloudSettings)
    assert loyalty.operation_kinds == {"Redemption": CreditChangeKind.SPEND}
    assert loyalty.password.get_secret_value() == "another"


def test_a_provider_can_be_configured_by_the_environment_alone(tmp_path: Path) -> None:
    table = '{"kind": "hostup", "base_url": "https://a.example.com", "rate": "1/hour"}'
    environ = {
        **VAULT,
        "GATEWAY_PROVIDERS__NEW": table,
        "GATEWAY_PROVIDERS__NEW__BASE_URL": "https://b.example.com",
    }

    settings = loaded(tmp_path, SMALLEST, environ)

    assert settings.providers["new"].base_url == "https://b.example.com"
    assert settings.providers["new"].rate == Rate(1, timedelta(hours=1))


def test_an_underscore_in_a_variable_finds_a_provider_named_with_a_dash(tmp_path: Path) -> None:
    text = f'{SMALLEST}[providers.my-cloud]\nkind = "cloudreve"\nbase_url = "https://a.example.com"'
    environ = {**VAULT, "GATEWAY_PROVIDERS__MY_CLOUD__PAGE_SIZE": "50"}

    settings = loaded(tmp_path, text, environ)

    assert settings.providers["my-cloud"].page_size == 50


def test_variables_without_a_double_underscore_are_the_users_own(tmp_path: Path) -> None:
    environ = {**VAULT, "GATEWAY_PORT": "tcp://10.0.0.1:80", "GATEWAY_": "x", "OTHER__A": "y"}

    assert loaded(tmp_path, SMALLEST, environ).server.port == 8000


def test_the_reference_has_every_key_once_for_each_kind_with_all_its_columns() -> None:
    rows = reference()

    defaults = {key: default for key, _, default, _ in rows}
    assert all(all(row) for row in rows)
    assert defaults["server.request_timeout"] == '"10s"'
    assert defaults["cache.stale_for"] == '"24h"'
    assert defaults["cache.fresh_for"] == '"60s"'
    assert defaults["limits.rate"] == '"600/minute"'
    assert defaults["vault.keys"] == '["env:GATEWAY_VAULT_KEY"]'
    assert defaults["providers.<name>.max_body"] == '"8MiB"'
    assert defaults["providers.<name>.base_url"] == "required"
    assert defaults["providers.<name>.fresh_for"] == "unset"
    assert len({(key, description) for key, _, _, description in rows}) == len(rows)
    assert "providers.<name>.name" not in defaults
