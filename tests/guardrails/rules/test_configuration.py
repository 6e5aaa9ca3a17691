"""T2: the AppConfig agent, and what a new task starts from."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.guardrails.support import said

AGENT = "public.ecr.aws/aws-appconfig/aws-appconfig-agent:2.x"
HEAD = {
    "Parameters": {
        "Open": {"Type": "String"},
        "Switch": {"Type": "String"},
        "Agent": {"Type": "String", "Default": AGENT},
    },
    "Conditions": {"Maybe": {"Fn::Equals": [{"Ref": "Switch"}, "yes"]}},
}
APPLICATION = {"Application": {"Type": "AWS::AppConfig::Application"}}


def task(*containers: object, **properties: object) -> dict[str, Any]:
    """A task definition."""
    return {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": list(containers)} | properties}


def judged(rule: str, resources: dict[str, Any]) -> list[tuple[str, str]]:
    """What a rule says, as (status, path)."""
    return [(status, path) for status, _, path in said(json.dumps(HEAD | {"Resources": resources}), rule)]


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (["web:1"], "fail"),
        (["web:1", AGENT], None),
        (["web:1", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/mirror/aws-appconfig-agent@sha256:0"], None),
        ([{"Ref": "Agent"}], None),
        ([{"Fn::If": ["Maybe", "web:1", AGENT]}], None),
        ([{"Ref": "Open"}], "unknown"),
        ([{"Ref": "Open"}, AGENT], None),
        ([{"Fn::Sub": "${AWS::AccountId}.dkr.ecr.eu-west-1.amazonaws.com/shop/web@${Open}"}], "fail"),
        ([{"Fn::Sub": "${AWS::AccountId}.dkr.ecr.eu-west-1.amazonaws.com/${Open}:1"}], "unknown"),
        ([{"Fn::Sub": "public.ecr.aws/aws-appconfig/aws-appconfig-agent:${Open}"}], None),
        ([{"Fn::GetAtt": ["Repository", "RepositoryUri"]}], "unknown"),
        ([{"Fn::If": {"Maybe": AGENT}}], "unknown"),
        ([{"Ref": "AWS::NoValue"}], "fail"),
        ([], "fail"),
    ],
)
def test_t2a_an_agent_anywhere(images: list[object], expected: str | None) -> None:
    """A container with the agent's image counts, and an image whose name is not known may be it."""
    containers = [{"Name": f"c{number}", "Image": image} for number, image in enumerate(images)]
    resources = APPLICATION | {"Task": task(*containers), "Repository": {"Type": "AWS::ECR::Repository"}}
    assert judged("MOOR-T2a", resources) == ([] if expected is None else [(expected, "")])


@pytest.mark.parametrize(
    "definitions",
    [
        [{"Name": "web", "Image": "web:1"}, {"Fn::If": ["Maybe", {"Image": AGENT}, {"Ref": "AWS::NoValue"}]}],
        {"Fn::If": ["Maybe", [{"Image": "web:1"}], [{"Image": AGENT}]]},
    ],
    ids=["container", "list"],
)
def test_t2a_an_agent_under_a_condition(definitions: object) -> None:
    """An agent in one branch is an agent."""
    resources = APPLICATION | {"Task": task(), "Other": task(ContainerDefinitions=definitions)}
    assert judged("MOOR-T2a", resources) == []


def test_t2a_a_container_that_is_not_there() -> None:
    """What a condition leaves out, or what has no image, is not the agent."""
    left_out = {"Fn::If": ["Maybe", {"Name": "web", "Image": "web:1"}, {"Ref": "AWS::NoValue"}]}
    assert judged("MOOR-T2a", APPLICATION | {"Task": task(left_out, {"Name": "worker"})}) == [("fail", "")]


def test_t2a_asks_nothing_without_tasks() -> None:
    """AppConfig for functions or for another assembly's tasks is not judged."""
    assert judged("MOOR-T2a", APPLICATION) == []


def test_t2a_follows_other_templates() -> None:
    """The agent may run in another stack of the assembly."""
    templates = {
        "configuration.json": json.dumps({"Resources": APPLICATION}),
        "service.json": json.dumps({"Resources": {"Task": task({"Image": "web:1"})}}),
    }
    assert said(templates, "MOOR-T2a") == [("fail", "Application", "")]
    templates["service.json"] = json.dumps({"Resources": {"Task": task({"Image": AGENT})}})
    assert said(templates, "MOOR-T2a") == []


