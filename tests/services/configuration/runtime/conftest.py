"""The world of the function that keeps the copy, made new for each test."""

from __future__ import annotations

import pytest

from constructs_lib.services.configuration.runtime.clients import Clients
from tests.fake_aws.core import FakeAws
from tests.services.configuration.runtime.world import World, made


@pytest.fixture(scope="session")
def clients() -> tuple[FakeAws, Clients]:
    """Making clients takes a moment, so all tests share them."""
    return made()


@pytest.fixture
def world(clients: tuple[FakeAws, Clients], monkeypatch: pytest.MonkeyPatch) -> World:
    """A world without any deployment."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    return World(*clients)
