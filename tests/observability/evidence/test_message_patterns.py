"""Which events wake the function that tells people (lesson W5): what it would tell, and little else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from constructs_lib.iam_policy import Arns
from constructs_lib.observability.evidence.message_patterns import message_pattern
from constructs_lib.observability.runtime.messages.classify import classify
from tests.observability.evidence.event_bridge import matches
from tests.observability.runtime.messages.world import PLACE
from tests.observability.sample_events import huge, sample, samples
from tests.support import TOKEN, refused

HERE = Arns(partition="aws", region="eu-west-1", account="111122223333")
OURS = message_pattern(HERE, clusters=["shop--staging--services-*"], build_projects=["shop--staging--*"])
ALSO = {"deployment-in-progress", "malformed-stopped-without-a-reason"}
"""What wakes the function and tells nobody: each deployment has one or two, and its reason says if it is taken back;
and a stopped task without a stop code is read by its text."""


@pytest.mark.parametrize("name", samples())
def test_what_would_be_told_wakes_the_function_and_little_else(name: str) -> None:
    """No event that needs a person is lost to the pattern; scaling, steady states and user stops wake nothing."""
    event = sample(name)
    assert matches(OURS, event) == (classify(event, PLACE) is not None or name in ALSO)


def test_each_list_of_what_it_may_not_be_is_of_one_type() -> None:
    """EventBridge takes texts or numbers there, and refuses the whole rule for anything else."""

    def excluded(node: Any) -> list[Any]:
        if isinstance(node, list):
            return [found for each in node for found in excluded(each)]
        if not isinstance(node, dict):
            return []
        return [node["anything-but"]] if "anything-but" in node else excluded(list(node.values()))

    assert excluded(OURS) == [[0, 143], "true"]


def test_a_huge_event_wakes_it_too() -> None:
    """Nothing in a pattern depends on how long a reason is."""
    assert matches(OURS, huge())


def test_a_run_that_ends_well_wakes_nothing() -> None:
    """A scheduled task that does its work each minute is no call a minute; one whose sidecar was stopped is none."""
    event: dict[str, Any] = sample("task-stopped-exit")
    event["detail"]["containers"] = [{"name": "web", "exitCode": 0}, {"name": "agent", "exitCode": 143}]
    assert not matches(OURS, event)


def test_it_fits_eventbridge() -> None:
    """A pattern has 2,048 characters; ours for the longest names of an environment."""
    longest = "-".join(["a" * 29] * 1)
    names = f"{longest}--{longest}--services-*"
    pattern = message_pattern(HERE, clusters=[names], build_projects=[f"{longest}--{longest}--*"])
    assert len(json.dumps(pattern)) < 2_048


def test_too_many_names_are_refused() -> None:
    """With the number, and what to do."""
    names = [f"{TOKEN}{number}" for number in range(20)]
    fix = refused(
        lambda: message_pattern(HERE, clusters=names[:4]),
        "the names",
        f"{len(json.dumps(message_pattern(HERE, clusters=['x']))) + _more(names[:4])} characters with them",
        "few enough for a pattern of 2048 characters",
    )
    assert fix.startswith("pass what they begin with")


def _more(names: list[str]) -> int:
    """What four names add: twice each, with what is around them, and as long as AWS lets them be."""
    pattern = message_pattern(HERE, clusters=["x"])
    task, service = pattern["$or"][0], pattern["$or"][1]  # type: ignore[index]
    one = json.dumps(task["detail"]["clusterArn"][0]), json.dumps(service["resources"][0])
    there = sum(len(each) for each in one)
    each = [sum(len(text.replace("/x", f"/{name}")) for text in one) for name in names]
    return sum(each) - there + 2 * 2 * (len(names) - 1) + sum(2 * (255 - len(name)) for name in names)
