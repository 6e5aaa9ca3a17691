"""One set of clients for all tests, and a fresh account for each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from unittest.mock import patch

import pytest

from constructs_lib.images.runtime.aws import Clients
from tests.fake_aws.core import FakeAws
from tests.fake_aws.query import FakeAwsWithQuery
from tests.ops.delivery import Account, Sessions
from tests.ops.world import World, fakes


def forget_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes from the environment what leads to an account or an endpoint, and what boto3 would look for elsewhere."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(autouse=True)
def no_aws_around(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests of the session may have a local cloud in the environment; tests that want one give it themselves."""
    forget_aws(monkeypatch)


@pytest.fixture(scope="session")
def behind() -> tuple[FakeAws, Clients]:
    """Made once, before the fixture above has been asked: so it forgets for itself."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        forget_aws(monkeypatch)
        return fakes()


@pytest.fixture
def world(behind: tuple[FakeAws, Clients]) -> Iterator[World]:
    """An account; retries do not pause."""
    with patch("botocore.endpoint.time.sleep"):
        yield World(*behind)


@pytest.fixture(scope="session")
def sessions() -> Sessions:
    """Clients are made once for all tests."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        forget_aws(monkeypatch)
        return Sessions(FakeAwsWithQuery())


@pytest.fixture
def account(sessions: Sessions) -> Iterator[Account]:
    """An account with two environments; retries do not pause."""
    with patch("botocore.endpoint.time.sleep"):
        yield Account(sessions)
