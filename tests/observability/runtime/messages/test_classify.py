"""Which events need a person (lesson W5): every recorded sample, and everything that could come instead."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.observability.runtime.messages.classify import classify
from constructs_lib.observability.runtime.messages.kinds import RUNBOOKS
from constructs_lib.observability.runtime.messages.place import Place
from tests.observability.runtime.messages.world import PLACE, SERVICE
from tests.observability.sample_events import huge, sample, samples

TOLD = {
    "task-stopped-image-gone": ("image-cannot-be-pulled", "page", None),
    "task-stopped-no-right-to-pull": ("image-cannot-be-pulled", "page", None),
    "task-stopped-registry-unreachable": ("image-cannot-be-pulled", "page", None),
    "task-stopped-wrong-platform": ("image-cannot-be-pulled", "page", None),
    "task-stopped-registry-auth": ("task-cannot-start", "page", None),
    "task-stopped-secret-refused": ("task-cannot-start", "page", None),
    "task-stopped-secret-without-prefix": ("task-cannot-start", "page", None),
    "task-stopped-log-group-gone": ("task-cannot-start", "page", None),
    "service-start-impaired": ("task-cannot-start", "page", None),
    "service-configuration-failure": ("task-cannot-start", "page", None),
    "service-placement-failure": ("tasks-cannot-be-placed", "page", None),
    "task-stopped-load-balancer-check": ("health-checks-fail", "notice", 2),
    "task-stopped-container-check": ("health-checks-fail", "notice", 2),
    "task-stopped-exit": ("containers-stop", "notice", 3),
    "task-stopped-out-of-memory": ("containers-stop", "notice", 3),
    "task-stopped-scheduled": ("containers-stop", "notice", None),
    "deployment-failed": ("deployment-failed", "notice", None),
    "deployment-rolling-back": ("deployment-failed", "notice", None),
    "build-failed": ("build-failed", "notice", None),
    "hostile-build-initiator": ("build-failed", "notice", None),
    "health-ecs-issue": ("aws-health", "notice", None),
    "health-ecs-closed": ("aws-health", "notice", None),
    "health-fargate-issue": ("aws-health", "notice", None),
    "health-task-retirement": ("aws-health", "notice", None),
    "health-without-region": ("aws-health", "notice", None),
    "hostile-health": ("aws-health", "notice", None),
    "malformed-health-without-text": ("aws-health", "notice", None),
    "malformed-wrong-types": ("task-cannot-start", "notice", None),
}
"""Written by hand: the kind, the severity, and at how many tasks a notice pages. All others tell nobody."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
KEYS = st.sampled_from(
    [
        *("source", "detail-type", "time", "region", "resources", "lastStatus", "stopCode", "stoppedReason", "group"),
        *("clusterArn", "taskArn", "containers", "eventName", "capacityProviderArns", "reason", "build-status"),
        *("service", "eventRegion", "backupEvent", "eventArn", "eventDescription", "taskDefinitionArn"),
    ]
)


def changed(name: str, **detail: Any) -> dict[str, Any]:
    """A sample with another detail."""
    event: dict[str, Any] = sample(name)
    event["detail"] |= detail
    return event


@pytest.mark.parametrize("name", samples())
def test_each_sample_tells_what_it_should(name: str) -> None:
    """The faults do; scaling, rebalancing, user stops, hosts that AWS replaces, and what is of others do not."""
    kind = classify(sample(name), PLACE)
    assert (kind and (kind.name, kind.severity, kind.pages_at)) == TOLD.get(name)


@pytest.mark.parametrize("name", TOLD)
def test_what_is_told_opens_a_runbook_and_says_whose_it_is(name: str) -> None:
    """The component is that of alarms, though CloudFormation made the service's name."""
    kind = classify(sample(name), PLACE)
    assert kind is not None
    assert kind.runbook in RUNBOOKS
    expected = "environment" if kind.name == "aws-health" else "nightly" if name.endswith("scheduled") else "web"
    assert kind.component == expected
    assert expected == "environment" or expected in kind.sentence


def test_every_runbook_but_that_of_the_queue_is_opened_by_a_sample() -> None:
    """No runbook is named for nothing."""
    opened = {kind.runbook for each in samples().values() if (kind := classify(each, PLACE))}
    assert opened == set(RUNBOOKS) - {"dead-letters"}


def test_a_first_release_makes_no_message() -> None:
    """From no task to a steady state, and a person who stops a task: nothing of it needs anybody."""
    names = [
        *("service-desired-count", "deployment-in-progress", "task-running", "service-steady", "deployment-completed"),
        *("task-stopped-by-user", "task-stopped-scaling", "image-pushed", "image-pinned", "build-succeeded"),
        *("build-in-progress", "alarm-just-made", "service-rebalancing", "task-stopping"),
    ]
    assert [name for name in names if classify(sample(name), PLACE)] == []


@pytest.mark.parametrize(
    ("codes", "fault"),
    [
        ([0], False),
        ([1], True),
        ([143], False),
        ([137], True),
        ([0, 137], False),
        ([0, 143], False),
        ([143, 137], True),
        ([1, 0], True),
        ([2, 143], True),
        ([None], False),
        ([None, 139], True),
        ([], False),
    ],
)
def test_only_the_process_that_ended_first_counts(codes: list[int | None], fault: bool) -> None:
    """A worker that did its work ends with 0, and its sidecar is stopped for it, or killed: no fault."""
    containers = [{"name": str(at), "exitCode": code} for at, code in enumerate(codes)]
    kind = classify(changed("task-stopped-exit", containers=containers), PLACE)
    assert (kind is not None) == fault


