"""Events of images, and the way of an event through a rule into a FIFO queue."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from constructs_lib.images.event_patterns import event_patterns
from tests.images.patterns import PARAMETER, SLEEPS, STACK_ID, WAKES

Queue = Callable[..., Callable[[], list[dict[str, Any]]]]


@pytest.fixture
def queue(aws: Any) -> Queue:
    """Makes a FIFO queue that a rule fills; what it gives reads the queue's messages so far."""

    def make(pattern: dict[str, Any], **target: Any) -> Callable[[], list[dict[str, Any]]]:
        sqs, events, read = aws("sqs"), aws("events"), list[dict[str, Any]]()
        attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true", **target.pop("attributes", {})}
        url = sqs.create_queue(QueueName="wake-ups.fifo", Attributes=attributes)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name="wake", EventPattern=json.dumps(pattern))
        group = {"SqsParameters": {"MessageGroupId": "scan"}}
        events.put_targets(Rule="wake", Targets=[{"Id": "wake-ups", "Arn": arn, **group, **target}])

        def messages() -> list[dict[str, Any]]:
            wanted = {"QueueUrl": url, "MaxNumberOfMessages": 10, "AttributeNames": ["All"]}
            for message in sqs.receive_message(**wanted).get("Messages", []):
                read.append(message)
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return read

        return messages

    return make


def images(pattern: dict[str, Any] | None = None) -> dict[str, Any]:
    """A pattern for all events of images, or for some."""
    return {"source": ["aws.ecr"], "detail-type": ["ECR Image Action"], **(pattern or {})}


def test_pushes_and_deletions_of_images_are_told(aws: Any, queue: Queue, wait_until: Callable[..., Any]) -> None:
    """Each push and deletion sends ``ECR Image Action`` as AWS's guide shows it, with the tag if there is one."""
    told = queue(images())
    aws("ecr").create_repository(repositoryName="web")
    first = aws.push("web", "v1")
    aws.push("web", "pin-1")
    second = aws.push("web", None, layer="b")
    aws("ecr").batch_delete_image(repositoryName="web", imageIds=[{"imageTag": "v1"}])
    aws("ecr").batch_delete_image(repositoryName="web", imageIds=[{"imageDigest": second}])
    wait_until(lambda: len(told()) == 5, "five events came")
    events = [json.loads(message["Body"]) for message in told()]
    assert {(event["source"], event["detail-type"], str(event["resources"])) for event in events} == {
        ("aws.ecr", "ECR Image Action", "[]")
    }
    details = [event["detail"] for event in events]
    assert {(detail["result"], detail["repository-name"]) for detail in details} == {("SUCCESS", "web")}
    assert [(d["action-type"], d["image-digest"], d.get("image-tag", "none")) for d in details] == [
        ("PUSH", first, "v1"),
        ("PUSH", first, "pin-1"),
        ("PUSH", second, "none"),
        ("DELETE", first, "v1"),
        ("DELETE", second, "none"),
    ]


def test_a_push_that_is_refused_is_not_told(aws: Any, queue: Queue, wait_until: Callable[..., Any]) -> None:
    """A tag that is there already sends nothing; the next push does."""
    told = queue(images())
    aws("ecr").create_repository(repositoryName="web")
    aws.push("web", "v1")
    with pytest.raises(aws("ecr").exceptions.ImageAlreadyExistsException):
        aws.push("web", "v1")
    aws.push("web", "v2", layer="b")
    wait_until(lambda: len(told()) >= 2, "two events came")
    assert [json.loads(message["Body"])["detail"]["image-tag"] for message in told()] == ["v1", "v2"]


def test_a_queue_gets_the_time_in_one_group_after_a_while(
    aws: Any, queue: Queue, wait_until: Callable[..., Any]
) -> None:
    """The body is what the input path names, as JSON; the queue holds it back for its own delay."""
    told = queue(images(), InputPath="$.time", attributes={"DelaySeconds": "1"})
    aws("ecr").create_repository(repositoryName="web")
    began = time.time()
    aws.push("web", "v1")
    wait_until(told, "the message can be read")
    assert time.time() - began >= 1
    (message,) = told()
    assert json.loads(message["Body"]).startswith("20")
    assert message["Attributes"]["MessageGroupId"] == "scan"


@pytest.mark.parametrize(("events", "wakes"), [(WAKES, True), (SLEEPS, False)], ids=["wakes", "sleeps"])
def test_the_guard_s_pattern_means_the_same_here(aws: Any, events: dict[str, dict[str, Any]], wakes: bool) -> None:
    """The emulator's matcher, which knows ``$or`` and all else, agrees with ours on every event."""
    (pattern,) = event_patterns(["shop/staging/web"], [PARAMETER])
    text = json.dumps(pattern).replace('{"Ref": "AWS::StackId"}', json.dumps(STACK_ID))
    for what, event in events.items():
        whole = {"id": "1", "account": aws.account, "region": aws.region, "resources": [], **event}
        found = aws("events").test_event_pattern(EventPattern=text, Event=json.dumps(whole))
        assert found["Result"] is wakes, what
