"""What the tests of messages share."""

from __future__ import annotations

import pytest

from tests.observability.runtime.messages.world import World


@pytest.fixture
def world() -> World:
    """An environment in which nothing has happened."""
    return World()
