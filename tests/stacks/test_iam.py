"""Every IAM statement of every environment: who may push, release, update a stack and pass a role (lessons Q1, Q5)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.services.task.health_check import ContainerCheck
from stacks.application import application
from stacks.config import SERVICES_AT_MOST, ServiceConfig, ServiceSize
from tests.stacks import iam
from tests.stacks.iam import Allowed, Templates
from tests.stacks.variants import two_accounts, variants

REPOSITORY = re.compile(
    r"arn:aws:ecr:(?P<region>[\w-]+):(?P<account><AWS::AccountId>|[0-9]{12}):repository/(?P<name>[\w/-]+)"
)


@pytest.fixture(scope="module")
def of_two_accounts(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Staging in one account, production in another, and a third environment that builds for itself."""
    folder = tmp_path_factory.mktemp("two-accounts")
    application(two_accounts(), checked=False, outdir=str(folder)).synth()
    return iam.read_templates(folder)


@pytest.fixture(params=["the app", "two accounts"])
def grants(request: pytest.FixtureRequest, templates: Templates) -> list[Allowed]:
    """What all roles of all environments are allowed."""
    return iam.allowed(templates if request.param == "the app" else request.getfixturevalue("of_two_accounts"))


def environment_of(role: str) -> str:
    """From ``shop--staging--delivery/webbuildRole…``."""
    return role.split("--")[1]


def test_each_role_can_push_to_one_repository_of_its_own_environment(grants: list[Allowed]) -> None:
    """Builds and promotions push, each to one repository; no other role uploads anything (Q1)."""
    assert iam.pushes_too_far(grants) == []
    pushed = iam.repositories_pushed_to(grants)
    assert len(pushed) >= 2
    for role, (repository,) in pushed.items():
        found = REPOSITORY.fullmatch(repository)
        assert found, repository
        assert found["name"].startswith(f"shop/{environment_of(role)}/")
        assert re.search(r"/(web|api)(build|promotion)Role", role), role
    assert len({repository for (repository,) in pushed.values()}) == len(pushed), "two roles push to one repository"


def test_a_pin_can_be_put_by_the_guard_and_the_buttons_of_its_environment_only(grants: list[Allowed]) -> None:
    """Without uploading, an image gets a tag from its own environment's guard and release buttons (Q2)."""
    pushed = iam.repositories_pushed_to(grants)
    taggers = [one for one in grants if one.action == "ecr:PutImage" and one.role not in pushed]
    assert taggers
    for one in taggers:
        assert re.search(r"--(retention/GuardRole|release/(web|api)releaseRole)", one.role), one.role
        assert f":repository/shop/{environment_of(one.role)}/" in one.resource


def test_no_role_but_the_buttons_writes_what_runs(grants: list[Allowed]) -> None:
    """Release parameters and ledgers are written by the service's own button. The function that makes a parameter may
    write it too, for it makes it; the ledger it may not (Q5)."""
    writers = iam.writes_releases(grants)
    buttons = {role: names for role, names in writers.items() if "--release/" in role}
    makers = {role: names for role, names in writers.items() if role not in buttons}
    assert buttons
    for role, names in buttons.items():
        service = re.search(r"/(web|api)releaseRole", role)
        assert service, role
        start = f"/moorings/shop/{environment_of(role)}/{service[1]}"
        assert {name.split(":parameter")[1] for name in names} == {f"{start}/digest", f"{start}/releases/*"}
    for role, names in makers.items():
        assert re.search(r"--delivery/ReleasesRole", role), role
        assert all(name.endswith("/digest") for name in names)


def test_a_stack_is_updated_with_the_narrow_role_only(grants: list[Allowed]) -> None:
    """Only buttons update a stack: their own environment's services, with its release role and no other (Q5)."""
    assert iam.updates_stacks_freely(grants) == []
    updates = [one for one in grants if one.action == "cloudformation:UpdateStack"]
    assert updates
    for one in updates:
        environment = environment_of(one.role)
        assert "--release/" in one.role
        assert one.resource.endswith(f":stack/shop--{environment}--services/*")
        assert f":role/shop--{environment}--release" in one.condition


def test_only_named_roles_are_passed(grants: list[Allowed]) -> None:
    """Buttons pass the release role to CloudFormation, and it passes the services' roles to their tasks (Q5)."""
    assert iam.passes_roles_freely(grants) == []
    passed = [one for one in grants if one.action == "iam:PassRole"]
    assert {bool(re.search(r"--release/(web|api)releaseRole", one.role)) for one in passed} == {True, False}
    for one in passed:
        if "ecs-tasks" in one.condition:
            assert re.search(r"--services/ReleaseRole", one.role)
            assert re.fullmatch(r"<(web|api)Task(Execution|Task)Role\w+\.Arn>", one.resource)


