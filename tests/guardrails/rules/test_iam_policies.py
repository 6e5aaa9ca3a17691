"""What a role, user or group may push to, by all of its policies (lesson Q1)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.guardrails.support import findings, said

A, B = {"Fn::GetAtt": ["A", "Arn"]}, {"Fn::GetAtt": ["B", "Arn"]}
BY_NAME = "arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/"
TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}}]}
AWS_POLICY = "arn:aws:iam::aws:policy/"
FAIL, UNKNOWN = ["fail"], ["unknown"]


def sub(text: str) -> dict[str, str]:
    """``Fn::Sub``."""
    return {"Fn::Sub": text}


def allow(resource: Any, action: Any = "ecr:PutImage", **more: Any) -> dict[str, Any]:
    """A statement; None leaves an element out."""
    found = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return {key: value for key, value in found.items() if value is not None}


def deny(resource: Any, action: Any = "ecr:*", **more: Any) -> dict[str, Any]:
    """The opposite."""
    return {**allow(resource, action, **more), "Effect": "Deny"}


def document(*statements: Any) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def role(*statements: Any, **properties: Any) -> dict[str, Any]:
    """A role with an inline policy of these statements."""
    inline = [{"PolicyName": "push", "PolicyDocument": document(*statements)}] if statements else []
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": TRUST, "Policies": inline, **properties},
    }


def template(**resources: Any) -> str:
    """A template with two repositories; B has a name."""
    repositories = {
        "A": {"Type": "AWS::ECR::Repository"},
        "B": {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": "b"}},
        "Named": {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": {"Ref": "Name"}}},
    }
    parameters = {
        "Name": {"Type": "String"},
        "How": {"Type": "String"},
        "Other": {"Type": "String"},
        "Arn": {"Type": "String"},
        "Default": {"Type": "String", "Default": "*"},
        "Arns": {"Type": "CommaDelimitedList"},
    }
    conditions = {"Both": {"Fn::Equals": [{"Ref": "How"}, "both"]}}
    return json.dumps({"Parameters": parameters, "Conditions": conditions, "Resources": {**repositories, **resources}})


def judged(*statements: Any, **properties: Any) -> list[str]:
    """What is said of a role with these statements."""
    return [status for status, _, _ in said(template(Role=role(*statements, **properties)), "MOOR-Q1a")]


@pytest.mark.parametrize(
    "action",
    ["ecr:PutImage", "ecr:putimage", "ecr:*", "*", "ecr:Put*", "ecr:PutImag?", ["s3:GetObject", "ecr:P*e"], "*:*"],
)
def test_actions_that_push(action: Any) -> None:
    """Each way to name ecr:PutImage counts, whatever its case and its wildcards."""
    assert judged(allow("*", action)) == FAIL


@pytest.mark.parametrize(
    "action",
    ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:Get*", "ecr:PutLifecyclePolicy", "s3:*", "ecr-public:*"],
)
def test_actions_that_do_not_push(action: str) -> None:
    """Who may pull from everywhere, or configure, may not push."""
    assert judged(allow("*", action)) == []


@pytest.mark.parametrize(
    ("excluded", "expected"),
    [("iam:*", FAIL), (["ecr:PutImage"], []), (["iam:*", "ecr:*"], []), ({"Ref": "Name"}, UNKNOWN)],
)
def test_not_action(excluded: Any, expected: list[str]) -> None:
    """NotAction allows all but what it names."""
    assert judged(allow("*", None, NotAction=excluded)) == expected


@pytest.mark.parametrize(
    "resource",
    [
        "*",
        {"Ref": "Default"},
        [A, B],
        ["arn:aws:ecr:eu-west-1:111122223333:repository/a", "arn:aws:ecr:eu-west-1:444455556666:repository/a"],
        "arn:aws:ecr:eu-west-1:111122223333:repository/shop-*",
        "arn:aws:ecr:eu-west-1:111122223333:*",
        "arn:aws:ecr:*",
        "arn:aws:ecr:*:111122223333:repository/shop",
        sub(BY_NAME + "*"),
        [sub(BY_NAME + "x-${Name}"), sub(BY_NAME + "y-${Name}")],
        [A, sub(BY_NAME + "b")],
        [A, {"Fn::GetAtt": "Named.Arn"}],
        {"Fn::Join": ["", ["arn:aws:ecr:", {"Ref": "AWS::Region"}, ":", {"Ref": "AWS::AccountId"}, ":repository/*"]]},
        {"Fn::If": ["Both", [A, B], A]},
        [A, {"Fn::If": ["Both", B, {"Ref": "AWS::NoValue"}]}],
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_resources_that_are_several(resource: Any) -> None:
    """A wildcard, two ARNs, and a branch that has them, are more than one repository."""
    assert set(judged(allow(resource))) == {"fail"}


@pytest.mark.parametrize(
    "resource",
    [
        A,
        [A, A],
        "arn:aws:ecr:eu-west-1:111122223333:repository/shop",
        [A, sub(BY_NAME + "${A}")],
        [A, sub("${A.Arn}"), sub("${A.Arn}/*")],
        [B, sub(BY_NAME + "b")],
        [{"Fn::GetAtt": "Named.Arn"}, sub(BY_NAME + "${Name}")],
        sub(BY_NAME + "${Name}"),
        [A, {"Fn::GetAtt": ["Bucket", "Arn"]}, sub("${Bucket.Arn}/*"), "arn:aws:s3:::artifacts/*"],
        {"Fn::If": ["Both", A, B]},
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_resources_that_are_one(resource: Any) -> None:
    """One repository is one, however often and in whatever way it is named; other services' ARNs do not count."""
    text = template(Role=role(allow(resource, "*")), Bucket={"Type": "AWS::S3::Bucket"})
    assert said(text, "MOOR-Q1a") == []


