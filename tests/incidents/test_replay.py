"""Incident Q before and after, on the local cloud. What a lifecycle policy deletes is our model of ECR."""

from __future__ import annotations

from dataclasses import replace

import pytest

from constructs_lib.images.lifecycle import evaluate
from constructs_lib.images.runtime.pins import is_pin
from demo.cloud import LocalCloud
from demo.environments import ACCOUNT, demo_environments
from tests.incidents.after import After, deploy
from tests.incidents.before import Before
from tests.incidents.story import Moment, play

pytestmark = pytest.mark.e2e

BUILDS = 512


@pytest.fixture(scope="module")
def before(cloud: LocalCloud) -> list[Moment]:  # noqa: ARG001  (it must run)
    """The story as it was."""
    return list(play(Before(demo_environments()[0].region, ACCOUNT)))


@pytest.fixture(scope="module")
def ours(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> After:
    """Our stacks, deployed."""
    return After(deploy(cloud, tmp_path_factory.mktemp("replay")))


@pytest.fixture(scope="module")
def after(ours: After) -> list[Moment]:
    """The story with our stacks."""
    return list(play(ours))


def test_before_eleven_builds_of_staging_stop_production(before: list[Moment]) -> None:
    """The incident: all is well until a task is replaced, and the image is not there."""
    first, eleven, *_ = before
    assert first.lost == {}
    assert set(eleven.lost) == {"production", "worker"}
    assert "CannotPullContainerError" in eleven.lost["production"]


def test_before_nothing_that_comes_later_mends_it(before: list[Moment]) -> None:
    """A service that is not released again stays down, and a rollback finds its image gone."""
    assert all("worker" in moment.lost for moment in before[1:])
    assert "production" in before[4].lost


def test_after_every_replacement_can_pull(before: list[Moment], after: list[Moment]) -> None:
    """The same steps: 511 builds, long silences, a rollback, a late promotion, two services at different paces."""
    assert [moment.happened for moment in after] == [moment.happened for moment in before]
    assert [moment.lost for moment in after] == [{}] * len(before)


def test_after_the_pins_are_why(ours: After, after: list[Moment]) -> None:
    """Take the pins away and the policy deletes what runs; and old builds did go, so the policy was at work."""
    assert after
    policy = ours.registry.ecr.get_lifecycle_policy(repositoryName=ours.repository("staging"))["lifecyclePolicyText"]
    images = ours.registry.images(ours.repository("staging"))
    pinned = {image.digest for image in images if any(map(is_pin, image.tags))}
    bare = [replace(image, tags=tuple(tag for tag in image.tags if not is_pin(tag))) for image in images]
    verdicts = evaluate(policy, bare, now=ours.registry.now)
    assert {digest for digest, verdict in verdicts.items() if verdict.action == "expire"} == pinned
    assert len(pinned) < 20 < BUILDS


def test_after_a_pin_leaves_what_nothing_uses(ours: After, after: list[Moment]) -> None:
    """A service is deleted; a day later its image has no pin, and goes. What runs stays."""
    assert after
    worker = ours.services.pop("worker")
    running = {name: ours.registry.running(service) for name, service in ours.services.items()}
    (old,) = ours.registry.running(worker)
    ours.registry.delete_service(worker)
    repository = ours.repository("staging")
    ours.watch(hours=2)
    assert old in {image.digest for image in ours.registry.images(repository)}
    ours.watch(hours=25)
    ours.pass_days(1)
    assert old not in {image.digest for image in ours.registry.images(repository)}
    assert running["staging"] <= {image.digest for image in ours.registry.images(repository)}
    assert set(ours.replace_tasks().values()) == {None}


def test_the_replay_fails_when_it_should(before: list[Moment], after: list[Moment]) -> None:
    """``make replay`` reports success for lost images before and none after, and for nothing else."""
    from tests.incidents.__main__ import verdict

    assert verdict(before, after) == 0
    assert verdict(after, after) == 1
    assert verdict(before, before) == 1
    assert verdict(before, after[:-1]) == 1
