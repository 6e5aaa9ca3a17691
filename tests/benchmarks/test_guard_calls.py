"""A scan of the guard makes hardly more calls than AWS's APIs need. No clock is involved."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.guard import AIM_CALLS, AIM_PEAK_MB, FULL, Scan, two_scans
from benchmarks.guard_world import Calls, Size, least, pins

SMALL = Size(services=20, tasks=400, repositories=4, images=1_001)


@pytest.fixture(scope="module")
def scans() -> tuple[Scan, Scan]:
    """The first scan of a small account, and one after which nothing is to be done."""
    return two_scans(SMALL)


def without_memory(calls: Calls) -> Calls:
    """The calls that are not of the guard's own table."""
    return Counter({name: count for name, count in calls.items() if not name.startswith("dynamodb.")})


@pytest.mark.parametrize("which", [0, 1])
def test_no_call_is_made_that_is_not_needed(scans: tuple[Scan, Scan], which: int) -> None:
    """Of every operation exactly the fewest; the memory is read item by item, and that is all."""
    scan = scans[which]
    assert without_memory(scan.calls) == without_memory(scan.least)
    assert scan.calls["dynamodb.GetItem"] == 1 + SMALL.repositories
    assert scan.ratio <= AIM_CALLS


@pytest.mark.parametrize("which", [0, 1])
def test_the_scan_saw_everything(scans: tuple[Scan, Scan], which: int) -> None:
    """One that read little would be cheap."""
    assert scans[which].metrics == {
        "ImagesInUse": pins(SMALL),
        "PinnedImages": pins(SMALL),
        "ImagesAtRisk": 0,
        "ImagesMissing": 0,
        "ScanIncomplete": 0,
    }


def test_the_memory_is_measured(scans: tuple[Scan, Scan]) -> None:
    """Python and boto3 alone take more than 30 MB, and this account hardly more."""
    assert all(30 < scan.peak_mb < AIM_PEAK_MB for scan in scans)


def test_the_fewest_calls_are_those_that_one_counts_by_hand() -> None:
    """For the account of the benchmark: 2 clusters of 100 services and 2,500 tasks, of which 300 have stopped."""
    expected = {
        "ecs.ListClusters": 1,
        "ecs.ListTasks": 2 * (22 + 3),
        "ecs.DescribeTasks": 2 * 25,
        "ecs.ListServices": 2 * 1,
        "ecs.DescribeServices": 2 * 10,
        "ecs.DescribeServiceDeployments": 10,
        "ecs.DescribeServiceRevisions": 20,
        "ecs.ListTaskDefinitions": 10,
        "ecs.DescribeTaskDefinition": 600,
        "scheduler.ListSchedules": 1,
        "scheduler.GetSchedule": 20,
        "events.ListEventBuses": 1,
        "events.ListRuleNamesByTarget": 2,
        "events.ListRules": 1,
        "events.ListTargetsByRule": 20,
        "stepfunctions.ListStateMachines": 1,
        "stepfunctions.DescribeStateMachine": 20,
        "ssm.GetParameterHistory": 200,
        "ecr.DescribeRepositories": 1,
        "ecr.DescribeImages": 200,
        "ecr.GetLifecyclePolicy": 20,
        "dynamodb.BatchGetItem": 1,
        "dynamodb.PutItem": 2,
    }
    assert least(FULL, first=False) == Counter(expected)
    pinning = {"ecr.BatchGetImage": 20, "ecr.PutImage": 1200, "ecr.DescribeImages": 220}
    assert least(FULL, first=True) == Counter({**expected, **pinning})
