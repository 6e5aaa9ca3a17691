"""Where alarms go: encrypted, and open to this account's alarms alone (lesson W3)."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns

from constructs_lib.observability.alarm_topic import AlarmTopic
from tests.support import FLAG_SETS, TOKEN, Template, listed, of_type, only, refused, stack, synthesize

ALARMS = {"Service": "cloudwatch.amazonaws.com"}


@pytest.fixture(scope="module", params=FLAG_SETS)
def template(request: pytest.FixtureRequest) -> Template:
    """A topic that tells somebody."""
    scope = stack(App(context=request.param))
    AlarmTopic(scope, "Alarms", email="ops@example.com")
    return synthesize(scope)


def policy_of(template: Template) -> list[dict[str, Any]]:
    """The statements of the topic's policy."""
    return list(only(template, "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"])


def test_before_a_topic_is_plain_and_takes_plain_http() -> None:
    """Plain CDK's topic is not encrypted and has no policy that asks for TLS."""
    scope = stack()
    sns.Topic(scope, "Alarms")
    template = synthesize(scope)
    assert "KmsMasterKeyId" not in only(template, "AWS::SNS::Topic")
    assert not of_type(template, "AWS::SNS::TopicPolicy")


def test_after_the_topic_is_encrypted_with_a_key_of_its_own(template: Template) -> None:
    """CloudWatch cannot use SNS's own key, so alarms would be lost in silence with that one (W3)."""
    (key,) = of_type(template, "AWS::KMS::Key")
    assert only(template, "AWS::SNS::Topic")["KmsMasterKeyId"] == {"Fn::GetAtt": [key, "Arn"]}
    assert only(template, "AWS::KMS::Key")["EnableKeyRotation"] is True
    assert template["Resources"][key]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_alarms_may_use_the_key(template: Template) -> None:
    """Both actions that publishing to an encrypted topic needs are CloudWatch's, and no others (W3)."""
    statements = only(template, "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    actions = {
        action
        for statement in statements
        if statement["Effect"] == "Allow" and statement["Principal"] == ALARMS
        for action in listed(statement["Action"])
    }
    assert actions == {"kms:Decrypt", "kms:GenerateDataKey*"}


def test_alarms_of_this_account_may_publish(template: Template) -> None:
    """CloudWatch may publish for alarms of this account, so another account cannot page us."""
    (allow,) = (statement for statement in policy_of(template) if statement["Effect"] == "Allow")
    (topic,) = of_type(template, "AWS::SNS::Topic")
    assert (allow["Action"], allow["Principal"], allow["Resource"]) == ("sns:Publish", ALARMS, {"Ref": topic})
    assert allow["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_plain_http_is_refused(template: Template) -> None:
    """Publishing without TLS is denied to everybody."""
    (deny,) = (statement for statement in policy_of(template) if statement["Effect"] == "Deny")
    assert deny["Action"] == "sns:Publish"
    assert deny["Principal"] in ("*", {"AWS": "*"})
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_somebody_is_told_by_e_mail(template: Template) -> None:
    """The address that was given is subscribed."""
    subscription = only(template, "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.com")


def test_nobody_is_told_by_default() -> None:
    """Without an address there is a topic and no subscription."""
    scope = stack()
    AlarmTopic(scope, "Alarms")
    template = synthesize(scope)
    assert only(template, "AWS::SNS::Topic")
    assert not of_type(template, "AWS::SNS::Subscription")


def test_events_may_be_sent_to_it_and_alarms_still_page() -> None:
    """A topic has one policy: when other code lets EventBridge publish too, CloudWatch still may."""
    scope = stack()
    topic = AlarmTopic(scope, "Alarms").topic
    events.Rule(
        scope, "Stopped", event_pattern=events.EventPattern(source=["aws.ecs"]), targets=[targets.SnsTopic(topic)]
    )
    statements = policy_of(synthesize(scope))
    principals = [statement["Principal"] for statement in statements if statement["Effect"] == "Allow"]
    assert ALARMS in principals
    assert {"Service": "events.amazonaws.com"} in principals


@pytest.mark.parametrize("email", ["ops", "", TOKEN])
def test_a_wrong_address_is_refused(email: str) -> None:
    """A typing error would mean that nobody is told, so it fails here."""
    refused(lambda: AlarmTopic(stack(), "Alarms", email=email), "email", email, "")
