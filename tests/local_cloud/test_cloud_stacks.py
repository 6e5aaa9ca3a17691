"""CloudFormation: parameters from SSM, conditions, retention, updates without a change, stable services."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

RELEASE = "/moorings/release"
QUEUE: dict[str, Any] = {"Type": "AWS::SQS::Queue"}
PARAMETERS = {"Release": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": RELEASE}}
KEEP = [{"ParameterKey": "Release", "UsePreviousValue": True}]


def released() -> dict[str, Any]:
    """A stack whose queue is described by the release parameter."""
    queue = {**QUEUE, "Properties": {"Tags": [{"Key": "release", "Value": {"Ref": "Release"}}]}}
    return {"Parameters": PARAMETERS, "Resources": {"Queue": queue}, "Outputs": {"Is": {"Value": {"Ref": "Release"}}}}


def release(aws: Any, value: str) -> None:
    aws("ssm").put_parameter(Name=RELEASE, Value=value, Type="String", Overwrite=True)


def change(aws: Any, until: Callable[..., Any], name: str, template: dict[str, Any], kind: str) -> dict[str, Any]:
    """Make a change set, wait for it, and return its description."""
    cloudformation = aws("cloudformation")
    made = cloudformation.create_change_set(
        StackName=name, ChangeSetName=f"change-{kind}", ChangeSetType=kind, TemplateBody=json.dumps(template)
    )

    def ready() -> dict[str, Any] | None:
        found: dict[str, Any] = cloudformation.describe_change_set(ChangeSetName=made["Id"])
        return found if found["Status"] in ("CREATE_COMPLETE", "FAILED") else None

    found: dict[str, Any] = until(ready, "the change set is ready")
    return found


def test_parameter_is_resolved_at_each_update(aws: Any) -> None:
    """The same template and parameters give a new value when the SSM parameter has changed."""
    release(aws, "one")
    assert aws.deploy("app", released())["Outputs"] == {"Is": "one"}
    release(aws, "two")
    assert aws.deploy("app", released(), update=True, Parameters=KEEP)["Outputs"] == {"Is": "two"}
    release(aws, "three")
    stack_id = aws("cloudformation").update_stack(StackName="app", UsePreviousTemplate=True, Parameters=KEEP)["StackId"]
    assert aws.finished(stack_id)["Outputs"][0]["OutputValue"] == "three"


def test_parameter_is_resolved_by_change_sets(aws: Any, wait_until: Callable[..., Any]) -> None:
    """A change set sees the new value of the SSM parameter, and executing it applies it."""
    release(aws, "one")
    cloudformation = aws("cloudformation")
    for kind, value in (("CREATE", "one"), ("UPDATE", "two")):
        release(aws, value)
        made = change(aws, wait_until, "app", released(), kind)
        assert (made["Status"], len(made["Changes"])) == ("CREATE_COMPLETE", 1)
        cloudformation.execute_change_set(ChangeSetName=made["ChangeSetId"])
        assert aws.finished("app")["Outputs"][0]["OutputValue"] == value


@pytest.mark.parametrize("call", ["create_stack", "update_stack", "create_change_set"])
def test_missing_parameter_touches_nothing(aws: Any, call: str) -> None:
    """When the SSM parameter is gone the call itself fails, and stack and resources stay as they were."""
    cloudformation = aws("cloudformation")
    more = {"ChangeSetName": "change", "ChangeSetType": "CREATE"} if call == "create_change_set" else {}
    if call == "update_stack":
        release(aws, "one")
        aws.deploy("app", released())
        aws("ssm").delete_parameter(Name=RELEASE)
        before = cloudformation.describe_stack_events(StackName="app")["StackEvents"]
    with pytest.raises(ClientError, match=f"ValidationError.*{RELEASE}"):
        getattr(cloudformation, call)(StackName="app", TemplateBody=json.dumps(released()), **more)
    if call == "update_stack":
        assert cloudformation.describe_stack_events(StackName="app")["StackEvents"] == before
        assert aws.finished("app")["StackStatus"] == "CREATE_COMPLETE"
    else:
        assert cloudformation.list_stacks()["StackSummaries"] == []


def test_update_without_a_change(aws: Any, wait_until: Callable[..., Any]) -> None:
    """An unchanged template with an unchanged SSM value is refused by UpdateStack and is an empty change set."""
    release(aws, "one")
    aws.deploy("app", released())
    with pytest.raises(ClientError, match="No updates are to be performed"):
        aws.deploy("app", released(), update=True)
    with pytest.raises(ClientError, match="No updates are to be performed"):
        aws("cloudformation").update_stack(StackName="app", UsePreviousTemplate=True, Parameters=KEEP)
    made = change(aws, wait_until, "app", released(), "UPDATE")
    assert (made["Status"], made["Changes"]) == ("FAILED", [])
    assert made["StatusReason"].startswith("The submitted information didn't contain changes")


def test_conditions(aws: Any) -> None:
    """Fn::If with AWS::NoValue leaves a property out, and a false condition leaves a resource out."""
    large = {"Fn::If": ["Large", 9, {"Ref": "AWS::NoValue"}]}
    template = {
        "Parameters": {"Size": {"Type": "String", "Default": "small"}},
        "Conditions": {"Large": {"Fn::Equals": [{"Ref": "Size"}, "large"]}},
        "Resources": {
            "Queue": {**QUEUE, "Properties": {"DelaySeconds": large}},
            "Extra": {**QUEUE, "Condition": "Large"},
        },
        "Outputs": {"Queue": {"Value": {"Ref": "Queue"}}},
    }
    for size, delay, count in (("small", "0", 1), ("large", "9", 2)):
        parameters = [{"ParameterKey": "Size", "ParameterValue": size}]
        url = aws.deploy("app", template, update=size == "large", Parameters=parameters)["Outputs"]["Queue"]
        attributes = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])["Attributes"]
        assert attributes["DelaySeconds"] == delay
        assert len(aws("sqs").list_queues()["QueueUrls"]) == count


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate", "Delete"])
def test_deletion_policy(aws: Any, policy: str) -> None:
    """Retain and RetainExceptOnCreate keep a repository and its images when the stack is deleted."""
    repository = {
        "Type": "AWS::ECR::Repository",
        "DeletionPolicy": policy,
        "Properties": {"RepositoryName": "web", "EmptyOnDelete": True},
    }
    aws.deploy("app", {"Resources": {"Repository": repository}})
    digest = aws.push("web")
    assert aws.delete("app") == "DELETE_COMPLETE"
    names = [each["repositoryName"] for each in aws("ecr").describe_repositories()["repositories"]]
    assert names == ([] if policy == "Delete" else ["web"])
    if names:
        images = aws("ecr").describe_images(repositoryName="web")["imageDetails"]
        assert [image["imageDigest"] for image in images] == [digest]


@pytest.mark.parametrize(("policy", "kept"), [("Retain", True), ("RetainExceptOnCreate", False)])
def test_deletion_policy_of_a_failed_creation(aws: Any, policy: str, kept: bool) -> None:
    """When the creation fails, Retain keeps the repository and RetainExceptOnCreate does not."""
    repository = {
        "Type": "AWS::ECR::Repository",
        "DeletionPolicy": policy,
        "Properties": {"RepositoryName": "web"},
    }
    broken = {"Type": "AWS::EC2::EIP", "Properties": {"Domain": {"Fn::GetAtt": ["Repository", "Nothing"]}}}
    made = aws.deploy("app", {"Resources": {"Repository": repository, "Broken": broken}})
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    assert bool(aws("ecr").describe_repositories()["repositories"]) is kept


def test_repository_with_images_is_not_deleted(aws: Any) -> None:
    """Without EmptyOnDelete the deletion of a repository that holds images fails, as on AWS."""
    aws.deploy("app", {"Resources": {"R": {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": "web"}}}})
    aws.push("web")
    assert aws.delete("app") == "DELETE_FAILED"


def service(image: str, *, cluster: str = "Ref", **properties: Any) -> dict[str, Any]:
    """A stack of one service with a circuit breaker."""
    container = {"Name": "web", "Image": {"Fn::Sub": image}}
    named = {"Ref": "Cluster"} if cluster == "Ref" else {"Fn::GetAtt": ["Cluster", "Arn"]}
    breaker = {"DeploymentCircuitBreaker": {"Enable": True, "Rollback": True}}
    common = {"TaskDefinition": {"Ref": "Definition"}, "LaunchType": "FARGATE", "DeploymentConfiguration": breaker}
    definition = {"Family": "web", "RequiresCompatibilities": ["FARGATE"], "ContainerDefinitions": [container]}
    return {
        "Resources": {
            "Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": "main"}},
            "Definition": {"Type": "AWS::ECS::TaskDefinition", "Properties": definition},
            "Service": {"Type": "AWS::ECS::Service", "Properties": {"Cluster": named, **common, **properties}},
        },
        "Outputs": {"Service": {"Value": {"Ref": "Service"}}},
    }


PRIVATE = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/web:v1"


def counts(aws: Any, arn: str) -> tuple[int, int]:
    found = aws("ecs").describe_services(cluster="main", services=[arn])["services"][0]
    return found["desiredCount"], found["runningCount"]


@pytest.mark.parametrize("cluster", ["Ref", "Arn"])
def test_template_without_count_leaves_it(aws: Any, cluster: str) -> None:
    """Without DesiredCount a creation gives 1 and an update leaves what was set meanwhile; with it the count is set."""
    arn = aws.deploy("app", service("busybox:1", cluster=cluster))["Outputs"]["Service"]
    assert counts(aws, arn) == (1, 1)
    aws("ecs").update_service(cluster="main", service=arn, desiredCount=3)
    aws.deploy("app", service("busybox:2", cluster=cluster), update=True)
    assert counts(aws, arn) == (3, 3)
    aws.deploy("app", service("busybox:2", cluster=cluster, DesiredCount=2), update=True)
    assert counts(aws, arn) == (2, 2)
    aws.deploy("app", service("busybox:3", cluster=cluster), update=True)
    assert counts(aws, arn) == (2, 2)


def test_template_with_count_overwrites_it(aws: Any) -> None:
    """A DesiredCount in the template overwrites what was set meanwhile, at every update that touches the service."""
    arn = aws.deploy("app", service("busybox:1", DesiredCount=2))["Outputs"]["Service"]
    aws("ecs").update_service(cluster="main", service=arn, desiredCount=3)
    aws.deploy("app", service("busybox:2", DesiredCount=2), update=True)
    assert counts(aws, arn) == (2, 2)


def test_creation_fails_when_the_service_is_never_stable(aws: Any) -> None:
    """CloudFormation waits for a service; when the circuit breaker trips, the stack rolls back and says why."""
    aws("ecr").create_repository(repositoryName="web")
    assert aws.deploy("app", service(PRIVATE))["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "ECS Deployment Circuit Breaker was triggered" in aws.reasons("app")


def test_update_fails_and_the_former_tasks_stay(aws: Any) -> None:
    """An update to an image that is missing rolls back, and the service runs what it ran before."""
    arn = aws.deploy("app", service("busybox:1", DesiredCount=2))["Outputs"]["Service"]
    aws("ecr").create_repository(repositoryName="web")
    made = aws.deploy("app", service(PRIVATE, DesiredCount=2), update=True)
    assert made["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert counts(aws, arn) == (2, 2)
    running = aws("ecs").list_tasks(cluster="main")["taskArns"]
    tasks = aws("ecs").describe_tasks(cluster="main", tasks=running)["tasks"]
    assert {task["containers"][0]["image"] for task in tasks} == {"busybox:1"}


def test_zero_tasks_are_stable_at_once(aws: Any) -> None:
    """A deployment at zero tasks completes although its image is missing, as AWS documents."""
    assert aws.deploy("app", service(PRIVATE, DesiredCount=0))["StackStatus"] == "CREATE_COMPLETE"