def test_only_the_reader_is_assumed_across_accounts(of_two_accounts: Templates) -> None:
    """Production of another account reads staging by one role, which can write nothing; the rest is in its own account
    (Q1)."""
    grants = iam.allowed(of_two_accounts)
    reader = "arn:aws:iam::111122223333:role/shop--staging--reader"
    across = [one for one in grants if "--production--" in one.role and "111122223333" in one.resource]
    assert {(one.action, one.resource) for one in across} == {("sts:AssumeRole", reader)}
    assert {re.sub(r"[A-Z0-9]{8}$", "", one.role.split("/")[1]) for one in across} == {
        *("webpromotionRole", "apipromotionRole", "webreleaseRole", "apireleaseRole", "GapRole")
    }
    mine = [one for one in grants if one.role.startswith("shop--staging--delivery/Reader")]
    assert {one.action for one in mine} == {
        *("ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer"),
        *("ssm:GetParameter", "ssm:GetParametersByPath"),
    }
    assert all("/staging/" in one.resource for one in mine)


def test_the_reader_trusts_the_account_that_promotes_and_no_other(of_two_accounts: Templates) -> None:
    """The canary of staging's own account needs no reader, so the role trusts production's account alone."""
    resources = of_two_accounts["shop--staging--delivery"]["Resources"]
    (reader,) = (one for one in resources.values() if one["Properties"].get("RoleName") == "shop--staging--reader")
    (statement,) = reader["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert json.dumps(statement["Principal"]).count("444455556666") == 1
    assert "111122223333" not in json.dumps(statement["Principal"])


def test_in_one_account_there_is_no_reader(templates: Templates) -> None:
    """A role that nobody needs is not made."""
    roles = [r for t in templates.values() for r in t["Resources"].values() if r["Type"] == "AWS::IAM::Role"]
    assert not [role for role in roles if "reader" in str(role["Properties"].get("RoleName"))]


# Before: what the judges are for


def one_role(*statements: Mapping[str, Any]) -> list[Allowed]:
    """What a role of these statements is allowed."""
    policy = {"PolicyName": "p", "PolicyDocument": {"Statement": [{"Effect": "Allow", **one} for one in statements]}}
    role = {"Type": "AWS::IAM::Role", "Properties": {"Policies": [policy]}}
    return iam.allowed({"shop--staging--delivery": {"Resources": {"Role": role}}})


STAGING, PRODUCTION = (
    f"arn:aws:ecr:eu-west-1:111122223333:repository/shop/{name}/web" for name in ("staging", "production")
)
STACK = "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop--staging--services/*"
NARROW = {"StringEquals": {"cloudformation:RoleArn": "arn:aws:iam::111122223333:role/shop--staging--release"}}
TO_CLOUDFORMATION = {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}}


@pytest.mark.parametrize(
    "statements",
    [
        [{"Action": "ecr:UploadLayerPart", "Resource": [STAGING, PRODUCTION]}],
        [{"Action": ["ecr:UploadLayerPart"], "Resource": STAGING}, {"Action": "ecr:*", "Resource": PRODUCTION}],
        [{"Action": "ecr:CompleteLayerUpload", "Resource": "*"}],
        [{"Action": "ecr:InitiateLayerUpload", "Resource": {"Fn::Join": ["", [STAGING[:-3], "*"]]}}],
    ],
)
def test_a_role_that_could_push_to_two_is_found(statements: list[dict[str, Any]]) -> None:
    """Incident Q: one build pushed to the registries of staging and production."""
    assert iam.pushes_too_far(one_role({"Action": "ecr:UploadLayerPart", "Resource": STAGING})) == []
    assert len(iam.pushes_too_far(one_role(*statements))) == 1