@pytest.mark.parametrize(
    "resource",
    [
        {"Ref": "Arn"},
        [{"Ref": "Arn"}],
        {"Ref": "Arns"},
        [A, sub(BY_NAME + "${Other}")],
        {"Fn::ImportValue": "elsewhere"},
        sub("${Arn}*"),
        "arn:aws:ecr:eu-west-1:111122223333:repository/${aws:PrincipalTag/team}",
        sub("arn:aws:${Name}:eu-west-1:111122223333:repository/*"),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_resources_that_are_not_known(resource: Any) -> None:
    """A parameter without default may be a wildcard, and its repository another one or the same."""
    assert judged(allow(resource)) == UNKNOWN


def test_what_is_sure_is_said_in_spite_of_what_is_not() -> None:
    """Two known repositories are two, whatever a third may be."""
    assert judged(allow([A, {"Ref": "Arn"}, B]), allow({"Ref": "Arns"})) == FAIL


def test_not_resource() -> None:
    """All but some repositories are many."""
    assert judged(allow(None, NotResource=[A])) == FAIL
    assert judged(allow(None, NotResource="arn:aws:ecr:*")) == []


def test_a_condition_may_let_one_through_only() -> None:
    """What is allowed under a Condition is unknown, unless it is one repository anyway."""
    tagged = {"StringEquals": {"aws:ResourceTag/environment": "staging"}}
    assert judged(allow("*", Condition=tagged)) == UNKNOWN
    assert judged(allow([A, B], Condition=tagged)) == UNKNOWN
    assert judged(allow(A, Condition=tagged)) == []
    assert judged(allow("*", Condition=tagged), allow("*")) == FAIL


@pytest.mark.parametrize(
    ("denied", "expected"),
    [
        (deny("*", "*"), []),
        (deny("*", "s3:*"), FAIL),
        (deny(B), []),
        (deny(sub(BY_NAME + "b")), []),
        (deny("arn:aws:ecr:*:*:repository/b"), []),
        (deny("arn:aws:ecr:*:*:repository/other"), FAIL),
        (deny(None, NotResource=A), []),
        (deny(None, NotResource=[A, B]), FAIL),
        (deny(B, Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}}), UNKNOWN),
        (deny(None, NotResource=A, Condition={"Bool": {"aws:SecureTransport": "false"}}), UNKNOWN),
        (deny({"Ref": "Arns"}), UNKNOWN),
    ],
    ids=lambda value: json.dumps(value)[:70],
)
def test_a_denial_takes_away(denied: Any, expected: list[str]) -> None:
    """Deny wins over Allow where it covers it, by its own resources or by all others."""
    assert judged(allow([A, B]), denied) == expected


