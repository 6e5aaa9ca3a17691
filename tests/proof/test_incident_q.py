"""Incident Q with a real build, real pulls and real containers: once without the guard, once with it.

ECS and the registry are the local cloud's, and what a lifecycle policy deletes is our model of ECR.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from constructs_lib.images.lifecycle import Image, evaluate

from .machine import ACCOUNT, REGION, ROOT, Docker, ProofError, until
from .shop import ADDRESS, REPOSITORY, URI, Shop, commit
from .test_running import GONE, RUN, answer

pytestmark = pytest.mark.proof

KEEP_TEN: Final = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10},
            "action": {"type": "expire"},
        }
    ]
}
"""What CDK makes of ``LifecycleRule(max_image_count=10)``; tests/incidents/before.py shows it."""


@pytest.fixture
def cluster(shop: Shop) -> Iterator[str]:
    """A cluster with nothing in it."""
    shop.machine.aws("ecs", "create-cluster", "--cluster-name", "replay")
    yield "replay"
    shop.machine.aws("ecs", "delete-service", "--cluster", "replay", "--service", "web", "--force")


def test_before_the_next_task_cannot_pull(shop: Shop, builder: Docker, cluster: str) -> None:
    """Eleven builds later the registry has deleted what runs, and a fresh machine cannot start it."""
    image = shop.build(commit("before"), builder).digest
    start(shop, cluster, image)
    assert image in apply(shop, KEEP_TEN, image, eleven_builds(shop, image, "before"))
    with pytest.raises(ProofError, match=GONE):
        shop.machine.docker()(*RUN, f"{URI}@{image}")
    assert stops(shop, cluster).startswith("CannotPullContainerError")


def test_after_the_next_task_serves(shop: Shop, builder: Docker, cluster: str) -> None:
    """The guard has pinned it, so our policy leaves it; a fresh machine pulls it by digest and answers."""
    image = shop.build(commit("after"), builder).digest
    start(shop, cluster, image)
    assert guard(shop)["ImagesInUse"] == guard(shop)["PinnedImages"] == 1
    assert any(tag.startswith("pin-use-") for tag in shop.images()[image]["imageTags"])
    later = eleven_builds(shop, image, "after")
    text = shop.machine.aws("ecr", "get-lifecycle-policy", "--repository-name", REPOSITORY)["lifecyclePolicyText"]
    assert set(later) <= apply(shop, json.loads(text), image, later)

    fresh = shop.machine.docker()
    assert "Downloaded newer image" in fresh("pull", f"{URI}@{image}")
    fresh(*RUN, f"{URI}@{image}")
    assert until(lambda: answer(shop), f"a container answers on {ADDRESS}") == commit("after")
    assert stops(shop, cluster) == ""
    assert guard(shop)["ImagesMissing"] == 0
    fresh.stop()


def start(shop: Shop, cluster: str, digest: str) -> None:
    """A service of one task that runs the digest, in the cloud's model of ECS."""
    containers = json.dumps([{"name": "web", "image": f"{URI}@{digest}", "essential": True}])
    shop.machine.aws(
        *("ecs", "register-task-definition", "--family", "web", "--network-mode", "awsvpc", "--cpu", "256"),
        *("--memory", "512", "--requires-compatibilities", "FARGATE", "--container-definitions", containers),
    )
    shop.machine.aws(
        *("ecs", "create-service", "--cluster", cluster, "--service-name", "web", "--task-definition", "web"),
        *("--desired-count", "1", "--launch-type", "FARGATE"),
        *("--network-configuration", "awsvpcConfiguration={subnets=[subnet-0123456789abcdef0]}"),
    )
    assert len(tasks(shop, cluster, "RUNNING")) == 1


def stops(shop: Shop, cluster: str) -> str:
    """Stops the service's task; why the next one does not start, or nothing when it does."""
    (task,) = tasks(shop, cluster, "RUNNING")
    shop.machine.aws("ecs", "stop-task", "--cluster", cluster, "--task", task)
    if tasks(shop, cluster, "RUNNING"):
        return ""
    stopped = tasks(shop, cluster, "STOPPED")
    described = shop.machine.aws("ecs", "describe-tasks", "--cluster", cluster, "--tasks", *stopped)["tasks"]
    return str(next(task["stoppedReason"] for task in described if task.get("stopCode") == "TaskFailedToStart"))


def tasks(shop: Shop, cluster: str, status: str) -> list[str]:
    """The service's tasks."""
    words = ("ecs", "list-tasks", "--cluster", cluster, "--service-name", "web", "--desired-status", status)
    return list(shop.machine.aws(*words)["taskArns"])


def eleven_builds(shop: Shop, digest: str, name: str) -> list[str]:
    """Eleven more images with tags of their own; only their labels differ from the first."""
    manifest = json.loads(shop.manifest(digest))
    return [shop.put({**manifest, "annotations": {name: str(n)}}, f"{name}-{n}") for n in range(11)]


def apply(shop: Shop, policy: dict[str, Any], first: str, later: list[str]) -> set[str]:
    """Deletes what the policy deletes when the first image is 60 days old and the later ones some days less."""
    now = datetime(2027, 1, 1, tzinfo=UTC)
    pushed = {digest: now - timedelta(days=60 - number) for number, digest in enumerate([first, *later])}
    images = [
        Image(digest=digest, tags=tuple(image.get("imageTags", ())), pushed_at=pushed[digest])
        for digest, image in shop.images().items()
        if digest in pushed
    ]
    gone = {digest for digest, verdict in evaluate(policy, images, now=now).items() if verdict.action == "expire"}
    for digest in gone:
        shop.expire(digest)
    return gone


def guard(shop: Shop) -> dict[str, int]:
    """One scan of the guard, on the private machine."""
    words = ("--table-name", "guard", "--billing-mode", "PAY_PER_REQUEST")
    keys = ("AttributeName=id,KeyType=HASH", "AttributeName=id,AttributeType=S")
    create = ("dynamodb", "create-table", *words, "--key-schema", keys[0], "--attribute-definitions", keys[1])
    shop.machine.run("aws", *create, check=False)  # it may be there
    program = (sys.executable, "-m", "tests.proof.guard_once", ACCOUNT, REGION, REPOSITORY, "guard")
    metrics: dict[str, int] = json.loads(shop.machine.run(*program, cwd=ROOT).stdout)
    return metrics