def test_out_of_memory_is_said() -> None:
    """The sentence says what to look at: memory."""
    kind = classify(sample("task-stopped-out-of-memory"), PLACE)
    assert kind is not None
    assert "ran out of memory" in kind.sentence


def test_who_failed_the_check_is_said() -> None:
    """The load balancer and the container's own check are looked at in two places."""
    first, second = (classify(sample(f"task-stopped-{check}-check"), PLACE) for check in ("load-balancer", "container"))
    assert first
    assert "load balancer found it ill" in first.sentence
    assert second
    assert "container's own check found it ill" in second.sentence
    assert first.duplicate_key == second.duplicate_key


@pytest.mark.parametrize("code", ["UserInitiated", "SpotInterruption", "TerminationNotice", "InfrastructureHealth"])
@pytest.mark.parametrize("reason", ["CannotPullContainerError: gone", "Task failed ELB health checks in x"])
def test_a_forged_reason_wakes_nobody(code: str, reason: str) -> None:
    """Who may stop a task writes its reason, and only ECS the stop code."""
    assert classify(changed("task-stopped-exit", stopCode=code, stoppedReason=reason, containers=[]), PLACE) is None


def test_a_task_that_did_not_start_for_another_reason_is_a_notice_at_first() -> None:
    """AWS may be short of network interfaces for a moment; three such tasks in half an hour page."""
    reason = "Timeout waiting for network interface provisioning to complete."
    kind = classify(changed("task-stopped-image-gone", stoppedReason=reason, containers=[]), PLACE)
    assert kind is not None
    assert (kind.name, kind.severity, kind.pages_at) == ("task-cannot-start", "notice", 3)


def test_one_fault_has_one_key() -> None:
    """An image that cannot be pulled, a secret, and ECS's own word for it are one fault of one service."""
    names = ("task-stopped-image-gone", "task-stopped-secret-refused", "service-start-impaired")
    assert len({kind.duplicate_key for name in names if (kind := classify(sample(name), PLACE))}) == 1
    other = changed("task-stopped-image-gone", group=f"service:{SERVICE.replace('web', 'mailout')}")
    kind = classify(other, PLACE)
    assert kind is not None
    assert kind.component == "mail-out"
    assert kind.duplicate_key != f"start/{SERVICE}"


def test_no_spot_capacity_wakes_nobody() -> None:
    """It is what Spot is; a service on Spot and on demand is another matter."""
    spot, demand = (f"arn:aws:ecs:eu-west-1:1:capacity-provider/{name}" for name in ("FARGATE_SPOT", "FARGATE"))
    found = [
        classify(changed("service-placement-failure", capacityProviderArns=arns), PLACE)
        for arns in ([spot], [spot, demand], [])
    ]
    assert [kind and kind.severity for kind in found] == ["notice", "page", "page"]


def test_health_pages_only_for_the_account_itself() -> None:
    """A fault that AWS found in this account's own resources is worth waking for; that it is over is not."""
    own = {"eventScopeCode": "ACCOUNT_SPECIFIC"}
    found = [
        classify(changed("health-ecs-issue", **own), PLACE),
        classify(changed("health-ecs-issue", **own, statusCode="closed"), PLACE),
        classify(changed("health-ecs-issue", **own, eventTypeCategory="accountNotification"), PLACE),
    ]
    assert [kind and kind.severity for kind in found] == ["page", "notice", "notice"]
    assert len({kind.duplicate_key for kind in found if kind}) == 2
    assert {kind.quiet_minutes for kind in found if kind} == {1440}


def test_what_is_over_is_called_what_it_was() -> None:
    """A planned replacement of tasks that has ended was no fault of AWS's."""
    fault = classify(sample("health-ecs-closed"), PLACE)
    change = classify(changed("health-task-retirement", statusCode="closed"), PLACE)
    assert (fault and fault.sentence) == "AWS says that its fault with ECS or Fargate is over."
    assert change is not None
    assert change.sentence == "What AWS announced about ECS or Fargate, such as tasks that it replaces, is over."


@pytest.mark.parametrize("copy", [True, "true", "True"])
def test_a_backup_copy_is_not_told(copy: object) -> None:
    """AWS Health sends each event to a second Region, marked as a copy."""
    assert classify(changed("health-ecs-issue", backupEvent=copy), PLACE) is None
    assert classify(changed("health-ecs-issue", backupEvent="false"), PLACE) is not None


def test_a_service_of_any_name_is_told_by_its_name() -> None:
    """In an app that names its cluster and services itself."""
    place = Place(application="shop", environment="live", clusters=("production",))
    event = sample("foreign-task-of-another-cluster")
    kind = classify(event, place)
    assert kind is not None
    assert kind.component == "web"
    event["detail"]["group"] = "service:</p><script>" + "x" * 300
    kind = classify(event, place)
    assert kind is not None
    assert kind.component == "p-script-" + "x" * 30
    assert "<" not in kind.sentence


@given(JSON)
def test_anything_may_come(event: object) -> None:
    """No JSON makes an error; what is no event means nothing."""
    assert classify(event, PLACE) is None


@given(st.sampled_from(sorted(TOLD)), st.dictionaries(KEYS, JSON, max_size=4), st.booleans())
def test_an_event_with_anything_in_it_makes_no_error(name: str, values: dict[str, object], above: bool) -> None:
    """Each field may be of another type tomorrow."""
    event = sample(name)
    if isinstance(event["detail"], dict):
        (event if above else event["detail"]).update(values)
    kind = classify(event, PLACE)
    assert kind is None or kind.runbook in RUNBOOKS


def test_a_huge_event_is_read() -> None:
    """Nearly a megabyte of reason and a hundred containers."""
    kind = classify(huge(), PLACE)
    assert kind is not None
    assert kind.name == "image-cannot-be-pulled"
