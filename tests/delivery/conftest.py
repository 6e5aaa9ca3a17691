"""A build machine for the tests of ``build.sh``."""

from __future__ import annotations

from pathlib import Path

import pytest

from .build_machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine on which everything goes well."""
    return Machine(tmp_path)
