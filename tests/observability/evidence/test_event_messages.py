"""The function that tells people of events, as CloudFormation gets it (lesson W5)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns

from constructs_lib.observability.alarms import Alarms
from constructs_lib.observability.evidence.event_messages import _KEY, _VARIABLE, EventMessages
from constructs_lib.observability.notification.topics import ExistingTopics, NotificationTopics
from constructs_lib.observability.runbooks import Runbooks
from constructs_lib.observability.runtime.messages import duplicates, settings
from tests.observability.evidence.event_bridge import matches
from tests.observability.sample_events import sample
from tests.support import (
    FLAG_SETS,
    REGION,
    Template,
    listed,
    of_type,
    only,
    refused,
    stack,
    statements,
    synthesize,
    vpc,
)


def messages(scope: Stack, **given: Any) -> EventMessages:
    """Messages of an environment with one web service."""
    told: dict[str, Any] = {
        "application": "shop",
        "environment": "staging",
        "components": ["web"],
        "clusters": ["shop--staging--services-*"],
        "build_projects": ["shop--staging--*"],
        "evidence_log": "/aws/events/moorings/shop/staging",
        "topics": given.pop("topics", None) or NotificationTopics(scope, "Topics"),
    }
    return EventMessages(scope, "Messages", **{**told, **given})


@pytest.fixture(scope="module", params=FLAG_SETS)
def template(request: pytest.FixtureRequest) -> Template:
    """With none of CDK's feature flags, and with all."""
    scope = Stack(App(context=request.param), "Stack", env=Environment(region=REGION))
    messages(scope)
    return synthesize(scope)


def told(template: Template) -> dict[str, Any]:
    """The function's settings; what only CloudFormation knows is ``?``."""
    text = only(template, "AWS::Lambda::Function")["Environment"]["Variables"]["MOORINGS_MESSAGES"]
    parts = text["Fn::Join"][1] if isinstance(text, dict) else [text]
    found: dict[str, Any] = json.loads("".join(part if isinstance(part, str) else "?" for part in parts))
    return found


def test_before_a_plain_rule_mails_what_needs_nobody() -> None:
    """W5's before: ECS's events to a topic, as tutorials have it: each task that scaling stops is a mail of JSON."""
    scope = stack()
    rule = events.Rule(
        scope,
        "Rule",
        event_pattern=events.EventPattern(
            source=["aws.ecs"], detail_type=["ECS Task State Change"], detail={"lastStatus": ["STOPPED"]}
        ),
    )
    rule.add_target(targets.SnsTopic(sns.Topic(scope, "Topic")))
    made = only(synthesize(scope), "AWS::Events::Rule")
    assert "InputTransformer" not in made["Targets"][0]
    for name in ("task-stopped-scaling", "task-stopped-rebalancing", "task-stopped-by-user"):
        assert matches(made["EventPattern"], sample(name))


def test_after_the_rule_calls_a_function_and_keeps_what_it_cannot_deliver(template: Template) -> None:
    """W5's after: EventBridge tries for an hour, and then the event is in the queue."""
    (target,) = only(template, "AWS::Events::Rule")["Targets"]
    (function,) = of_type(template, "AWS::Lambda::Function")
    (queue,) = of_type(template, "AWS::SQS::Queue")
    assert target["Arn"] == {"Fn::GetAtt": [function, "Arn"]}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": [queue, "Arn"]}}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600}
    permission = only(template, "AWS::Lambda::Permission")
    (rule,) = of_type(template, "AWS::Events::Rule")
    assert permission["Principal"] == "events.amazonaws.com"
    assert permission["SourceArn"] == {"Fn::GetAtt": [rule, "Arn"]}


def test_the_function(template: Template) -> None:
    """Small, with a log of its own, ended before a claim runs out, and with the same queue for what it cannot tell."""
    function = only(template, "AWS::Lambda::Function")
    (queue,) = of_type(template, "AWS::SQS::Queue")
    assert function["Handler"] == "runtime.messages.handler.main"
    assert (function["MemorySize"], function["Timeout"]) == (256, 60)
    assert function["Timeout"] < duplicates.HELD.total_seconds()
    assert function["DeadLetterConfig"] == {"TargetArn": {"Fn::GetAtt": [queue, "Arn"]}}
    assert only(template, "AWS::Logs::LogGroup")["RetentionInDays"] == 90


def test_the_settings_are_what_the_function_reads(template: Template) -> None:
    """The names of variable, keys and fields are the same on both sides."""
    assert (_VARIABLE, _KEY) == (settings.VARIABLE, (duplicates.KEY, duplicates.SORT, duplicates.EXPIRES))
    read = settings.Settings.from_environment({settings.VARIABLE: json.dumps(told(template))})
    assert read.place.clusters == ("shop--staging--services-*",)
    assert read.place.build_projects == ("shop--staging--*",)
    assert read.place.components == ("web",)
    assert read.place.name == "shop/staging"
    assert (read.evidence, read.runbooks) == ("/aws/events/moorings/shop/staging", None)
    assert (read.topics, read.table) == ({"page": "?", "notice": "?"}, "?")