def test_a_denial_of_all_but_one_leaves_one() -> None:
    """A wildcard with such a denial is one repository; with a denial of some it is many still."""
    assert judged(allow("*"), deny(None, NotResource=A)) == []
    assert judged(allow("*"), deny(None, NotResource=[A, B])) == FAIL
    assert judged(allow("*"), deny(B)) == FAIL


def test_statements_add_up() -> None:
    """One repository each in two statements are two, and one statement need not be in a list."""
    assert judged(allow(A), allow(B)) == FAIL
    policy = {"PolicyName": "push", "PolicyDocument": {"Statement": allow("*")}}
    assert judged(Policies=[policy]) == FAIL


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (AWS_POLICY + "AmazonEC2ContainerRegistryPowerUser", FAIL),
        (sub("arn:${AWS::Partition}:iam::aws:policy/AmazonEC2ContainerRegistryFullAccess"), FAIL),
        (AWS_POLICY + "AdministratorAccess", FAIL),
        (AWS_POLICY + "PowerUserAccess", FAIL),
        (AWS_POLICY + "AmazonEC2ContainerRegistryReadOnly", []),
        (AWS_POLICY + "service-role/AmazonECSTaskExecutionRolePolicy", []),
        ("arn:aws:iam::111122223333:policy/ours", UNKNOWN),
        ({"Ref": "Arn"}, UNKNOWN),
        (sub(AWS_POLICY + "${Name}"), UNKNOWN),
    ],
)
def test_managed_policies(policy: Any, expected: list[str]) -> None:
    """Of AWS's own policies it is known which push; of one that is elsewhere it is not."""
    assert judged(ManagedPolicyArns=[policy]) == expected


@pytest.mark.parametrize(
    ("kind", "attached"),
    [
        ("AWS::IAM::Policy", {"Roles": [{"Ref": "Role"}]}),
        ("AWS::IAM::Policy", {"Roles": [sub("${Role}")], "Users": ["other"]}),
        ("AWS::IAM::Policy", {"Roles": ["builder"]}),
        ("AWS::IAM::ManagedPolicy", {"Roles": [{"Ref": "Role"}]}),
        ("AWS::IAM::RolePolicy", {"RoleName": {"Ref": "Role"}}),
        ("AWS::IAM::RolePolicy", {"RoleName": "builder"}),
    ],
)
def test_policies_that_stand_elsewhere_in_the_assembly(kind: str, attached: dict[str, Any]) -> None:
    """A policy counts for the role that it names, together with the role's own, and is judged there."""
    policy = {"Type": kind, "Properties": {"PolicyName": "p", "PolicyDocument": document(allow(B)), **attached}}
    text = template(Role=role(allow(A), RoleName="builder"), Policy=policy)
    (found,) = findings(text, "MOOR-Q1a")
    assert (found.status, found.logical_id) == ("fail", "Role")
    assert "${A}" in found.message
    assert "repository/b" in found.message


def test_a_managed_policy_that_the_role_names() -> None:
    """By Ref, and by an export of another template."""
    managed = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document(allow("*"))}}
    text = template(Role=role(ManagedPolicyArns=[{"Ref": "Push"}]), Push=managed)
    assert [one[:2] for one in said(text, "MOOR-Q1a")] == [("fail", "Role")]
    exporting = {
        "Resources": {"Push": managed},
        "Outputs": {"Push": {"Value": {"Ref": "Push"}, "Export": {"Name": "push"}}},
    }
    importing = template(Role=role(ManagedPolicyArns=[{"Fn::ImportValue": "push"}]))
    assert [one[:2] for one in said({"a.json": json.dumps(exporting), "b.json": importing}, "MOOR-Q1a")] == [
        ("fail", "Role")
    ]


def test_a_policy_for_a_role_of_elsewhere_is_judged_by_itself() -> None:
    """Nobody else would judge it; a managed policy that names nobody gives rights to nobody."""
    properties = {"PolicyName": "p", "PolicyDocument": document(allow("*"))}
    elsewhere = {"Type": "AWS::IAM::Policy", "Properties": {**properties, "Roles": ["made-by-hand"]}}
    unattached = {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}
    text = template(Elsewhere=elsewhere, Unattached=unattached)
    assert [one[:2] for one in said(text, "MOOR-Q1a")] == [("fail", "Elsewhere")]