def agent(environment: object = None, mount: str = "/backups", **more: object) -> dict[str, Any]:
    """The agent's container, with a volume mounted."""
    variables = {} if environment is None else {"Environment": environment}
    mounts = [{"ContainerPath": mount, "SourceVolume": "backups"}]
    return {"Name": "agent", "Image": AGENT, "MountPoints": mounts} | variables | more


DIRECTORY = [{"Name": "MODE", "Value": "x"}, {"Name": "BACKUP_DIRECTORY", "Value": "/backups/shop"}]
EFS = {"Name": "backups", "EFSVolumeConfiguration": {"FilesystemId": "fs-1"}}
PLACE = "Properties/ContainerDefinitions/0/Environment"


@pytest.mark.parametrize(
    ("container", "volume", "expected"),
    [
        (agent(DIRECTORY), EFS, []),
        (agent(DIRECTORY, "/backups/"), EFS, []),
        (agent(DIRECTORY, "/backups/shop"), EFS, []),
        (agent(), EFS, [("fail", PLACE)]),
        (agent([{"Name": "BACKUP_DIRECTORY", "Value": ""}]), EFS, [("fail", PLACE)]),
        (agent(DIRECTORY, MountPoints=[{"SourceVolume": "backups"}]), EFS, []),
        (agent(DIRECTORY, "/back"), EFS, [("fail", f"{PLACE}/1/Value")]),
        (agent(DIRECTORY), {"Name": "other", "EFSVolumeConfiguration": {}}, [("fail", f"{PLACE}/1/Value")]),
        (agent(DIRECTORY), {"Name": "backups"}, [("fail", f"{PLACE}/1/Value")]),
        (agent(DIRECTORY), {"Name": "backups", "ConfiguredAtLaunch": True}, [("fail", f"{PLACE}/1/Value")]),
        (agent(DIRECTORY), {"Name": "backups", "Host": {}}, [("fail", f"{PLACE}/1/Value")]),
        (agent(DIRECTORY), {"Name": "backups", "Host": {"SourcePath": "/var/shop"}}, []),
        (agent(EnvironmentFiles=[{"Type": "s3"}]), EFS, [("unknown", PLACE.replace("ment", "mentFiles"))]),
        (agent(DIRECTORY, EnvironmentFiles=[{"Type": "s3"}]), EFS, []),
        (agent([{"Name": {"Ref": "Open"}, "Value": "x"}]), EFS, [("unknown", f"{PLACE}/0/Name")]),
        (agent([{"Name": "BACKUP_DIRECTORY", "Value": {"Ref": "Open"}}]), EFS, [("unknown", f"{PLACE}/0/Value")]),
        (agent(DIRECTORY, "/tmp", VolumesFrom=[{"SourceContainer": "web"}]), EFS, []),
        (agent(Image="web:1"), EFS, []),
        (agent(Image={"Ref": "Open"}), EFS, []),
        (agent(Image={"Ref": "Agent"}), EFS, [("fail", PLACE)]),
    ],
)
def test_t2b_a_backup_that_the_next_task_finds(
    container: dict[str, Any], volume: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """The agent has a backup directory, and that is on a volume that outlives the task."""
    assert judged("MOOR-T2b", {"Task": task(container, Volumes=[volume])}) == expected


@pytest.mark.parametrize("definitions", [{"Ref": "Open"}, [{"Ref": "Open"}]], ids=["list", "container"])
def test_t2b_containers_that_are_not_known(definitions: object) -> None:
    """One may be the agent where AppConfig is here; nothing is asked of tasks that have nothing to do with it."""
    resources = {"Task": task(ContainerDefinitions=definitions)}
    assert judged("MOOR-T2b", resources) == []
    assert [status for status, _ in judged("MOOR-T2b", APPLICATION | resources)] == ["unknown"]
    both = [agent(), {"Ref": "Open"}]
    assert [status for status, _ in judged("MOOR-T2b", {"Task": task(*both)})] == ["unknown"]


def told(name: object, value: object, **more: object) -> dict[str, Any]:
    """The application's container, with a variable."""
    return {"Name": "web", "Image": "web:1", "Environment": [{"Name": name, "Value": value}]} | more


def role(*actions: object, effect: str = "Allow", **more: object) -> dict[str, Any]:
    """A task's role."""
    document = {"Statement": [{"Effect": effect, "Action": list(actions), "Resource": "*"}]}
    return {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": document}]} | more}


BUCKET: dict[str, Any] = {"Bucket": {"Type": "AWS::S3::Bucket"}}
FAIL, UNKNOWN, PASS = "fail", "unknown", None


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        (told("MOORINGS_CONFIG_COPY", "s3://bucket/shop/production.json"), PASS),
        (told("MOORINGS_CONFIG_COPY", {"Fn::Sub": "s3://${Bucket}/shop.json"}), PASS),
        (told("MOORINGS_CONFIG_COPY", {"Fn::Join": ["", ["s3://", {"Ref": "Bucket"}, "/", {"Ref": "Open"}]]}), PASS),
        (told("FALLBACK_FLAGS", "s3://bucket/flags.json"), PASS),
        (told("app_settings_url", "s3://bucket/a"), PASS),
        (told("UPLOADS", "s3://bucket/uploads/a.json"), UNKNOWN),
        (told("CONFIG_COPY", "s3://bucket/"), FAIL),
        (told("CONFIG_COPY", "s3://bucket"), FAIL),
        (told("CONFIG_COPY", "s3://bucket/folder/"), FAIL),
        (told("CONFIG_COPY", "https://bucket/key"), FAIL),
        (told("CONFIG_COPY", "see s3://bucket/key"), FAIL),
        (told("MOORINGS_CONFIG_COPY", {"Ref": "Open"}), UNKNOWN),
        (told("CONFIG_NAME", {"Ref": "Open"}), FAIL),
        (told({"Ref": "Open"}, "s3://bucket/a"), FAIL),
        ({"Name": "web", "Image": "web:1", "Environment": {"Ref": "Open"}}, UNKNOWN),
        ({"Name": "web", "Image": "web:1"}, FAIL),
        ({"Ref": "Open"}, UNKNOWN),
    ],
)
def test_t2b_a_copy_in_s3_that_the_application_is_told_of(container: dict[str, Any], expected: str | None) -> None:
    """An object's place under a name that speaks of configuration; under another name it may be one."""
    found = judged("MOOR-T2b", BUCKET | {"Task": task(container, agent())})
    assert [status for status, _ in found] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (role("appconfig:GetLatestConfiguration", "s3:PutObject"), FAIL),
        (role("s3:GetObject"), UNKNOWN),
        (role("s3:GetObject*"), UNKNOWN),
        (role("S3:get*"), UNKNOWN),
        (role("*"), UNKNOWN),
        (role({"Ref": "Open"}), UNKNOWN),
        (role("s3:GetObject", effect="Deny"), FAIL),
        (role("sqs:*", ManagedPolicyArns=["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]), UNKNOWN),
        (role("sqs:*", ManagedPolicyArns=["arn:aws:iam::aws:policy/AmazonSQSFullAccess"]), FAIL),
        (role("sqs:*", ManagedPolicyArns=["arn:aws:iam::123456789012:policy/ours"]), UNKNOWN),
        ({"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": {
            "Statement": {"Effect": "Allow", "NotAction": "sqs:*", "Resource": "*"}}}]}}, UNKNOWN),
    ],
)  # fmt: skip
def test_t2b_a_role_that_may_read_an_object_leaves_it_open(given: dict[str, Any], expected: str | None) -> None:
    """The application may know its copy from elsewhere; without the right it cannot have one there."""
    resources = {"Role": given, "Task": task(told("MODE", "x"), agent(), TaskRoleArn={"Fn::GetAtt": ["Role", "Arn"]})}
    assert [status for status, _ in judged("MOOR-T2b", resources)] == [expected]


