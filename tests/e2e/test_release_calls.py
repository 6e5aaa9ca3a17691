"""Going back asks AWS for no more than aimed at. Seconds are measured by ``python -m benchmarks.release``."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.release import AIM_CALLS, REGION, prepare, rollback
from demo.cloud import LocalCloud

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def calls(cloud: LocalCloud) -> Counter[str]:
    """What one rollback asks until CloudFormation has taken the update, with the longest ledger there is."""
    cloud.enter(REGION)
    prepare()
    rollback()  # the first one finds a service that no release has pinned yet
    return rollback().calls


def test_a_rollback_needs_few_calls(calls: Counter[str]) -> None:
    """From the command to CloudFormation's yes."""
    assert calls["UpdateStack"] == 1
    assert calls.total() <= AIM_CALLS, calls
