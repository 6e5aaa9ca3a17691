"""An event bus gets an environment's events, and only they, by a role that can do nothing else (lesson W5)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets

from constructs_lib.iam_policy import Arns
from constructs_lib.observability.notification.forwarded_events import ForwardedEvents
from constructs_lib.observability.notification.forwarding import alarm_changes
from constructs_lib.observability.notification.targets import EventBusTarget
from tests.observability.evidence.event_bridge import matches
from tests.support import FLAG_SETS, Template, of_type, only, refused, stack, statements, synthesize

BUSES = (
    EventBusTarget(bus_arn="arn:aws:events:eu-west-1:444455556666:event-bus/operations"),
    EventBusTarget(bus_arn="arn:aws:events:us-east-1:111122223333:event-bus/archive"),
)
ARNS = [bus.bus_arn for bus in BUSES]


def made(
    buses: tuple[EventBusTarget, ...] = BUSES, flags: Any = None, **changes: Any
) -> tuple[ForwardedEvents, Template]:
    """The construct alone, in a plain stack."""
    scope = stack(App(context=flags or {}))
    told: dict[str, Any] = {"application": "shop", "environment": "staging", "clusters": ["shop--staging--services-*"]}
    construct = ForwardedEvents(scope, "Forwarded", buses=buses, **{**told, **changes})
    return construct, synthesize(scope)


@pytest.fixture(scope="module", params=FLAG_SETS)
def template(request: pytest.FixtureRequest) -> Template:
    """Two buses, told of one environment."""
    return made(flags=request.param, repositories=["shop/staging/*"])[1]


def patterns(template: Template) -> dict[str, Any]:
    """The event patterns by the last word of what the rule is described by."""
    return {
        rule["Description"].split("environment's ")[1].split(" (")[0]: rule["EventPattern"]
        for rule in of_type(template, "AWS::Events::Rule").values()
    }


def test_before_each_bus_has_a_role_and_each_rule_is_written_by_hand() -> None:
    """CDK's target makes a role for each rule and bus; which events, nobody tells."""
    scope = stack()
    for number, arn in enumerate(ARNS):
        bus = events.EventBus.from_event_bus_arn(scope, f"Bus{number}", arn)
        events.Rule(scope, f"Rule{number}", event_pattern={"source": ["aws.ecs"]}, targets=[targets.EventBus(bus)])
    assert len(of_type(synthesize(scope), "AWS::IAM::Role")) == 2


def test_after_one_role_puts_events_on_those_buses_and_does_nothing_else(template: Template) -> None:
    """Least privilege: one action, the buses that were named."""
    (role,) = of_type(template, "AWS::IAM::Role")
    (statement,) = statements(template, role)
    assert statement == {"Effect": "Allow", "Action": ["events:PutEvents"], "Resource": ARNS}
    (trust,) = only(template, "AWS::IAM::Role")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}


def test_each_rule_tells_every_bus(template: Template) -> None:
    """All on the default bus, where AWS's services send their events, and by the role."""
    (role,) = of_type(template, "AWS::IAM::Role")
    for rule in of_type(template, "AWS::Events::Rule").values():
        assert "EventBusName" not in rule
        assert [each["Arn"] for each in rule["Targets"]] == ARNS
        assert {each["RoleArn"]["Fn::GetAtt"][0] for each in rule["Targets"]} == {role}
        assert len({each["Id"] for each in rule["Targets"]}) == 2
        assert all("InputTransformer" not in each for each in rule["Targets"])


def test_alarms_of_this_environment_are_sent(template: Template) -> None:
    """By what their names begin with; the slash keeps ``staging-2`` apart."""
    (prefix,) = patterns(template)["alarms"]["resources"]
    assert 'alarm:shop/staging/"' in json.dumps(prefix)
    assert patterns(template)["alarms"]["source"] == ["aws.cloudwatch"]
    assert patterns(template)["alarms"]["detail-type"] == ["CloudWatch Alarm State Change"]


def test_evidence_is_sent_but_for_builds(template: Template) -> None:
    """A build's event holds the plain variables of the build, which must not go to another account."""
    assert set(patterns(template)) == {"alarms", "tasks", "services", "images", "health"}
    assert "codebuild" not in json.dumps(of_type(template, "AWS::Events::Rule"))


def test_recorded_alarms_are_sent_and_another_environments_are_not() -> None:
    """AWS's own events of alarms, by a model of EventBridge's patterns."""
    pattern = alarm_changes(Arns(partition="aws", region="eu-west-1", account="111122223333"), "shop", "staging")
    samples = sorted((Path(__file__).parents[1] / "samples").glob("alarm-*.json"))
    assert len(samples) >= 5
    for sample in samples:
        event = json.loads(sample.read_text())
        assert matches(pattern, event), sample.name
        (arn,) = event["resources"]
        assert not matches(pattern, {**event, "resources": [arn.replace("shop/staging/", "shop/staging-2/")]})
        assert not matches(pattern, {**event, "resources": [arn.replace("111122223333", "444455556666")]})


def test_what_was_not_delivered_is_told() -> None:
    """One notice for all its rules; no queue, because the log of evidence has the events."""
    construct, template = made()
    (alarm,) = construct.alarms
    assert (alarm.component, alarm.what, alarm.severity) == ("notification", "events-not-forwarded", "notice")
    assert (alarm.metric.namespace, alarm.metric.name) == ("AWS/Events", "FailedInvocations")
    assert 1 + len(alarm.metric.also) == len(of_type(template, "AWS::Events::Rule")) == 4
    assert not of_type(template, "AWS::SQS::Queue")


def test_no_bus_and_too_many_are_refused() -> None:
    """A rule has at most five targets."""
    many = tuple(EventBusTarget(bus_arn=f"{ARNS[0]}{number}") for number in range(6))
    refused(lambda: made(()), "buses", 0, "1 to 5")
    refused(lambda: made(many), "buses", 6, "1 to 5")
    assert len(of_type(made(many[:5])[1], "AWS::Events::Rule")) == 4


def test_wrong_names_are_refused() -> None:
    """An environment that does not exist would forward nothing, in silence."""
    refused(lambda: made(environment="Staging"), "environment", "Staging", "lower-case")
    refused(lambda: made(application=""), "application", "", "not empty")
