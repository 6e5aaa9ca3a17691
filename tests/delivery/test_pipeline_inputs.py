"""A build that is given a login to Docker Hub, a cache or an SBOM generator (lessons Q1, Q6)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack, aws_ecr

from constructs_lib.delivery.pipeline import BuildPipeline
from constructs_lib.delivery.policy import DockerHubLogin, PullThroughCache, Sbom
from tests.guardrails.support import said
from tests.support import Template

from .support import allowed
from .test_pipeline import PUBLIC, WRITES, project, role, synthesize, variables

GENERATOR = "docker/buildkit-syft-scanner@sha256:" + "a" * 64
AT = Environment(account="111122223333", region="eu-west-1")


def given(docker_hub: DockerHubLogin | PullThroughCache | None = None, sbom: Sbom | None = None) -> Template:
    """A build of a repository in a known account and region."""
    app = App()
    stack = Stack(app, "Delivery", env=AT)
    images = aws_ecr.Repository.from_repository_name(stack, "Images", "shop/staging/web")
    BuildPipeline(
        stack,
        "Staging",
        repository=images,
        environment_name="staging",
        source=PUBLIC,
        docker_hub=docker_hub,
        sbom=sbom,
    )
    return synthesize(app, stack)


def arn(text: str) -> dict[str, Any]:
    """An ARN of a stack that is in no partition of its own."""
    return {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, text]]}


def added(template: Template) -> list[tuple[str, Any]]:
    """What a role may do that the default one may not."""
    plain = given()
    usual = list(allowed(plain, role(plain, "Staging")))
    return [pair for pair in allowed(template, role(template, "Staging")) if pair not in usual]


def test_before_a_build_asks_docker_hub_as_nobody() -> None:
    """BEFORE: by default no variable and no permission speaks of Docker Hub, and its anonymous limit applies."""
    plain = given()
    assert not [name for name in variables(plain, "Staging") if "HUB" in name or "CACHE" in name or "SBOM" in name]
    assert {action.split(":")[0] for action, _ in allowed(plain, role(plain, "Staging"))} == {"ecr", "logs"}


def test_a_login_is_read_by_codebuild_from_exactly_one_secret() -> None:
    """AFTER: the template has the secret's name only; the role reads that secret, whatever its six last characters."""
    template = given(DockerHubLogin(secret_name="docker-hub/reader"))
    declared = project(template, "Staging")["Environment"]["EnvironmentVariables"]
    assert [v for v in declared if v["Name"].startswith("DOCKER_HUB")] == [
        {"Name": "DOCKER_HUB_SECRET", "Type": "PLAINTEXT", "Value": "docker-hub/reader"},
        {"Name": "DOCKER_HUB_USERNAME", "Type": "SECRETS_MANAGER", "Value": "docker-hub/reader:username"},
        {"Name": "DOCKER_HUB_PASSWORD", "Type": "SECRETS_MANAGER", "Value": "docker-hub/reader:password"},
    ]
    secret = arn(":secretsmanager:eu-west-1:111122223333:secret:docker-hub/reader-??????")
    assert added(template) == [("secretsmanager:GetSecretValue", secret)]


def test_a_cache_is_named_to_the_build_and_lets_it_push_nowhere_else() -> None:
    """AFTER: the role may read and fill what is under the prefix; it can still push to exactly one repository (Q1)."""
    template = given(PullThroughCache(prefix="docker-hub"))
    assert variables(template, "Staging")["CACHE_PREFIX"] == "docker-hub"
    cache = arn(":ecr:eu-west-1:111122223333:repository/docker-hub/*")
    assert sorted(action for action, _ in added(template)) == [
        "ecr:BatchGetImage",
        "ecr:BatchImportUpstreamImage",
        "ecr:CreateRepository",
        "ecr:GetDownloadUrlForLayer",
    ]
    assert [resource for _, resource in added(template)] == [cache] * 4
    pushes = {str(resource) for action, resource in allowed(template, role(template, "Staging")) if action in WRITES}
    assert pushes == {str(arn(":ecr:eu-west-1:111122223333:repository/shop/staging/web"))}


def test_a_cache_is_where_the_repository_is() -> None:
    """The build's own registry: its login and its host serve for both."""
    app = App()
    stack = Stack(app, "Delivery", env=AT)
    images = aws_ecr.Repository.from_repository_arn(
        stack, "Images", "arn:aws:ecr:eu-north-1:444455556666:repository/shop/staging/web"
    )
    cache = PullThroughCache(prefix="docker-hub")
    BuildPipeline(stack, "Staging", repository=images, environment_name="staging", source=PUBLIC, docker_hub=cache)
    template = synthesize(app, stack)
    resources = {str(r) for a, r in allowed(template, role(template, "Staging")) if a == "ecr:CreateRepository"}
    assert resources == {str(arn(":ecr:eu-north-1:444455556666:repository/docker-hub/*"))}


def test_an_sbom_may_only_be_written_under_the_repositorys_name() -> None:
    """Not read, not deleted, and not the lists of another repository."""
    template = given(sbom=Sbom(generator=GENERATOR, bucket_name="sboms"))
    named = variables(template, "Staging")
    assert (named["SBOM_GENERATOR"], named["SBOM_BUCKET"]) == (GENERATOR, "sboms")
    assert added(template) == [("s3:PutObject", arn(":s3:::sboms/shop/staging/web/*"))]


@pytest.mark.parametrize(
    "docker_hub",
    [None, DockerHubLogin(secret_name="hub"), PullThroughCache(prefix="hub")],
    ids=["none", "login", "cache"],
)
def test_the_rules_of_the_lesson_have_nothing_to_say(docker_hub: DockerHubLogin | PullThroughCache | None) -> None:
    """What the script runs is no finding, and nothing that could not be judged."""
    template = given(docker_hub, Sbom(generator=GENERATOR, bucket_name="sboms"))
    assert said(json.dumps(template), "MOOR-Q") == []