def test_t2b_a_policy_beside_the_role_counts() -> None:
    """As CDK writes it, and a role of elsewhere may have any."""
    document = {"Statement": [{"Effect": "Allow", "Action": ["s3:GetObject*", "s3:List*"], "Resource": "*"}]}
    policy = {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "Role"}], "PolicyDocument": document}}
    resources = {"Role": role("sqs:*"), "Task": task(agent(), TaskRoleArn={"Fn::GetAtt": ["Role", "Arn"]})}
    assert [status for status, _ in judged("MOOR-T2b", resources)] == ["fail"]
    assert [status for status, _ in judged("MOOR-T2b", resources | {"Policy": policy})] == ["unknown"]
    elsewhere = {"Task": task(agent(), TaskRoleArn="arn:aws:iam::123456789012:role/web")}
    assert [status for status, _ in judged("MOOR-T2b", elsewhere)] == ["unknown"]


def test_t2b_either_copy_is_enough() -> None:
    """A volume that outlives the task needs no copy in S3, whatever of that is not known, and the other way round."""
    efs = task(told("UPLOADS", "s3://b/a"), agent(DIRECTORY), Volumes=[EFS])
    assert judged("MOOR-T2b", {"Task": efs}) == []
    both = task(told("CONFIG_COPY", "s3://b/a"), agent([{"Name": {"Ref": "Open"}, "Value": "x"}]))
    assert judged("MOOR-T2b", {"Task": both}) == []
