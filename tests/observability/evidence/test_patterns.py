"""Which events are kept (lesson W5): every sample against every pattern, and names of every length."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from constructs_lib.iam_policy import Arns
from constructs_lib.naming import repository_name, stack_name
from constructs_lib.observability.evidence.patterns import MOST_CHARACTERS, evidence_patterns
from tests.images.patterns import matches as other_matches
from tests.observability.evidence.event_bridge import matches
from tests.observability.sample_events import huge, sample, samples
from tests.support import TOKEN, refused

HERE = Arns(partition="aws", region="eu-west-1", account="111122223333")
CLUSTER = "shop--staging--services-ClusterEB0386A7-9xKq2vTzLm41"
OF_STAGING = evidence_patterns(
    HERE,
    clusters=["shop--staging--services-*"],
    repositories=["shop/staging/*"],
    build_projects=["shop--staging--*"],
)
KEPT_BY = {
    **dict.fromkeys((name for name in samples("task") if "stopped" in name), "Tasks"),
    **dict.fromkeys((name for name in samples("deployment", "service") if name != "service-steady"), "Services"),
    **dict.fromkeys(samples("image"), "Images"),
    **dict.fromkeys(samples("build"), "Builds"),
    **dict.fromkeys(samples("health"), "Health"),
    **dict.fromkeys(
        (name for name in samples("hostile") if name not in ("hostile-health", "hostile-build-initiator")), "Tasks"
    ),
    "hostile-health": "Health",
    "hostile-build-initiator": "Builds",
    "malformed-wrong-types": "Tasks",
    "malformed-stopped-without-a-reason": "Tasks",
    "malformed-no-time": "Tasks",
    "malformed-health-without-text": "Health",
}
"""Written by hand: what each sample is, and that everything else is not kept."""


@pytest.mark.parametrize("name", samples())
def test_every_sample_is_kept_by_its_own_rule_or_by_none(name: str) -> None:
    """The right ones match one pattern; alarms, what goes well, and what is of others match none."""
    found = [what for what, pattern in OF_STAGING.items() if matches(pattern, sample(name))]
    assert found == ([KEPT_BY[name]] if name in KEPT_BY else [])


def test_a_huge_event_is_kept() -> None:
    """Nothing in a pattern depends on how long a reason is."""
    assert matches(OF_STAGING["Tasks"], huge())


@pytest.mark.parametrize("name", ["SERVICE_STEADY_STATE", "TASKSET_STEADY_STATE", "CAPACITY_PROVIDER_STEADY_STATE"])
def test_a_steady_state_is_not_kept_and_an_unknown_action_is(name: str) -> None:
    """ECS says of a steady state again and again; it may add actions, and those are evidence."""
    steady, unknown, nameless = sample("service-steady"), sample("service-unknown-name"), sample("service-steady")
    steady["detail"]["eventName"] = name
    del nameless["detail"]["eventName"]
    assert not matches(OF_STAGING["Services"], steady)
    assert matches(OF_STAGING["Services"], unknown)
    assert matches(OF_STAGING["Services"], nameless)


@pytest.mark.parametrize("kind", ["PUSH", "DELETE", "SOMETHING_NEW"])
def test_whatever_happens_to_an_image_is_kept(kind: str) -> None:
    """A kind of action that ECR has not yet is kept too."""
    event = sample("image-deleted")
    event["detail"]["action-type"] = kind
    assert matches(OF_STAGING["Images"], event)


def test_one_cluster_by_its_whole_name() -> None:
    """A name without a star is one cluster: neither a longer one nor another's services match."""
    patterns = evidence_patterns(HERE, clusters=["production"])
    assert set(patterns) == {"Tasks", "Services", "Health"}
    task, action = sample("foreign-task-of-another-cluster"), sample("foreign-service-of-another-cluster")
    assert matches(patterns["Tasks"], task)
    assert matches(patterns["Services"], action)
    task["detail"]["clusterArn"] += "-2"
    action["resources"] = ["arn:aws:ecs:eu-west-1:111122223333:service/production-2/web"]
    assert not matches(patterns["Tasks"], task)
    assert not matches(patterns["Services"], action)


@pytest.mark.parametrize("what", ["account", "region"])
def test_clusters_of_another_account_or_region_are_foreign(what: str) -> None:
    """A name alone is no identity."""
    here = {"partition": "aws", "region": "eu-west-1", "account": "111122223333", what: "elsewhere"}
    patterns = evidence_patterns(Arns(**here), clusters=["shop--staging--services-*"])
    assert not any(matches(patterns[kind], sample("task-stopped-exit")) for kind in ("Tasks", "Services"))
    assert not matches(patterns["Services"], sample("deployment-failed"))


