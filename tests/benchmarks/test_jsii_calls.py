"""Our synthesis asks no more of Node than a plain CDK app that makes the same resources. No clock is involved."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.runs import Run, difference, run
from benchmarks.sides import SERVICES_AT_MOST, SERVICES_WITH_FEATURES, SIDES, Side, distributed, environment
from benchmarks.synth import AIM_ADDED_SERVICE, AIM_ONE_SERVICE, AIM_WITH_FEATURES

MANY = 3


@pytest.fixture(scope="module")
def runs() -> dict[tuple[Side, int], Run]:
    """Each in a process of its own, so that nothing which one synthesis made is there for the next."""
    wanted = [(side, services) for side in SIDES for services in (1, MANY)]
    with ThreadPoolExecutor(max_workers=2) as pool:
        return dict(zip(wanted, pool.map(lambda each: run(*each), wanted), strict=True))


@pytest.fixture(scope="module")
def featured() -> dict[Side, Run]:
    """Services that call each other, count their sockets and have a configuration."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        runs = pool.map(lambda side: run(side, SERVICES_WITH_FEATURES, features=True), SIDES)
        return dict(zip(SIDES, runs, strict=True))


@pytest.mark.parametrize("services", [1, MANY])
def test_both_sides_make_the_same_number_of_each_resource(runs: dict[tuple[Side, int], Run], services: int) -> None:
    assert difference(runs["ours", services].resources, runs["plain", services].resources) == []


def test_the_alarms_of_both_sides_do_the_same(runs: dict[tuple[Side, int], Run]) -> None:
    """The same metrics, thresholds, conditions, topics and dependencies, so that no side is cheaper by doing less."""
    assert difference(runs["ours", MANY].alarms, runs["plain", MANY].alarms) == []
    assert sum(runs["ours", MANY].alarms.values()) == 3 * 20 + 6 + 4 + 2


def test_one_environment_with_one_service_makes_hardly_more_calls(runs: dict[tuple[Side, int], Run]) -> None:
    ours, plain = runs["ours", 1], runs["plain", 1]
    assert ours.all_calls <= AIM_ONE_SERVICE * plain.all_calls, _by_kind(ours, plain)


def test_an_added_service_makes_no_more_calls(runs: dict[tuple[Side, int], Run]) -> None:
    ours, plain = (runs[side, MANY].all_calls - runs[side, 1].all_calls for side in SIDES)
    assert ours <= AIM_ADDED_SERVICE * plain, _by_kind(runs["ours", MANY], runs["plain", MANY])


def test_both_sides_make_the_same_resources_with_features(featured: dict[Side, Run]) -> None:
    assert difference(featured["ours"].resources, featured["plain"].resources) == []
    assert difference(featured["ours"].alarms, featured["plain"].alarms) == []
    assert featured["ours"].resources["AWS::AppConfig::Deployment"] == 1
    assert featured["ours"].resources["AWS::ServiceDiscovery::HttpNamespace"] == 1


def test_an_environment_with_features_makes_hardly_more_calls(featured: dict[Side, Run]) -> None:
    ours, plain = featured["ours"], featured["plain"]
    assert ours.all_calls <= AIM_WITH_FEATURES * plain.all_calls, _by_kind(ours, plain)


def test_as_many_services_are_given_to_an_environment_as_it_holds() -> None:
    """Of the services that the benchmark makes a stack has room for so many, and for no more."""
    names = [f"service-{number}" for number in range(SERVICES_AT_MOST + 1)]
    assert len(environment("production-1", names[:-1]).services) == SERVICES_AT_MOST
    with pytest.raises(ValueError, match="at most 500 resources in a stack"):
        environment("production-1", names)
    assert [len(services) for services in distributed(30).values()] == [10, 10, 10]


def test_the_count_is_the_same_every_time(runs: dict[tuple[Side, int], Run]) -> None:
    assert run("ours", 1).calls == runs["ours", 1].calls


def test_a_difference_names_the_type_and_both_numbers() -> None:
    assert difference({"AWS::SNS::Topic": 1, "AWS::KMS::Key": 1}, {"AWS::SNS::Topic": 2, "AWS::KMS::Key": 1}) == [
        "AWS::SNS::Topic: 1 and 2"
    ]


def _by_kind(ours: Run, plain: Run) -> str:
    return f"ours {dict(ours.calls)}, plain {dict(plain.calls)}"
