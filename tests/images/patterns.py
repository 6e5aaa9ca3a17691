"""Reads EventBridge patterns as its user guide describes them, as far as ours go: a second opinion for the tests."""

from __future__ import annotations

from typing import Any


def matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    """Whether an event matches a pattern: every field must, and of ``$or`` one alternative."""
    for key, wanted in pattern.items():
        if key == "$or":
            if not any(matches(alternative, event) for alternative in wanted):
                return False
        elif isinstance(wanted, dict):
            if not isinstance(event.get(key), dict) or not matches(wanted, event[key]):
                return False
        elif not any(_one(test, key, event) for test in wanted):
            return False
    return True


def _one(test: Any, key: str, event: dict[str, Any]) -> bool:
    if not isinstance(test, dict):
        return bool(key in event and event[key] == test)
    ((operator, operand),) = test.items()
    if operator == "exists":
        return (key in event) is operand
    assert operator == "anything-but", operator
    if key not in event:
        return False
    if isinstance(operand, dict):
        return not event[key].startswith(operand["prefix"])
    return bool(event[key] != operand)


def ecr_event(action: str, repository: str = "shop/staging/web", tag: str | None = None) -> dict[str, Any]:
    """An event as https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html shows it."""
    detail = {
        "result": "SUCCESS",
        "repository-name": repository,
        "image-digest": "sha256:" + "7f" * 32,
        "action-type": action,
    }
    return {
        "version": "0",
        "detail-type": "ECR Image Action",
        "source": "aws.ecr",
        "account": "123456789012",
        "time": "2019-11-16T01:54:34Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": detail if tag is None else {**detail, "image-tag": tag},
    }


def ecs_event(kind: str, **detail: str) -> dict[str, Any]:
    """An event of ECS, with what the patterns look at."""
    return {"source": "aws.ecs", "detail-type": kind, "time": "2019-11-16T01:54:34Z", "detail": detail}


def stack_event(stack_id: str, status: str) -> dict[str, Any]:
    """An event of CloudFormation
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/event-detail-stack-status-change.html).
    """
    return {
        "source": "aws.cloudformation",
        "detail-type": "CloudFormation Stack Status Change",
        "time": "2019-11-16T01:54:34Z",
        "detail": {"stack-id": stack_id, "status-details": {"status": status, "status-reason": ""}},
    }


def parameter_event(name: str, operation: str) -> dict[str, Any]:
    """An event of Parameter Store, of the form shown in
    https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-systems-manager-event-examples.html.
    """
    return {
        "version": "0",
        "detail-type": "Parameter Store Change",
        "source": "aws.ssm",
        "account": "123456789012",
        "time": "2017-05-22T16:44:48Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:ssm:eu-west-1:123456789012:parameter/" + name.removeprefix("/")],
        "detail": {"operation": operation, "name": name, "type": "String", "description": "Sample Parameter"},
    }


PARAMETER = "/moorings/shop/staging/web/digest"
STACK_ID = "arn:aws:cloudformation:eu-west-1:111122223333:stack/guard/1"

WAKES = {
    "a task starts": ecs_event("ECS Task State Change", lastStatus="PENDING"),
    "a task runs": ecs_event("ECS Task State Change", lastStatus="RUNNING"),
    "a task stopped": ecs_event("ECS Task State Change", lastStatus="STOPPED"),
    "a deployment": ecs_event("ECS Deployment State Change", eventName="SERVICE_DEPLOYMENT_IN_PROGRESS"),
    "an impaired service": ecs_event("ECS Service Action", eventName="SERVICE_TASK_START_IMPAIRED"),
    "a build": ecr_event("PUSH", tag="staging-20260401T101500Z-0123456789ab"),
    "a push without a tag": ecr_event("PUSH"),
    "a push with an empty tag": ecr_event("PUSH", tag=""),
    "a deleted image": ecr_event("DELETE"),
    "a deleted tag": ecr_event("DELETE", tag="staging-1"),
    "a deleted pin": ecr_event("DELETE", tag="pin-use-web-12345678-0"),
    "an action that is not known yet": ecr_event("ARCHIVE", tag="pin-use-web-12345678-0"),
    "a service's first release": parameter_event(PARAMETER, "Create"),
    "a release": parameter_event(PARAMETER, "Update"),
    "the guard's stack was made": stack_event(STACK_ID, "CREATE_COMPLETE"),
    "the guard's stack was changed": stack_event(STACK_ID, "UPDATE_COMPLETE"),
}
"""What must lead to a scan."""

SLEEPS = {
    "the guard's own pin": ecr_event("PUSH", tag="pin-use-web-12345678-0"),
    "a release's pin": ecr_event("PUSH", tag="pin-release-web-12345678-0"),
    "another repository": ecr_event("DELETE", repository="shop/production/web"),
    "a longer name": ecr_event("DELETE", repository="shop/staging/web2"),
    "another parameter": parameter_event("/moorings/shop/staging/web/secrets/TOKEN", "Update"),
    "a parameter with a longer name": parameter_event(PARAMETER + "/old", "Create"),
    "another environment's release": parameter_event("/moorings/shop/production/web/digest", "Update"),
    "a deleted release parameter": parameter_event(PARAMETER, "Delete"),
    "a label on a release": parameter_event(PARAMETER, "LabelParameterVersion"),
    "a parameter's own policy": {
        **parameter_event(PARAMETER, "Update"),
        "detail-type": "Parameter Store Policy Action",
    },
    "a task that is being made": ecs_event("ECS Task State Change", lastStatus="PROVISIONING"),
    "a container instance": ecs_event("ECS Container Instance State Change"),
    "another stack": stack_event(STACK_ID.replace("guard", "other"), "CREATE_COMPLETE"),
    "the guard's stack is being made": stack_event(STACK_ID, "CREATE_IN_PROGRESS"),
    "a scan of vulnerabilities": {**ecr_event("PUSH", tag="v1"), "detail-type": "ECR Image Scan"},
}
"""What must not."""
