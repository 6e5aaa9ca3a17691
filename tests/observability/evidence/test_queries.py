"""The saved queries over the sample events (lesson W5); Logs Insights itself is not here, only its grammar."""

from __future__ import annotations

import json
from typing import Any

import pytest

from constructs_lib.observability.evidence.build_events import PATHS, TEMPLATE
from constructs_lib.observability.evidence.queries import QUERIES
from tests.observability.evidence.event_bridge import transformed
from tests.observability.evidence.insights import run
from tests.observability.evidence.test_patterns import KEPT_BY
from tests.observability.sample_events import sample, samples

BY_NAME = {query.name: query.text for query in QUERIES}


def evidence(names: list[str] | None = None) -> list[Any]:
    """The log: every sample that is kept, builds as they are written."""
    kept = [(KEPT_BY[name], sample(name)) for name in names or KEPT_BY if not name.startswith("hostile-build")]
    builds = [json.loads(transformed(PATHS, TEMPLATE, event))["message"] for what, event in kept if what == "Builds"]
    return [event for what, event in kept if what != "Builds"] + [json.loads(build) for build in builds]


def found(name: str, field: str) -> list[Any]:
    """One field of what a query finds among all samples of AWS's."""
    normal = [each for each in KEPT_BY if each.split("-")[0] not in ("hostile", "malformed")]
    return [row[field] for row in run(BY_NAME[name], evidence(normal))]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.id)
def test_a_query_survives_every_event(query: Any) -> None:
    """Malformed and hostile events are in the log too; a query finds rows, within CloudWatch's limits."""
    assert run(query.text, evidence())
    assert len(query.text) <= 10_000
    assert len(query.name) <= 200
    assert "/" not in query.name


def test_names_are_all_different() -> None:
    """As saved queries, and as ids of constructs."""
    assert len({query.name for query in QUERIES}) == len({query.id for query in QUERIES}) == len(QUERIES) == 11


def test_stopped_tasks_are_counted_by_reason() -> None:
    """Two tasks ended by themselves for one reason, and one more with another code; the most frequent is one row."""
    events = evidence(["task-stopped-exit", "task-stopped-out-of-memory", "task-stopped-image-gone", "image-deleted"])
    rows = {
        (row["detail.stopCode"], row["detail.stoppedReason"][:9]): row["count"]
        for row in run(BY_NAME["Stopped tasks by reason"], events)
    }
    assert rows == {("EssentialContainerExited", "Essential"): 2, ("TaskFailedToStart", "CannotPul"): 1}


def test_a_pull_that_failed_is_found_with_its_image() -> None:
    """Four samples, of whatever cause: gone, forbidden, wrong platform, not reachable."""
    images = found("Image pulls that failed", "detail.containers.0.image")
    assert len(images) == 4
    assert all("shop/staging/web@sha256:" in image for image in images)


def test_what_never_started_is_found_whatever_the_text() -> None:
    """By its stop code: some reasons have no prefix."""
    assert len(found("Tasks that never started", "detail.taskArn")) == 8


def test_failing_health_checks_are_the_load_balancer_s_and_the_container_s() -> None:
    """Both, and nothing else."""
    reasons = found("Failing health checks", "detail.stoppedReason")
    assert sorted(reason.split(" (")[0] for reason in reasons) == [
        "Task failed ELB health checks in",
        "Task failed container health checks",
    ]


def test_processes_that_ended_show_their_exit_codes() -> None:
    """Including the one that ran out of memory."""
    assert sorted(found("Processes that ended", "detail.containers.0.exitCode")) == [1, 1, 137]


def test_deployments_and_service_actions_are_found() -> None:
    """Each kind by itself."""
    assert len(found("Deployments", "detail.eventName")) == 4
    assert set(found("Service actions", "detail.eventName")) >= {"SERVICE_TASK_START_IMPAIRED", "SERVICE_SOMETHING_NEW"}


def test_deleted_images_are_found_with_their_digest() -> None:
    """The two deletions, and no push."""
    assert set(found("Deleted images", "`detail.image-tag`")) == {"staging-20261122T031000Z-0123456789ab", None}
    assert all(digest.startswith("sha256:") for digest in found("Deleted images", "`detail.image-digest`"))


def test_builds_are_found_as_they_are_written() -> None:
    """The transformed line has its fields where the query looks for them."""
    name = "Builds, promotions and releases"
    assert sorted(found(name, "`detail.build-status`")) == ["FAILED", "IN_PROGRESS", "SUCCEEDED"]
    assert set(found(name, "`detail.additional-information.initiator`")) == {"deployer"}


def test_aws_s_own_word_is_found() -> None:
    """Seven kept samples of AWS Health, with text."""
    assert len(found("AWS Health", "detail.eventDescription.0.latestDescription")) == len(samples("health")) == 8


def test_the_timeline_holds_one_service_and_aws_s_word() -> None:
    """Tasks, deployments, images and builds of web, and AWS Health's events, which name no service."""
    kinds = found("Timeline of one service", "`detail-type`")
    assert len(set(kinds)) == 6
    assert kinds.count("AWS Health Event") == len(samples("health")) == 8
    other = sample("task-stopped-exit")
    text = json.dumps(other).replace("web", "api")
    assert run(BY_NAME["Timeline of one service"], [json.loads(text)]) == []
