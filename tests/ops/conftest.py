"""One set of clients for all tests, and a fresh account for each."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from constructs_lib.images.runtime.aws import Clients
from tests.fake_aws.core import FakeAws
from tests.ops.world import World, fakes


@pytest.fixture(scope="session")
def behind() -> tuple[FakeAws, Clients]:
    return fakes()


@pytest.fixture
def world(behind: tuple[FakeAws, Clients]) -> Iterator[World]:
    """An account; retries do not pause."""
    with patch("botocore.endpoint.time.sleep"):
        yield World(*behind)
