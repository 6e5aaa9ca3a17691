"""Fixtures of the guard's tests."""

from __future__ import annotations

import pytest

from tests.images.runtime.account import Account
from tests.images.runtime.guard_world import World


@pytest.fixture(scope="session")
def _clients() -> Account:
    """Making clients takes a moment, so all tests share them."""
    return Account()


@pytest.fixture
def account(_clients: Account) -> Account:
    """An account in which nothing is yet."""
    _clients.reset()
    return _clients


@pytest.fixture(scope="session")
def one_world() -> World:
    """Clients take long to make, so all tests share them."""
    return World()


@pytest.fixture
def world(one_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """An empty world in which retries cost no time."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    one_world.start_anew()
    return one_world
