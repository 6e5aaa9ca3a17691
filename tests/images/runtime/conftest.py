"""Fixtures of the guard's tests."""

from __future__ import annotations

import pytest

from tests.images.runtime.account import Account


@pytest.fixture(scope="session")
def _clients() -> Account:
    """Making clients takes a moment, so all tests share them."""
    return Account()


@pytest.fixture
def account(_clients: Account) -> Account:
    """An account in which nothing is yet."""
    _clients.reset()
    return _clients
