"""A task that runs once before a release, with the new image: the release goes on only when it ended well.

``local_cloud/README.md`` says what of it is our model: no program runs there, and an image says how it would end.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count, pairwise
from typing import Any

import pytest

from constructs_lib.command_line import FINE, FOUND
from constructs_lib.services.schedules.one_off import OneOffTask
from demo.environments import demo_environments
from demo.image import Behaviour
from tests.e2e.conftest import Deploy
from tests.e2e.delivery_support import Place, story
from tests.e2e.test_delivery import again, killed

pytestmark = pytest.mark.e2e

_versions = count(1)
COMMAND = ("alembic", "upgrade", "head")


class Migrating(Place):
    """An environment whose service migrates before each release."""

    family = ""

    def new(self, behaviour: Behaviour = "") -> str:
        """A build that nobody else has."""
        return self.build(f"migration {next(_versions)}", behaviour)

    def runs(self) -> list[dict[str, Any]]:
        """The tasks of its family that ECS still knows, oldest first."""
        cluster = self.resource("AWS::ECS::Cluster")
        arns = [
            arn
            for status in ("RUNNING", "STOPPED")
            for arn in self.ecs.list_tasks(cluster=cluster, family=self.family, desiredStatus=status)["taskArns"]
        ]
        tasks: list[Any] = self.ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
        return sorted(tasks, key=lambda task: str(task["createdAt"]))

    def definitions(self) -> list[str]:
        """The ACTIVE definitions of the family."""
        return self.ecs.list_task_definitions(familyPrefix=self.family, status="ACTIVE")["taskDefinitionArns"]


@pytest.fixture(scope="module")
def staging(deploy: Deploy) -> Migrating:
    """Deployed, and released once."""
    config = demo_environments()[0]
    (web,) = config.services
    task = OneOffTask(command=COMMAND, timeout_minutes=1)
    config = replace(config, application="migrates", services=(replace(web, before_release=task),))
    deploy(config, stacks="*/release")
    place = Migrating(config)
    place.family = f"{place.stack}-web-before-release"
    assert place.runs() == [], "a deployment starts nothing"
    digest = place.new()
    said = place.moorings("verify", digest)
    (check,) = (one for one in said.result["checks"] if one["check"] == "before release")
    assert (said.code, check["result"]) == (FINE, "OK")
    assert check["seen"].endswith(": alembic upgrade head")
    assert place.moorings("release", digest).code == FINE
    return place


def test_a_first_release_runs_it_once_with_its_own_digest(staging: Migrating) -> None:
    """The stack's definition names no image; the copy did, is gone, and nobody ran it twice."""
    (task,) = staging.runs()
    assert task["containers"][0]["imageDigest"] == staging.consistent()
    assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("EssentialContainerExited", 0)
    assert task["startedBy"] == "moorings/release-1"
    (own,) = staging.definitions()
    (container,) = staging.ecs.describe_task_definition(taskDefinition=own)["taskDefinition"]["containerDefinitions"]
    assert container["image"].endswith("@sha256:" + "0" * 64)
    copied = staging.ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])["taskDefinition"]
    assert (copied["status"], copied["containerDefinitions"][0]["command"]) == ("INACTIVE", list(COMMAND))
    assert copied["containerDefinitions"][0]["logConfiguration"] == container["logConfiguration"]


def test_one_that_fails_releases_nothing(staging: Migrating) -> None:
    """Not a task of the service was touched, and the ledger says how it ended and where its log is."""
    good, tasks, status = staging.consistent(), staging.task_arns(), staging.status()
    bad = staging.new("exits")
    said = staging.moorings("release", bad)
    assert (said.code, said.release["state"]) == (FOUND, "failed")
    assert "did not end well: exit code 1; Essential container in task exited; its log is in " in said.release["reason"]
    assert (staging.consistent(), staging.task_arns(), staging.status()) == (good, tasks, status)
    assert staging.runs()[-1]["containers"][0]["imageDigest"] == bad
    assert len(staging.definitions()) == 1


@pytest.mark.parametrize(
    "point", [f"after {step}" for step in ("the copy", "the state preparing", "the task", "the copy's end")]
)
def test_one_that_a_killed_release_left_is_waited_for(staging: Migrating, point: str) -> None:
    """The next release starts its own when that one has stopped; both are in the ledger, and no copy is left."""
    digest, known = staging.new(), len(staging.history())
    killed(staging, point, "release", digest)
    again(staging, "release", digest)
    assert staging.consistent() == digest
    assert story(staging.history())[known:] == [("release", "failed", digest), ("release", "successful", digest)]
    runs = [task for task in staging.runs() if task["containers"][0]["imageDigest"] == digest]
    assert len(runs) == (1 if point in ("after the copy", "after the state preparing") else 2)
    for earlier, later in pairwise(runs):
        assert earlier["stoppedAt"] <= later["createdAt"]
    assert len(staging.definitions()) == 1


def test_a_rollback_runs_none(staging: Migrating) -> None:
    """The older image meets the database as it is, and the command says so."""
    before, runs = staging.consistent(), len(staging.runs())
    assert staging.moorings("release", staging.new()).code == FINE
    said = staging.moorings("rollback")
    assert (said.code, staging.consistent()) == (FINE, before)
    assert len(staging.runs()) == runs + 1
    assert "a rollback does not run web-before-release, nor undo what it did" in said.progress
    assert json.dumps(said.result)
