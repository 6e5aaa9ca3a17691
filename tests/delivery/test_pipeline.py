"""One environment, one build, one role. Each template is synthesized once and read many times."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack, aws_ecr, aws_iam, aws_secretsmanager

from constructs_lib.delivery.buildspec import buildspec
from constructs_lib.delivery.pipeline import BuildPipeline
from constructs_lib.delivery.policy import BuildLimits, GitHubSource
from tests.support import Template, all_flags

from .support import allowed, of_type, only

CONNECTION = "arn:aws:codeconnections:eu-west-1:111122223333:connection/84941bd4-6795-4871-99f6-e2e4697138da"
PUBLIC = GitHubSource(owner="example", repository="shop")
CONNECTED = GitHubSource(owner="example", repository="shop", branch="release/1.x", connection_arn=CONNECTION)
FLAGS = pytest.mark.parametrize("flags", [{}, all_flags()], ids=["no flags", "all flags"])


def synthesize(app: App, stack: Stack) -> Template:
    template: Template = app.synth().get_stack_by_name(stack.stack_name).template
    return template


@pytest.fixture(scope="module", params=[{}, all_flags()], ids=["no flags", "all flags"])
def template(request: pytest.FixtureRequest) -> Template:
    """Two environments in one stack: ``Staging`` with all defaults, ``Production`` with a connection."""
    app = App(context=request.param)
    stack = Stack(app, "Delivery")
    BuildPipeline(
        stack,
        "Staging",
        repository=aws_ecr.Repository(stack, "StagingImages"),
        environment_name="staging",
        source=PUBLIC,
    )
    production = BuildPipeline(
        stack,
        "Production",
        repository=aws_ecr.Repository(stack, "ProductionImages"),
        environment_name="production",
        source=CONNECTED,
        project_name="shop--production--web",
        architecture="x86_64",
        limits=BuildLimits(build_minutes=45, queued_minutes=15, compute="medium", retention_days=365),
        dockerfile="web/Dockerfile",
        context="web",
    )
    person = aws_iam.Role(stack, "Person", assumed_by=aws_iam.AccountRootPrincipal())
    grant = production.grant_start(person)
    assert grant.success
    return synthesize(app, stack)


def find(template: Template, kind: str, start: str) -> tuple[str, dict[str, Any]]:
    ((key, resource),) = ((k, r) for k, r in of_type(template, kind).items() if k.startswith(start))
    return key, resource


def project(template: Template, environment: str) -> dict[str, Any]:
    return dict(find(template, "AWS::CodeBuild::Project", environment)[1]["Properties"])


def role(template: Template, environment: str) -> str:
    return find(template, "AWS::IAM::Role", f"{environment}Role")[0]


def repository_arn(template: Template, environment: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [find(template, "AWS::ECR::Repository", environment)[0], "Arn"]}


# Least privilege (lesson Q1)

WRITES = {"ecr:PutImage", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"}


@pytest.mark.parametrize("environment", ["Staging", "Production"])
def test_a_role_can_push_to_exactly_one_repository(template: Template, environment: str) -> None:
    pushes = [(a, r) for a, r in allowed(template, role(template, environment)) if a in WRITES]
    assert sorted(action for action, _ in pushes) == sorted(WRITES)
    assert [resource for _, resource in pushes] == [repository_arn(template, environment)] * len(WRITES)


def test_the_default_role_is_exactly_this(template: Template) -> None:
    log_group, _ = find(template, "AWS::Logs::LogGroup", "Staging")
    repository, logs = repository_arn(template, "Staging"), {"Fn::GetAtt": [log_group, "Arn"]}
    expected = [
        ("ecr:BatchCheckLayerAvailability", repository),
        ("ecr:BatchGetImage", repository),
        ("ecr:CompleteLayerUpload", repository),
        ("ecr:DescribeImages", repository),
        ("ecr:GetAuthorizationToken", "*"),
        ("ecr:InitiateLayerUpload", repository),
        ("ecr:PutImage", repository),
        ("ecr:UploadLayerPart", repository),
        ("logs:CreateLogStream", logs),
        ("logs:PutLogEvents", logs),
    ]
    assert sorted(allowed(template, role(template, "Staging")), key=str) == sorted(expected, key=str)


def test_the_connection_is_the_only_thing_that_a_connected_role_has_more(template: Template) -> None:
    plain = {action for action, _ in allowed(template, role(template, "Staging"))}
    more = [(a, r) for a, r in allowed(template, role(template, "Production")) if a not in plain]
    assert more == [
        ("codeconnections:GetConnection", CONNECTION),
        ("codeconnections:GetConnectionToken", CONNECTION),
        ("codeconnections:UseConnection", CONNECTION),
    ]


def test_only_codebuild_can_be_the_role(template: Template) -> None:
    trust = template["Resources"][role(template, "Staging")]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert [s["Principal"] for s in trust] == [{"Service": "codebuild.amazonaws.com"}]


def test_what_a_role_may_do_exists_before_its_project(template: Template) -> None:
    """CodeBuild tries the connection when it creates the project (aws-cdk #38504): no policy beside the role."""
    attached = {ref["Ref"] for p in of_type(template, "AWS::IAM::Policy").values() for ref in p["Properties"]["Roles"]}
    for environment in ("Staging", "Production"):
        assert role(template, environment) not in attached
        assert project(template, environment)["ServiceRole"] == {"Fn::GetAtt": [role(template, environment), "Arn"]}


@FLAGS
def test_a_grant_to_the_project_adds_nothing_and_one_to_the_role_does(flags: dict[str, Any]) -> None:
    app = App(context=flags)
    stack = Stack(app, "Delivery")
    other = aws_ecr.Repository(stack, "Other")
    secret = aws_secretsmanager.Secret(stack, "Secret")
    pipeline = BuildPipeline(
        stack,
        "Build",
        repository=aws_ecr.Repository(stack, "Images"),
        environment_name="staging",
        source=PUBLIC,
    )
    other.grant_pull_push(pipeline.project)
    secret.grant_read(pipeline.role)
    template = synthesize(app, stack)
    (key,) = of_type(template, "AWS::IAM::Role")
    other_arn = {"Fn::GetAtt": [stack.get_logical_id(other.node.default_child), "Arn"]}  # type: ignore[arg-type]
    assert other_arn not in [resource for _, resource in allowed(template, key)]
    assert "secretsmanager:GetSecretValue" in [action for action, _ in allowed(template, key)]


def test_whoever_may_start_builds_may_do_it_to_one_project(template: Template) -> None:
    key, _ = find(template, "AWS::CodeBuild::Project", "Production")
    person, _ = find(template, "AWS::IAM::Role", "Person")
    assert sorted(allowed(template, person)) == [
        ("codebuild:BatchGetBuilds", {"Fn::GetAtt": [key, "Arn"]}),
        ("codebuild:StartBuild", {"Fn::GetAtt": [key, "Arn"]}),
    ]


# The project


def test_the_defaults(template: Template) -> None:
    properties = project(template, "Staging")
    assert "Name" not in properties
    assert properties["Artifacts"] == {"Type": "NO_ARTIFACTS"}
    assert (properties["TimeoutInMinutes"], properties["QueuedTimeoutInMinutes"]) == (30, 60)
    assert "ConcurrentBuildLimit" not in properties
    environment = properties["Environment"]
    assert environment["Image"] == "aws/codebuild/amazonlinux-aarch64-standard:4.0"
    assert environment["Type"] == "ARM_CONTAINER"
    assert environment["ComputeType"] == "BUILD_GENERAL1_SMALL"
    assert environment["PrivilegedMode"] is True


def test_the_choices(template: Template) -> None:
    properties = project(template, "Production")
    assert properties["Name"] == "shop--production--web"
    assert (properties["TimeoutInMinutes"], properties["QueuedTimeoutInMinutes"]) == (45, 15)
    environment = properties["Environment"]
    assert environment["Image"] == "aws/codebuild/amazonlinux-x86_64-standard:6.0"
    assert environment["Type"] == "LINUX_CONTAINER"
    assert environment["ComputeType"] == "BUILD_GENERAL1_MEDIUM"


def variables(template: Template, environment: str) -> dict[str, Any]:
    return {v["Name"]: v["Value"] for v in project(template, environment)["Environment"]["EnvironmentVariables"]}


def test_the_script_is_told_what_it_reads(template: Template) -> None:
    staging, production = variables(template, "Staging"), variables(template, "Production")
    images, _ = find(template, "AWS::ECR::Repository", "Staging")
    assert images in json.dumps(staging["REPOSITORY_URI"])
    names = ("ENVIRONMENT_NAME", "DOCKERFILE", "CONTEXT", "PLATFORM", "REBUILD")
    assert [staging[n] for n in names] == ["staging", "Dockerfile", ".", "linux/arm64", "no"]
    assert [production[n] for n in names] == ["production", "web/Dockerfile", "web", "linux/amd64", "no"]


def test_the_buildspec_is_ours_and_not_the_sources(template: Template) -> None:
    assert json.loads(project(template, "Staging")["Source"]["BuildSpec"]) == buildspec()


def test_a_public_source_needs_no_credential_and_starts_by_hand(template: Template) -> None:
    properties = project(template, "Staging")
    assert "Triggers" not in properties
    assert properties["SourceVersion"] == "main"
    source = {key: value for key, value in properties["Source"].items() if key != "BuildSpec"}
    assert source == {
        "Type": "GITHUB",
        "Location": "https://github.com/example/shop.git",
        "ReportBuildStatus": False,
    }


def test_a_connected_source_starts_at_a_push_to_its_branch_and_no_other(template: Template) -> None:
    properties = project(template, "Production")
    assert properties["Source"]["Auth"] == {"Type": "CODECONNECTIONS", "Resource": CONNECTION}
    assert properties["Source"]["ReportBuildStatus"] is True
    assert properties["SourceVersion"] == "release/1.x"
    assert properties["Triggers"] == {
        "Webhook": True,
        "FilterGroups": [
            [
                {"Type": "EVENT", "Pattern": "PUSH"},
                {"Type": "HEAD_REF", "Pattern": r"^refs/heads/release/1\.x$"},
            ]
        ],
    }


@pytest.mark.parametrize(("environment", "days"), [("Staging", 90), ("Production", 365)])
def test_builds_write_to_a_log_group_of_their_own_that_stays(template: Template, environment: str, days: int) -> None:
    key, group = find(template, "AWS::Logs::LogGroup", environment)
    assert group["Properties"] == {"RetentionInDays": days}
    assert (group["DeletionPolicy"], group["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    logs = project(template, environment)["LogsConfig"]
    assert logs == {"CloudWatchLogs": {"GroupName": {"Ref": key}, "Status": "ENABLED"}}


def test_nothing_else_is_made() -> None:
    app = App()
    stack = Stack(app, "Delivery", env=Environment(account="111122223333", region="eu-west-1"))
    images = aws_ecr.Repository.from_repository_name(stack, "Images", "shop/staging/web")
    BuildPipeline(stack, "Build", repository=images, environment_name="staging", source=PUBLIC)
    template = synthesize(app, stack)
    assert sorted(r["Type"] for r in template["Resources"].values()) == [
        "AWS::CodeBuild::Project",
        "AWS::IAM::Role",
        "AWS::Logs::LogGroup",
    ]
    values = {
        v["Name"]: v["Value"]
        for v in only(template, "AWS::CodeBuild::Project")["Properties"]["Environment"]["EnvironmentVariables"]
    }
    assert str(values["REPOSITORY_URI"]).endswith("shop/staging/web']]}")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"environment_name": "Staging"}, r"environment_name must be .*, got 'Staging'; .+"),
        ({"environment_name": "${Token[TOKEN.1]}"}, r"environment_name must be .*not a Token"),
        ({"architecture": "amd64"}, r"architecture must be 'arm64' or 'x86_64', got 'amd64'; .+"),
        ({"dockerfile": "../Dockerfile"}, r"dockerfile must be a path inside the source"),
        ({"context": "/"}, r"context must be a path inside the source"),
        ({"project_name": "a/b"}, r"project_name must be .*, got 'a/b'; .+"),
        ({"project_name": "${Token[TOKEN.1]}"}, r"project_name must be .*not a Token"),
        ({"source": "https://github.com/example/shop"}, r"source must be a GitHubSource, got .*; .+"),
        ({"limits": None}, r"limits must be a BuildLimits, got None; .+"),
        (
            {"docker_hub": "docker-hub"},
            r"docker_hub must be a DockerHubLogin or a P.*, got 'docker-hub'; .+",
        ),
        ({"sbom": True}, r"sbom must be an Sbom, got True; .+"),
    ],
)
def test_a_wrong_value_fails_in_one_sentence_and_leaves_nothing_behind(changes: dict[str, Any], message: str) -> None:
    stack = Stack(App(), "Delivery")
    images = aws_ecr.Repository.from_repository_name(stack, "Images", "shop/staging/web")
    arguments: dict[str, Any] = {"repository": images, "environment_name": "staging", "source": PUBLIC, **changes}
    with pytest.raises(ValueError, match=message):
        BuildPipeline(stack, "Build", **arguments)
    assert stack.node.try_find_child("Build") is None
