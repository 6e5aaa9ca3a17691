"""An account for the commands: a repository with a policy and previews, and services that use its images."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from constructs_lib.images.lifecycle import Image
from constructs_lib.images.runtime.aws import Clients
from tests.fake_aws.core import ACCOUNT, REGION, FakeAws, Fault, Params, page
from tests.fake_aws.ecr import FakeEcr
from tests.fake_aws.ecs import FakeEcs
from tests.fake_aws.others import FakeEvents, FakeScheduler, FakeSsm, FakeStepFunctions
from tests.images.naive import outcomes
from tests.ops.support import NOW

NAME = "shop/production/web"
RELEASE = "/moorings/shop/production/web/digest"
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
SIZE = 52_400_000

_ACTIONS = {"expire": {"type": "EXPIRE"}, "archive": {"type": "TRANSITION", "targetStorageClass": "ARCHIVE"}}


class EcrWithPolicies(FakeEcr):
    """ECR with lifecycle policies and their previews, which the second, naive evaluator judges.

    Attributes:
        policies: the policy of each repository, as text.
        previews: whether the service has previews at all.
        polls: how often a preview is asked for before it is complete.
        spared: digests that a preview keeps whatever the policy says.
        protects_children: whether a preview keeps the children of an index.
    """

    def __init__(self) -> None:
        super().__init__(now=NOW)
        self.policies: dict[str, str] = {}
        self.previews = True
        self.polls = 2
        self.spared: set[str] = set()
        self.protects_children = False
        self._asked: tuple[str, int] = ("", 0)

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """Without ``registryId`` the account's own registry is meant."""
        params = {"registryId": self.registry, **params}
        match operation:
            case "DescribeRepositories":
                for name in set(params["repositoryNames"]) - set(self.repositories):
                    where = f"does not exist in the registry with id '{self.registry}'"
                    raise Fault("RepositoryNotFoundException", f"The repository with name '{name}' {where}")
            case "GetLifecyclePolicy":
                if self._find(params, params["repositoryName"]).name not in self.policies:
                    raise Fault("LifecyclePolicyNotFoundException", "Lifecycle policy does not exist")
                return {"lifecyclePolicyText": self.policies[params["repositoryName"]]}
            case "StartLifecyclePolicyPreview" if self.previews:
                self._asked = (params["lifecyclePolicyText"], self.polls)
                return {"lifecyclePolicyText": params["lifecyclePolicyText"], "status": "IN_PROGRESS"}
            case "GetLifecyclePolicyPreview" if self.previews:
                return self._preview(params)
            case "StartLifecyclePolicyPreview":
                raise Fault("UnknownOperationException", "unknown operation")
        answer = super().answer(operation, params)
        for repository in answer.get("repositories", ()):
            name = repository["repositoryName"]
            repository["repositoryArn"] = f"arn:aws:ecr:{REGION}:{self.registry}:repository/{name}"
        return answer

    def _detail(self, image: Any) -> dict[str, Any]:
        archived = {"lastArchivedAt": image.archived_at.timestamp()} if image.archived_at else {}
        return {**super()._detail(image), "imageSizeInBytes": SIZE, **archived}

    def _preview(self, params: Params) -> dict[str, Any]:
        text, polls = self._asked
        self._asked = (text, polls - 1)
        if polls > 0:
            return {"lifecyclePolicyText": text, "status": "IN_PROGRESS"}
        stored = self.repositories[params["repositoryName"]].images.values()
        images = [
            Image(
                digest=image.digest,
                tags=tuple(image.tags),
                pushed_at=image.pushed_at,
                storage_class="archive" if image.archived_at else "standard",
                archived_at=image.archived_at,
            )
            for image in stored
        ]
        kept = self.spared | ({c for image in stored for c in image.children} if self.protects_children else set())
        results = [
            {"imageDigest": digest, "action": _ACTIONS[verb], "appliedRulePriority": rule}
            for digest, (verb, rule) in outcomes(json.loads(text), images, NOW).items()
            if verb != "keep" and digest not in kept
        ]
        shown, rest = page(results, params, size=params.get("maxResults", 2))
        return {"lifecyclePolicyText": text, "status": "COMPLETE", "previewResults": shown, **rest}


class World:
    """An account that is empty but for the repository ``shop/production/web``.

    Attributes:
        asked: region and profile of each call for clients.
    """

    def __init__(self, aws: FakeAws, clients: Clients) -> None:
        self.aws, self.clients = aws, clients
        self.ecr, self.ecs, self.ssm = EcrWithPolicies(), FakeEcs(), FakeSsm()
        fakes: list[Any] = [self.ecr, self.ecs, self.ssm, FakeEvents(), FakeScheduler(), FakeStepFunctions()]
        aws.services = {fake.name: fake for fake in fakes}
        aws.calls.clear()
        aws.before = lambda _operation, _params: None
        self.asked: list[tuple[str | None, str | None]] = []
        self.repository()

    def connect(self, region: str | None, profile: str | None) -> Clients:
        """What a command connects with."""
        self.asked.append((region, profile))
        return self.clients

    def repository(self, mutability: str = "IMMUTABLE_WITH_EXCLUSION") -> None:
        """The repository, empty, with this mutability."""
        self.ecr.repository(NAME, mutability=mutability)

    def push(self, tags: Iterable[str] = (), *, days: float = 0, index_of: Iterable[str] = ()) -> str:
        """An image that was pushed some days ago."""
        self.ecr.now = NOW - timedelta(days=days)
        digest = self.ecr.push(NAME, tags, index_of=tuple(index_of))
        self.ecr.now = NOW
        return digest

    def builds(self, count: int) -> list[str]:
        """Builds ``b-1`` … one a day, the last of them today, oldest first."""
        return [self.push([f"b-{number}"], days=count - number) for number in range(1, count + 1)]

    def runs(self, digest: str, family: str = "web") -> str:
        """A service that runs this image in one task; its task definition."""
        cluster = self.ecs.clusters[0] if self.ecs.clusters else self.ecs.cluster()
        definition = self.ecs.task_definition(family, f"{HOST}/{NAME}@{digest}")
        self.ecs.service(cluster, family, definition)
        self.ecs.task(cluster, definition)
        return definition

    def tags(self) -> dict[str, list[str]]:
        """The tags of each image."""
        return {image.digest: list(image.tags) for image in self.ecr.repositories[NAME].images.values()}


def fakes() -> tuple[FakeAws, Clients]:
    """Clients that a world can stand behind."""
    aws = FakeAws()
    names = ("dynamodb", "ecr", "ecs", "events", "scheduler", "ssm", "stepfunctions")
    return aws, Clients(**{name: aws.client(name) for name in names})