def test_a_role_that_writes_the_digest_is_found_however_it_is_written() -> None:
    """By its name, by a pattern, and by all of Parameter Store."""
    digest = "arn:aws:ssm:eu-west-1:111122223333:parameter/moorings/shop/staging/web/digest"
    for action, resource in (("ssm:PutParameter", digest), ("ssm:*", "*"), ("ssm:DeleteParameters", digest[:-6] + "*")):
        assert list(iam.writes_releases(one_role({"Action": action, "Resource": resource}))) == [
            "shop--staging--delivery/Role"
        ]
    assert iam.writes_releases(one_role({"Action": "ssm:GetParameter", "Resource": digest})) == {}


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": "cloudformation:UpdateStack", "Resource": STACK},
        {"Action": "cloudformation:*", "Resource": STACK, "Condition": NARROW},
        {"Action": "cloudformation:ExecuteChangeSet", "Resource": STACK, "Condition": NARROW},
        {
            "Action": "cloudformation:UpdateStack",
            "Resource": STACK,
            "Condition": {"StringLike": {"cloudformation:RoleArn": "arn:aws:iam::111122223333:role/*"}},
        },
    ],
)
def test_a_role_that_updates_a_stack_as_an_administrator_is_found(statement: dict[str, Any]) -> None:
    """Without the condition, ``UpdateStack`` runs with the stack's own role, which may do everything."""
    right = {"Action": "cloudformation:UpdateStack", "Resource": STACK, "Condition": NARROW}
    assert iam.updates_stacks_freely(one_role(right)) == []
    assert len(iam.updates_stacks_freely(one_role(statement))) == 1


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": "iam:PassRole", "Resource": "*", "Condition": TO_CLOUDFORMATION},
        {"Action": "iam:PassRole", "Resource": "arn:aws:iam::111122223333:role/cdk-*", "Condition": TO_CLOUDFORMATION},
        {"Action": "iam:PassRole", "Resource": "arn:aws:iam::111122223333:role/one"},
        {"Action": "iam:*", "Resource": "arn:aws:iam::111122223333:role/one"},
    ],
)
def test_a_role_that_passes_any_role_is_found(statement: dict[str, Any]) -> None:
    """Who may pass an administrator is one."""
    right = {"Action": "iam:PassRole", "Resource": "arn:aws:iam::111122223333:role/one", "Condition": TO_CLOUDFORMATION}
    assert iam.passes_roles_freely(one_role(right)) == []
    assert len(iam.passes_roles_freely(one_role(statement))) == 1


# Room


@pytest.mark.parametrize(("application_name", "name", "service"), [(30, 25, 5), (16, 15, 29)])
def test_the_release_role_has_room_for_the_longest_names_of_the_most_services(
    application_name: int, name: int, service: int, tmp_path: Path
) -> None:
    """IAM takes 10,240 characters inline and 6,144 in a managed policy, without white space, and CloudFormation says so
    only when everything else is made. Longer names than these are refused already, for the guard's sake."""
    (public, *_) = variants()
    web = public.services[0]
    worker = ServiceConfig(name="worker", health_check=ContainerCheck.of("true"))
    names = [f"{'s' * (service - 2)}{number:02}" for number in range(SERVICES_AT_MOST)]
    config = replace(
        public,
        application="a" * application_name,
        name="e" * name,
        # Of web services alone a stack has room for thirteen; the role says the same of a worker.
        services=tuple(
            replace(web, name=each, subdomain=each) if number < 8 else replace(worker, name=each)
            for number, each in enumerate(names)
        ),
        size=ServiceSize(),
        status_page=None,
    )
    application([config], checked=False, outdir=str(tmp_path)).synth()
    stack = f"{config.application}--{config.name}--services"
    resources = iam.read_templates(tmp_path)[stack]["Resources"]
    (role,) = (r["Properties"] for key, r in resources.items() if key.startswith("ReleaseRole") and "Role" in r["Type"])
    (managed,) = (r["Properties"] for r in resources.values() if r["Type"] == "AWS::IAM::ManagedPolicy")
    inline = sum(len(deployed(policy["PolicyDocument"], stack)) for policy in role["Policies"])
    assert 4_000 < inline <= 10_240
    assert 2_000 < len(deployed(managed["PolicyDocument"], stack)) <= 6_144


def deployed(document: Any, stack: str) -> str:
    """A policy as IAM counts it: what CloudFormation fills in is as long as it makes such names."""
    cluster = f"{stack}-ClusterEB0386A7-ABCDEFGHIJKL"

    def known(match: re.Match[str]) -> str:
        what = match[1]
        if what == "AWS::AccountId":
            return "1" * 12
        if what == "AWS::StackName":
            return stack
        if what.startswith("Cluster"):
            return cluster
        if what.endswith(".Arn"):
            return f"arn:aws:iam::{'1' * 12}:role/{'r' * 64}"
        assert "Service" in what, what
        return f"arn:aws:ecs:eu-west-1:{'1' * 12}:service/{cluster}/{stack}-{what}-ABCDEFGHIJKL"

    def rendered(value: Any) -> Any:
        if isinstance(value, list):
            return [rendered(one) for one in value]
        if isinstance(value, dict) and not set(value) & {"Fn::Join", "Ref", "Fn::GetAtt"}:
            return {key: rendered(one) for key, one in value.items()}
        return re.sub(r"<([^<>]+)>", known, iam.text(value))

    return json.dumps(rendered(document), separators=(",", ":"))