ENVIRONMENT = st.from_regex(r"e[a-z0-9]{0,3}(-[a-z0-9]{1,2}){0,2}", fullmatch=True)


@given(ENVIRONMENT, ENVIRONMENT)
@example("e", "e")
@example("e-2", "e")
def test_no_environment_keeps_what_is_another_s(one: str, other: str) -> None:
    """Of two environments of any names, an event is kept by the one whose it is: names hold no ``--`` and no ``/``."""
    event = sample("task-stopped-exit")
    event["detail"]["clusterArn"] = HERE.of("ecs", f"cluster/{stack_name('shop', one, 'services')}-Cluster-1")
    image = sample("image-deleted")
    image["detail"]["repository-name"] = repository_name("shop", one, "web")
    mine = evidence_patterns(
        HERE, clusters=[f"{stack_name('shop', other, 'services')}-*"], repositories=[f"shop/{other}/*"]
    )
    assert matches(mine["Tasks"], event) is (one == other)
    assert matches(mine["Images"], image) is (one == other)


def test_every_pattern_fits_with_the_longest_names() -> None:
    """An environment's names have at most 30 characters each, and a pattern 2,048."""
    longest = "x" * 30
    patterns = evidence_patterns(
        Arns(partition="aws-us-gov", region="us-gov-west-1", account="111122223333"),
        clusters=[f"{longest}--{longest}--services-*"],
        repositories=[f"{longest}/{longest}/*"],
        build_projects=[f"{longest}--{longest}--*"],
    )
    assert max(len(json.dumps(pattern)) for pattern in patterns.values()) < MOST_CHARACTERS / 3


@given(st.lists(st.from_regex(r"[a-z]{1,120}\*?", fullmatch=True), min_size=1, max_size=30))
def test_a_pattern_fits_or_is_refused(names: list[str]) -> None:
    """Whatever is asked for, no pattern that EventBridge would refuse is made."""
    with suppress(ValueError):
        patterns = evidence_patterns(HERE, clusters=names, repositories=names, build_projects=names)
        assert all(len(json.dumps(pattern)) <= MOST_CHARACTERS for pattern in patterns.values())


def test_too_many_names_are_refused_with_the_way_out() -> None:
    """One sentence: how many there are, what fits, and that a beginning is shorter."""
    many = [f"cluster-{number}" for number in range(60)]
    fix = refused(lambda: evidence_patterns(HERE, clusters=many), "the names", 60, "few enough for a pattern of 2048")
    assert "begin with" in fix


def test_a_token_counts_as_the_longest_name() -> None:
    """Five clusters whose names are known at deployment only fit; six do not."""
    evidence_patterns(HERE, clusters=[TOKEN] * 5)
    with pytest.raises(ValueError, match="few enough"):
        evidence_patterns(HERE, clusters=[TOKEN] * 6)


@pytest.mark.parametrize("wrong", ["", "*", "**", "a*b", "*a", "a**", None, 7])
@pytest.mark.parametrize("what", ["clusters", "repositories", "build_projects"])
def test_a_name_that_stands_for_too_much_is_refused(what: str, wrong: Any) -> None:
    """An empty name, a star alone or a star inside would keep other people's events, or none."""
    given_names: dict[str, list[Any]] = {"clusters": ["shop"], what: [wrong]}
    refused(lambda: evidence_patterns(HERE, **given_names), what, wrong, "beginning of one and '*'")


@pytest.mark.parametrize("wrong", ["production", None])
def test_a_text_for_a_list_is_refused(wrong: Any) -> None:
    """A text would be taken for a list of its letters."""
    refused(lambda: evidence_patterns(HERE, clusters=wrong), "clusters", wrong, "a list of names")


def test_no_cluster_is_refused() -> None:
    """A log without a cluster would stay empty."""
    refused(lambda: evidence_patterns(HERE, clusters=[]), "clusters", [], "at least one name")


def test_the_matcher_refuses_what_it_does_not_know() -> None:
    """Neither matcher of these tests takes an operator for granted; and both agree on what they share."""
    with pytest.raises(AssertionError):
        matches({"source": [{"wildcard": "*"}]}, {"source": "x"})
    pattern = OF_STAGING["Health"]
    assert all(matches(pattern, event) is other_matches(pattern, event) for event in samples("health").values())
