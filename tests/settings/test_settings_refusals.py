"""A configuration that cannot be used: the line that names the key and says what to write."""

import base64
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from app.model.errors import ConfigurationError
from app.settings import load, without_password

SECRET = "hunter2-hunter2"
ENVIRON = {"GATEWAY_VAULT_KEY": base64.b64encode(b"k" * 32).decode()}

JWT = '[auth]\nissuer = "https://login.example.com/"\n'
KEYS = "https://login.example.com/keys"
NONE = '[auth]\nmode = "none"\n'
CLOUD = NONE + '[providers.cloud]\nkind = "cloudreve"\nbase_url = "https://cloud.example.com"\n'
HOSTING = NONE + '[providers.hosting]\nkind = "hostup"\nbase_url = "https://host.example.com"\n'
LOYALTY = (
    NONE + '[providers.loyalty]\nkind = "carecloud"\nbase_url = "https://crm.example.com"\n'
    'external_application_id = "app"\nlogin = "gateway"\npassword = "p"\n'
)
ZONED = LOYALTY + 'time_zone = "Europe/Prague"\n'


def pem(*, private: bool = False, bits: int = 2048) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    if private:
        return key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


PEM = pem()


def cloud_at(url: str) -> str:
    return f'{NONE}[providers.cloud]\nkind = "cloudreve"\nbase_url = "{url}"\n'