def test_a_policy_under_a_condition_counts_where_it_exists() -> None:
    """And the finding says where."""
    properties = {"PolicyName": "p", "PolicyDocument": document(allow(B)), "Roles": [{"Ref": "Role"}]}
    policy = {"Type": "AWS::IAM::Policy", "Condition": "Both", "Properties": properties}
    (found,) = findings(template(Role=role(allow(A)), Policy=policy), "MOOR-Q1a")
    assert "(where How is both)" in found.message


def test_a_permissions_boundary_may_allow_less() -> None:
    """Then it is unknown; a boundary that allows pushing everywhere takes nothing away."""
    boundary = "arn:aws:iam::111122223333:policy/boundary"
    assert judged(allow("*"), PermissionsBoundary=boundary) == UNKNOWN
    assert judged(allow(A), PermissionsBoundary=boundary) == []
    assert judged(allow("*"), PermissionsBoundary=AWS_POLICY + "PowerUserAccess") == FAIL


def test_users_and_groups() -> None:
    """A user has the rights of its groups."""
    inline = [{"PolicyName": "p", "PolicyDocument": document(allow(A))}]
    group = {"Type": "AWS::IAM::Group", "Properties": {"Policies": inline}}
    users = [{"PolicyName": "p", "PolicyDocument": document(allow(B))}]
    user = {"Type": "AWS::IAM::User", "Properties": {"Policies": users, "Groups": [{"Ref": "Team"}]}}
    text = template(Team=group, Person=user)
    assert [one[:2] for one in said(text, "MOOR-Q1a")] == [("fail", "Person")]
    assert "user 'Person' may push to" in findings(text, "MOOR-Q1a")[0].message.lower().replace("person", "Person")


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ("AmazonEC2ContainerRegistryPowerUser", FAIL),
        (["AWSLambdaBasicExecutionRole", {"S3ReadPolicy": {"BucketName": "b"}}], []),
        ([{"Statement": [allow("*")]}], FAIL),
        ([document(allow(A))], []),
        ([{"Version": "2012-10-17", "Statement": allow([A, B])}], FAIL),
    ],
)
def test_sam_functions(policies: Any, expected: list[str]) -> None:
    """SAM makes a role of Policies: names, documents and its own templates; with a Role it makes none."""
    properties = {"Handler": "a.b", "Policies": policies}
    text = template(Function={"Type": "AWS::Serverless::Function", "Properties": properties})
    assert [one[0] for one in said(text, "MOOR-Q1a")] == expected
    given = {"Type": "AWS::Serverless::Function", "Properties": {**properties, "Role": "arn:aws:iam::1:role/x"}}
    assert said(template(Function=given), "MOOR-Q1a") == []


def test_marks_in_a_template_are_only_characters() -> None:
    """What the comparison puts between texts may stand in a template too."""
    arn = "arn:aws:ecr:eu-west-1:111122223333:repository/"
    assert judged(allow([arn + "\ue002", arn + "\ue000*"])) == FAIL
    assert judged(allow(arn + "\ue000x\ue001")) == []


@pytest.mark.parametrize(
    "policies",
    [[None], ["text"], [{"PolicyDocument": "text"}], [{"PolicyDocument": {"Statement": [1, None, "x", [[]]]}}], 7],
)
def test_malformed_policies_give_nothing_sure(policies: Any) -> None:
    """What IAM would refuse is no exception and no certain finding."""
    assert "fail" not in judged(Policies=policies)


def test_the_message_names_the_policy_and_the_place() -> None:
    """What may be pushed to, by what, at the very entry."""
    push = AWS_POLICY + "AmazonEC2ContainerRegistryPowerUser"
    (found,) = findings(template(Role=role(ManagedPolicyArns=[push])), "MOOR-Q1a")
    assert found.path == "Properties/ManagedPolicyArns/0"
    assert found.message.startswith(
        "Role 'Role' may push to every repository by AmazonEC2ContainerRegistryPowerUser. ECS web application"
    )
