"""Events on their way into a log group, and onto the bus of another region."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

GROUP = "/aws/events/shop"
PATTERN = json.dumps({"source": ["shop"]})


def group_arn(aws: Any) -> str:
    """The ARN that a target names."""
    return f"arn:aws:logs:{aws.region}:{aws.account}:log-group:{GROUP}"


def allow(aws: Any) -> None:
    """What lets EventBridge write."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]},
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"{group_arn(aws)}:*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws("logs").put_resource_policy(policyName="events", policyDocument=document)


def kept(aws: Any) -> list[dict[str, Any]]:
    """What stands in the log group."""
    found = aws("logs").filter_log_events(logGroupName=GROUP)["events"]
    return [json.loads(line["message"]) for line in found]


def send(aws: Any, detail: dict[str, Any], kind: str = "Order") -> None:
    """One event of our own."""
    entry = {"Source": "shop", "DetailType": kind, "Detail": json.dumps(detail)}
    assert aws("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def test_a_log_group_keeps_the_whole_event(aws: Any) -> None:
    """The envelope and the detail, as they were sent."""
    aws("logs").create_log_group(logGroupName=GROUP)
    allow(aws)
    aws("events").put_rule(Name="keep", EventPattern=PATTERN)
    aws("events").put_targets(Rule="keep", Targets=[{"Id": "log", "Arn": group_arn(aws)}])
    send(aws, {"number": 1})
    send(aws, {"number": 2})
    first, second = kept(aws)
    assert (first["source"], first["detail-type"], first["account"]) == ("shop", "Order", aws.account)
    assert [event["detail"] for event in (first, second)] == [{"number": 1}, {"number": 2}]


def test_a_transformer_names_the_message(aws: Any) -> None:
    """It gives time and message; only the message is kept."""
    aws("logs").create_log_group(logGroupName=GROUP)
    allow(aws)
    aws("events").put_rule(Name="keep", EventPattern=PATTERN)
    transformer = {
        "InputPathsMap": {"time": "$.time", "number": "$.detail.number"},
        "InputTemplate": '{"timestamp": <time>, "message": {"number": <number>}}',
    }
    target = {"Id": "log", "Arn": group_arn(aws), "InputTransformer": transformer}
    aws("events").put_targets(Rule="keep", Targets=[target])
    send(aws, {"number": 7, "secret": "stays out"})
    assert kept(aws) == [{"number": 7}]


def test_without_a_policy_nothing_is_kept(aws: Any) -> None:
    """AWS drops the event without a word, and so do we."""
    aws("logs").create_log_group(logGroupName=GROUP)
    aws("events").put_rule(Name="keep", EventPattern=PATTERN)
    aws("events").put_targets(Rule="keep", Targets=[{"Id": "log", "Arn": group_arn(aws)}])
    send(aws, {"number": 1})
    assert kept(aws) == []
    allow(aws)
    send(aws, {"number": 2})
    assert [event["detail"]["number"] for event in kept(aws)] == [2]


def bus_elsewhere(aws: Any, region: str) -> tuple[Any, Callable[[], list[dict[str, Any]]]]:
    """A bus with a rule and a queue in a region; what came there."""
    there = aws.elsewhere(region=region)
    there("events").create_event_bus(Name="status")
    url = there("sqs").create_queue(QueueName="came")["QueueUrl"]
    arn = there("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    there("events").put_rule(Name="all", EventPattern=PATTERN, EventBusName="status")
    there("events").put_targets(Rule="all", EventBusName="status", Targets=[{"Id": "queue", "Arn": arn}])

    def came() -> list[dict[str, Any]]:
        found = there("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]

    return there, came


def forward(aws: Any, region: str, bus: str = "status", on: str = "default") -> None:
    """A rule that sends events to a bus of a region."""
    arn = f"arn:aws:events:{region}:{aws.account}:event-bus/{bus}"
    target = {"Id": "bus", "Arn": arn, "RoleArn": f"arn:aws:iam::{aws.account}:role/forward"}
    aws("events").put_rule(Name="forward", EventPattern=PATTERN, EventBusName=on)
    aws("events").put_targets(Rule="forward", EventBusName=on, Targets=[target])


def test_an_event_reaches_the_bus_of_another_region(aws: Any) -> None:
    """It says where it comes from, and nothing stays where nobody asked for it."""
    _, came = bus_elsewhere(aws, "eu-west-3")
    forward(aws, "eu-west-3")
    send(aws, {"number": 1})
    (event,) = came()
    assert (event["region"], event["account"], event["detail"]) == (aws.region, aws.account, {"number": 1})


def test_a_bus_of_the_same_region_works_alike(aws: Any) -> None:
    """The status page's bus may stand beside its service."""
    _, came = bus_elsewhere(aws, aws.region)
    forward(aws, aws.region)
    send(aws, {"number": 1})
    assert [event["detail"]["number"] for event in came()] == [1]


@pytest.mark.parametrize(
    ("detail", "status"),
    [({"anything-but": ["late"]}, "CREATE_COMPLETE"), ({"anything-but": [True]}, "ROLLBACK_COMPLETE")],
)
def test_a_pattern_that_aws_refuses_fails_the_stack(aws: Any, detail: dict[str, Any], status: str) -> None:
    """It would match nothing; AWS says why, in the words of its rule engine."""
    pattern = {"source": ["shop"], "detail": {"state": [detail]}}
    rule = {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern}}
    assert aws.deploy("rules", {"Resources": {"Rule": rule}})["StackStatus"] == status
    assert ("Event pattern is not valid" in aws.reasons("rules")) is (status != "CREATE_COMPLETE")


def test_a_missing_bus_loses_the_event_and_nothing_else(aws: Any) -> None:
    """Other rules still get theirs."""
    aws("logs").create_log_group(logGroupName=GROUP)
    allow(aws)
    forward(aws, "eu-west-3", bus="nowhere")
    aws("events").put_rule(Name="keep", EventPattern=PATTERN)
    aws("events").put_targets(Rule="keep", Targets=[{"Id": "log", "Arn": group_arn(aws)}])
    send(aws, {"number": 1})
    assert len(kept(aws)) == 1


def test_an_event_goes_on_to_another_region_once_only(aws: Any) -> None:
    """A rule of the receiving bus that sends it to a third region sends nothing."""
    _, came_there = bus_elsewhere(aws, "eu-west-2")
    middle, came = bus_elsewhere(aws, "eu-west-3")
    forward(middle, "eu-west-2", on="status")
    forward(aws, "eu-west-3")
    send(aws, {"number": 1})
    assert len(came()) == 1
    assert came_there() == []