def test_its_role_names_what_it_may(template: Template) -> None:
    """Two topics and their key, its table, its queue, the log of evidence, its own log; and alarms of one Region."""
    (role,) = of_type(template, "AWS::IAM::Role")
    given = statements(template, role)
    allowed = sorted(action for each in given for action in listed(each["Action"]))
    assert allowed == [
        "cloudwatch:DescribeAlarms",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "logs:CreateLogStream",
        "logs:FilterLogEvents",
        "logs:PutLogEvents",
        "sns:Publish",
        "sqs:SendMessage",
    ]
    anywhere = [each for each in given if "*" in listed(each["Resource"])]
    assert [(each["Action"], each["Condition"]) for each in anywhere] == [
        ("cloudwatch:DescribeAlarms", {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})
    ]
    (publish,) = (each for each in given if each["Action"] == "sns:Publish")
    assert len(publish["Resource"]) == 2
    (key,) = of_type(template, "AWS::KMS::Key")
    (use,) = (each for each in given if "kms:Decrypt" in listed(each["Action"]))
    assert use["Resource"] == {"Fn::GetAtt": [key, "Arn"]}


def test_the_queue_is_encrypted_and_closed(template: Template) -> None:
    """Kept for SQS's longest time; only the rule writes to it beside the role, and nobody without TLS."""
    queue = only(template, "AWS::SQS::Queue")
    assert (queue["SqsManagedSseEnabled"], queue["MessageRetentionPeriod"]) == (True, 1_209_600)
    (rule,) = of_type(template, "AWS::Events::Rule")
    write, tls = only(template, "AWS::SQS::QueuePolicy")["PolicyDocument"]["Statement"]
    assert write["Principal"] == {"Service": "events.amazonaws.com"}
    assert listed(write["Condition"]["ArnEquals"]["aws:SourceArn"]) == [{"Fn::GetAtt": [rule, "Arn"]}]
    assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_the_memory_deletes_what_is_old(template: Template) -> None:
    """By DynamoDB's time to live, paid by request."""
    table = only(template, "AWS::DynamoDB::Table")
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["id", "part"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_a_message_that_is_lost_pages() -> None:
    """By an alarm, which needs none of our code."""
    scope = stack()
    made = messages(scope)
    (spec,) = made.alarms
    assert (spec.component, spec.what, spec.severity, spec.threshold.value) == ("messages", "dead-letters", "page", 1)
    topics = scope.node.find_child("Topics")
    assert isinstance(topics, NotificationTopics)
    Alarms(scope, "Alarms", application="shop", environment="staging", specs=made.alarms, topics=topics)
    template = synthesize(scope)
    (queue,) = of_type(template, "AWS::SQS::Queue")
    alarm = only(template, "AWS::CloudWatch::Alarm")
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}]


def test_alone_in_a_stack_of_somebody_else() -> None:
    """A cluster and topics of one's own, whose names only CloudFormation knows; no log of evidence."""
    scope = stack()
    topic = sns.Topic(scope, "Topic")
    cluster = ecs.Cluster(scope, "Cluster", vpc=vpc(scope))
    made = EventMessages(
        scope,
        "Messages",
        application="shop",
        environment="live",
        topics=ExistingTopics(page=topic, notice=topic),
        clusters=[cluster.cluster_name],
        runbooks=Runbooks(base="https://example.com/runbooks/"),
    )
    template = synthesize(scope)
    assert told(template)["clusters"] == ["?"]
    assert told(template)["runbooks"] == "https://example.com/runbooks/"
    role = scope.resolve(made.role.role_name)["Ref"]
    allowed = {action for each in statements(template, role) for action in listed(each["Action"])}
    assert "sns:Publish" in allowed
    assert not {action for action in allowed if action.startswith(("logs:Filter", "kms:"))}


def test_the_asset_runs_alone(tmp_path: Path) -> None:
    """What Lambda gets imports nothing of the library: its package is called ``runtime`` there."""
    app = App(outdir=str(tmp_path))
    scope = stack(app)
    messages(scope)
    app.synth()
    (asset,) = tmp_path.glob("asset.*/runtime/messages/handler.py")
    program = (
        "import sys, runtime.messages.handler; "
        "sys.exit([name for name in sys.modules if name.startswith(('constructs_lib', 'aws_cdk'))] or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=asset.parents[2], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_wrong_values_are_refused() -> None:
    """In one sentence, before anything is made."""
    scope = stack()
    topics = NotificationTopics(scope, "Topics")
    refused(lambda: messages(scope, topics=topics, clusters=[]), "clusters", [], "at least one name")
    refused(lambda: messages(scope, topics=topics, application="Shop"), "application", "Shop", "lower-case letters")
    refused(lambda: messages(scope, topics=topics, components=["Web"]), "components", "Web", "lower-case letters")
    many = [f"component-{number}" for number in range(200)]
    assert scope.node.try_find_child("Messages") is None
    with pytest.raises(ValueError, match=r"got '3\d{3} characters of settings'; name clusters by their beginning"):
        messages(scope, topics=topics, components=many)