def refused(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> str:
    path = folder / "gateway.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(path, {**ENVIRON, **(environ or {})})
    # What came before would be shown with it in a log, and may hold what was written.
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert SECRET not in line
    return line


BAD = [
    # Keys and sections
    ("sever = 1\n" + NONE, "sever: is not a key; did you mean server?"),
    ("cache = 5", "cache: write a table, [cache]"),
    (NONE + "[cache]\nfresh_four = '1s'", "cache.fresh_four: is not a key; did you mean fresh_for"),
    (NONE + '[cache]\n"a\\nb" = 1', 'cache."a\\nb": is not a key'),
    # Numbers, flags, durations, sizes, rates
    (NONE + "[server]\nport = 65536", "server.port: write a whole number from 0 to 65535"),
    (NONE + "[server]\nport = true", "server.port: "),
    (NONE + "[server]\nport = 1.0", "server.port: "),
    (NONE + "[server]\nmax_in_flight = 0", "server.max_in_flight: "),
    (NONE + "[server]\nhost = ''", "server.host: "),
    (NONE + "[server]\nrequest_timeout = 10", "server.request_timeout: write a duration"),
    (NONE + "[server]\nrequest_timeout = '0s'", "server.request_timeout: write a duration above"),
    (NONE + "[server]\nrequest_timeout = '1 s'", "server.request_timeout: "),
    (NONE + "[server]\nrequest_timeout = '-1s'", "server.request_timeout: "),
    (NONE + "[cache]\nstale_for = '999999999999d'", "cache.stale_for: is too long"),
    (NONE + "[cache]\nstale_for = '3651d'", "cache.stale_for: is too long; write at most 3650d"),
    (NONE + "[graphql]\ngraphiql = 'yes'", "graphql.graphiql: write true or false"),
    (NONE + "[limits]\npage_size = 1001", "limits.page_size: write a whole number from 1 to 1000"),
    (NONE + "[limits]\ndepth = 0", "limits.depth: "),
    (NONE + "[limits]\nrate = '0/minute'", "limits.rate: write a rate"),
    (NONE + "[limits]\nrate = '1/fortnight'", "limits.rate: "),
    (CLOUD + "max_body = '8MB'", "providers.cloud.max_body: write a size"),
    (CLOUD + "max_body = 0", "providers.cloud.max_body: "),
    # Origins
    (
        NONE + '[server]\ncors_origins = "https://a.example.com"',
        "server.cors_origins: write a list",
    ),
    (NONE + '[server]\ncors_origins = ["*"]', "server.cors_origins[0]: "),
    (NONE + '[server]\ncors_origins = ["https://a.example.com/"]', "server.cors_origins[0]: "),
    (NONE + '[server]\ncors_origins = ["https://a", "https://B"]', "server.cors_origins[1]: "),
    # Addresses
    *(
        (NONE + f'[cache]\nurl = "{url}"', f"cache.url: {said}")
        for url, said in (
            (f"redis+cluster://u:{SECRET}@h", "must name each server with its port"),
            (f"redis+cluster://u:{SECRET}@h:1,:2", "must name each server"),
            (f"redis+cluster://u:{SECRET}@h:1,h:99999", "must name each server"),
            (f"redis+cluster://u:{SECRET}/x@h:1", "must name each server"),
            (f"redis+cluster://u:{SECRET}@[h:1", "must name each server"),
            ("redis+cluster://", "must name each server"),
            (f"redis+cluster://u:{SECRET}@h:1/2", "must end after its servers"),
            (f"redis+cluster://u:{SECRET}@h:1?db=2", "must end before any"),
            (f"redis+cluster://u:{SECRET} @h:1", "write "),
            (f"redis+sentinel://u:{SECRET}@h:1", "must name the primary"),
            (f"redis+sentinel://u:{SECRET}@h:1/", "must name the primary"),
            (f"redis+sentinel://u:{SECRET}@h:1/m/x", "must name the primary"),
            (f"redis+sentinel://u:{SECRET}@h/m", "must name each server with its port"),
        )
    ),
    (NONE + f'[cache]\nurl = "redis://u:{SECRET}@h:port"', "cache.url: write "),
    (NONE + f'[cache]\nurl = "redis://u:{SECRET}@[h"', "cache.url: "),
    (NONE + '[cache]\nurl = "redis://h/name"', "cache.url: "),
    (NONE + '[cache]\nurl = "redis://"', "cache.url: "),
    (NONE + '[cache]\nurl = "unix://"', "cache.url: "),
    (NONE + '[cache]\nurl = "embedded://x"', "cache.url: "),
    (NONE + '[cache]\nurl = "memcached://h"', "cache.url: "),
    *(
        (NONE + f'[directory]\nurl = "{url}"', f"directory.url: {said}")
        for url, said in (
            (f"postgres://u:{SECRET}@h/d", "must be written as"),
            (f"postgresql+asyncpg://u:{SECRET}@h/d", "must be written as"),
            (f"postgresql://u:{SECRET}@h", "must name a host and a database"),
            (f"postgresql://u:{SECRET}@h/", "must name a host and a database"),
            (f"postgresql://u:{SECRET}@h/d/e", "must name a host and a database"),
            (f"postgresql://u:{SECRET}@/d", "must name a host and a database"),
            (f"postgresql://u:{SECRET}@h/d#x", "must name a host and a database"),
            (f"postgresql://u:{SECRET}@h:port/d", "write "),
            (f"postgresql://u:{SECRET}@h/d?sslmode=on", "has an sslmode that is none"),
            (f"postgresql://u:{SECRET}@h/d?{SECRET}=on", "has an option that is not known"),
            (f"postgresql://u:{SECRET}@h/d?{SECRET}", "write "),
        )
    ),
    (NONE + f'[directory]\nurl = "mysql://u:{SECRET}@h/d"', "directory.url: write "),
    (NONE + '[directory]\nurl = "sqlite:///:memory:"', "directory.url: must name a file"),
    (NONE + '[directory]\nurl = "sqlite://"', "directory.url: "),
    (NONE + '[directory]\nurl = "sqlite:///a.db?mode=ro"', "directory.url: "),
    (cloud_at("cloud.example.com"), "providers.cloud.base_url: write an address"),
    (cloud_at("http://cloud.example.com"), "providers.cloud.base_url: http is only for loopback"),
    (cloud_at("http://127.evil.example"), "providers.cloud.base_url: http is only for loopback"),
    (cloud_at(f"https://u:{SECRET}@a.example.com"), "providers.cloud.base_url: must not hold a "),
    (cloud_at(f"https://a.example.com?k={SECRET}"), "providers.cloud.base_url: must end before"),
    (cloud_at("https://a.example.com/#x"), "providers.cloud.base_url: must end before"),
    (cloud_at("https://a.example.com:99999"), "providers.cloud.base_url: write an address"),
    (cloud_at("https://a.example.com /x"), "providers.cloud.base_url: write an address"),
    # Access
    ("", "auth.issuer: is missing; write the `iss` that tokens have, or auth.mode ="),
    (f"[auth]\njwks_url = '{KEYS}'", "auth.issuer: is missing"),
    (JWT, "auth.jwks_url: is missing; write where the issuer publishes its keys"),
    (f"{JWT}jwks_url = '{KEYS}'\npublic_key = '''{PEM}'''", "auth.public_key: is set beside"),
    (
        f"{JWT}jwks_url = '{KEYS}'\ndevelopment_key = '{SECRET * 3}'",
        "auth.development_key: is set beside auth.jwks_url; remove one of them",
    ),
    (
        f"{JWT}public_key = '''{PEM}'''\ndevelopment_key = '{SECRET * 3}'",
        "auth.development_key: is set beside auth.public_key",
    ),
    (f"{JWT}development_key = '{SECRET}{SECRET}'", "auth.development_key: is too short"),
    (f"{JWT}jwks_url = 'http://login.example.com/keys'", "auth.jwks_url: http is only for loop"),
    (f"{JWT}jwks_url = 'https://u:{SECRET}@h/keys'", "auth.jwks_url: must not hold a user"),
    (f"{JWT}jwks_url = '{KEYS}#x'", "auth.jwks_url: must end before"),
    (f"{JWT}jwks_url = 'file:///etc/keys'", "auth.jwks_url: write an address"),
    (f"{JWT}jwks_url = 'https://h:0/'", "auth.jwks_url: write an address"),
    (f"{JWT}public_key = '{SECRET}'", "auth.public_key: is no public key"),
    (f"{JWT}public_key = '''{pem(private=True)}'''", "auth.public_key: is no public key"),
    (f"{JWT}public_key = '''{pem(bits=1024)}'''", "auth.public_key: is no public key"),
    (f"{JWT}public_key = 'file:absent'", "auth.public_key: its file 'absent'"),
    ('[auth]\nmode = "basic"', 'auth.mode: write "jwt" or "none"'),
    (NONE + '[server]\nhost = "0.0.0.0"', 'auth.mode: "none" lets everyone read everything'),
    (NONE + '[server]\nhost = "localhost.evil.example"', "auth.mode: "),
    (
        NONE + '[graphql]\ntrusted_documents = "d.json"',
        "graphql.trusted_documents: its file 'd.json' cannot be read (no such file",
    ),
    (NONE + "[graphql]\ntrusted_documents = '.'", "graphql.trusted_documents: its file '.' cannot"),
    (NONE + "[graphql]\ntrusted_documents = 1", "graphql.trusted_documents: write the path of a"),
    # Providers
    (NONE + "[providers]\ncloud = 1", "providers.cloud"),
    (NONE + "[providers.cloud]\nbase_url = 'x'", "providers.cloud.kind: write one of cloudreve, "),
    (NONE + "[providers.cloud]\nkind = 'nextcloud'", "providers.cloud.kind: write one of "),
    (NONE + "[providers.Cloud]\nkind = 'cloudreve'", "providers.Cloud: is no name for a provider"),
    (NONE + f"[providers.{'a' * 33}]\nkind = 'hostup'", f"providers.{'a' * 33}: is no name"),
    (NONE + "[providers.cloud]\nkind = 'cloudreve'", "providers.cloud.base_url: is missing; write"),
    (CLOUD + "name = 'other'", "providers.cloud.name: is not a key"),
    (CLOUD + "time_zone = 'Europe/Prague'", "providers.cloud.time_zone: is not a key; "),
    (CLOUD + "page_size = 9", "providers.cloud.page_size: write a whole number from 10 to 100"),
    (CLOUD + "timeout = '5'", "providers.cloud.timeout: write a duration"),
    (HOSTING + "page_size = 50", "providers.hosting.page_size: HostUp chooses the size"),
    (HOSTING + "time_zone = 'Europe'", "providers.hosting.time_zone: write an IANA time zone"),
    (LOYALTY, "providers.loyalty.time_zone: is missing; write an IANA time zone"),
    (LOYALTY + "time_zone = 'CET/Prague'", "providers.loyalty.time_zone: write an IANA"),
    (LOYALTY + "time_zone = '../../etc/passwd'", "providers.loyalty.time_zone: write an IANA"),
    (
        ZONED + "page_size = 1001",
        "providers.loyalty.page_size: write a whole number from 1 to 1000",
    ),
    (
        ZONED + 'operation_kinds = { "A b" = "GIFT" }',
        'providers.loyalty.operation_kinds."A b": write a table such as',
    ),
    (ZONED + "negative_operations = [1]", "providers.loyalty.negative_operations[0]: "),
    # Secrets
    (NONE + "[vault]\nkeys = []", "vault.keys: write a list of at least one key"),
    (NONE + f'[vault]\nkeys = ["{SECRET}"]', "vault.keys[0]: write base64 of exactly 32 bytes"),
    (NONE + f"[vault]\nkeys = '{SECRET}'", "vault.keys: write a list"),
    (NONE + "[vault]\nkeys = ['env:ABSENT']", "vault.keys[0]: the environment variable ABSENT is"),
    (NONE + "[vault]\nkeys = ['env:']", "vault.keys[0]: write the name of an environment variable"),
    (NONE + "[vault]\nkeys = ['file:absent']", "vault.keys[0]: its file 'absent' cannot be read"),
    (NONE + "[vault]\nkeys = [1]", "vault.keys[0]: write "),
    (ZONED.replace('"p"', '""'), "providers.loyalty.password: write a text"),
    (ZONED.replace('"p"', '"env:ABSENT"'), "providers.loyalty.password: the environment variable"),
    (NONE + "development_key = 'file:absent'", "auth.development_key: its file 'absent'"),
]


@pytest.mark.parametrize(("text", "start"), BAD, ids=[start for _, start in BAD])
def test_what_is_wrong_is_named_with_what_to_write(tmp_path: Path, text: str, start: str) -> None:
    line = refused(tmp_path, text)

    assert line.startswith(start)


VARIABLES = [
    ("GATEWAY_CACHE__URI", SECRET, "GATEWAY_CACHE__URI: there is no key cache.uri; did you mean"),
    ("GATEWAY_CACHE__", "x", "GATEWAY_CACHE__: there is no key"),
    ("GATEWAY__CACHE__URL", "x", "GATEWAY__CACHE__URL: there is no key"),
    ("GATEWAY_CACHE__URL__X", "x", "GATEWAY_CACHE__URL__X: there is no key cache.url.x"),
    (
        "GATEWAY_PROVIDERS__CLOUD__BASE_URI",
        "x",
        "GATEWAY_PROVIDERS__CLOUD__BASE_URI: there is no key providers.cloud.base_uri; did you",
    ),
    ("GATEWAY_VAULT__KEYS", SECRET, "GATEWAY_VAULT__KEYS: is not JSON"),
    ("GATEWAY_VAULT__KEYS", f'["{SECRET}"]', "vault.keys[0]: write base64 of exactly 32 bytes"),
    ("GATEWAY_LIMITS__DEPTH", "deep", "limits.depth: write a whole number of at least 1 (set by "),
    ("GATEWAY_PROVIDERS__CLOUD", f'["{SECRET}"]', "providers.cloud"),
    ("GATEWAY_PROVIDERS__CLOUD__LOGIN", "x", "providers.cloud.login: is not a key"),
]


@pytest.mark.parametrize(("variable", "value", "start"), VARIABLES)
def test_a_wrong_variable_is_named(tmp_path: Path, variable: str, value: str, start: str) -> None:
    line = refused(tmp_path, CLOUD, {variable: value})

    assert line.startswith(start)


def test_a_key_set_by_a_variable_is_named_with_it(tmp_path: Path) -> None:
    line = refused(tmp_path, NONE, {"GATEWAY_CACHE__FRESH_FOR": "soon"})

    assert line.startswith("cache.fresh_for: write a duration")
    assert line.endswith("(set by GATEWAY_CACHE__FRESH_FOR)")


def test_the_number_of_further_problems_is_told(tmp_path: Path) -> None:
    line = refused(tmp_path, NONE + "[limits]\ncost = 0\ndepth = 0\naliases = 0")

    assert line == "limits.cost: write a whole number of at least 1 (and 2 more)"


def test_a_file_that_is_no_toml_is_named_with_the_line(tmp_path: Path) -> None:
    line = refused(tmp_path, f'[cache]\nurl = "{SECRET}')

    assert "gateway.toml: is not TOML: " in line
    assert "line 2" in line


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"a = '\xff'")
    (tmp_path / "deep.toml").write_text("a = " + "[" * 100_000, "utf-8")

    for name, said in {
        "absent.toml": "no such file",
        "latin.toml": "is not a text in UTF-8",
        "deep.toml": "is not TOML",
        ".": "directory",
    }.items():
        with pytest.raises(ConfigurationError) as caught:
            load(tmp_path / name, ENVIRON)
        assert said in str(caught.value)
        assert caught.value.__context__ is None


@pytest.mark.parametrize("content", ["", " \n", b"\xff"])
def test_a_secrets_file_without_a_secret_is_refused(tmp_path: Path, content: str | bytes) -> None:
    given = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "the.key").write_bytes(given)

    line = refused(tmp_path, NONE + "[vault]\nkeys = ['file:the.key']")

    assert line.startswith("vault.keys[0]: its file 'the.key' is ")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://u:p@h:1/0?password=x", "redis://***@h:1/0"),
        ("redis://:p%40@h", "redis://***@h"),
        ("unix:///run/redis.sock?password=x", "unix:///run/redis.sock"),
        ("redis://h:1", "redis://h:1"),
        ("redis://[p", "***"),
    ],
)
def test_an_address_is_shown_without_what_is_secret(url: str, shown: str) -> None:
    assert without_password(url) == shown
