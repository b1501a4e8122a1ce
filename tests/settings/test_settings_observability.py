"""The section [observability]: what is told unless it says otherwise, and what it may not say."""

from pathlib import Path

import pytest
from world import VAULT_KEY

from app.model.errors import ConfigurationError
from app.settings import Settings, load


def loaded(folder: Path, text: str) -> Settings:
    file = folder / "gateway.toml"
    file.write_text(f'vault.keys = ["{VAULT_KEY}"]\nauth.mode = "none"\n[observability]\n{text}\n')
    return load(file, {})


def test_what_is_told_unless_it_says_otherwise(tmp_path: Path) -> None:
    assert loaded(tmp_path, "").observability.model_dump() == {
        "log_format": "auto",
        "log_requests": True,
        "log_hits": True,
        "server_timing": True,
        "otlp_endpoint": None,
        "trace_share": 1.0,
    }


@pytest.mark.parametrize("url", ["http://127.0.0.1:4318", "https://collector.example.com/otlp"])
def test_a_collector_is_nearby_or_encrypted(tmp_path: Path, url: str) -> None:
    assert loaded(tmp_path, f'otlp_endpoint = "{url}/"').observability.otlp_endpoint == url


@pytest.mark.parametrize("share", ["0", "0.25", "1", '"0.25"'])
def test_a_share_is_from_nought_to_one(tmp_path: Path, share: str) -> None:
    found = loaded(tmp_path, f"trace_share = {share}").observability.trace_share

    assert found == float(share.strip('"'))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('log_format = "xml"', 'observability.log_format: write "auto", "json" or "console"'),
        ('log_requests = "yes"', "observability.log_requests: write true or false"),
        ("trace_share = 1.1", "observability.trace_share: write a share from 0.0 to 1.0"),
        ("trace_share = -1", "observability.trace_share: write a share from 0.0 to 1.0"),
        ("trace_share = true", "observability.trace_share: write a share from 0.0 to 1.0"),
        ('trace_share = "nan"', "observability.trace_share: write a share from 0.0 to 1.0"),
        ('otlp_endpoint = "collector:4318"', "observability.otlp_endpoint: write the address of"),
        ('otlp_endpoint = "http://collector:4318"', "observability.otlp_endpoint: http is only"),
        ('otlp_endpoint = "https://a:b@c"', "observability.otlp_endpoint: must not hold a user"),
        ('log_formats = "json"', "observability.log_formats: is not a key; did you mean"),
    ],
)
def test_anything_else_is_named_with_what_to_write(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        loaded(tmp_path, text)

    assert str(refused.value).startswith(told)
