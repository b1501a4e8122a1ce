"""What the tests of commands share."""

import pytest
from commands import Run


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)
