"""What several tests of docker/ share."""

from pathlib import Path

import pytest
from shipped import DOCKERFILE, Load, make_secrets, stages

from app import settings


@pytest.fixture
def made_secrets(tmp_path: Path) -> Path:
    """Return a folder of secrets that secrets.sh made; CareCloud's password is written by hand."""
    return make_secrets(tmp_path)


@pytest.fixture
def load(made_secrets: Path, tmp_path: Path) -> Load:
    """Return what loads a configuration as it is shipped, in the environment of the image."""

    def loaded(shipped: Path) -> settings.Settings:
        file = tmp_path / "gateway.toml"
        text = shipped.read_text().replace("/run/secrets/credit-gateway", str(made_secrets))
        file.write_text(text.replace("/run/secrets", str(made_secrets)))
        return settings.load(file, stages(DOCKERFILE.read_text())[-1].environment())

    return loaded
