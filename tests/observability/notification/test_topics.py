"""Where alarms go: two topics, encrypted, and open to this account's alarms alone (lesson W3)."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_chatbot as chatbot
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns

from constructs_lib.observability.notification.targets import EmailTarget, SlackTarget
from constructs_lib.observability.notification.topics import ExistingTopics, NotificationTopics
from tests.observability.notification.test_targets import CHANNEL, EMAIL, EVENTS, SECRET, SLACK, TEAMS, URL, UUID
from tests.support import FLAG_SETS, Template, listed, of_type, only, refused, stack, statements, synthesize

ALARMS = {"Service": "cloudwatch.amazonaws.com"}
RULES = {"Service": "events.amazonaws.com"}
DENY_ALL = "arn:aws:iam::aws:policy/AWSDenyAll"
USES_THE_KEY = {"kms:Decrypt", "kms:GenerateDataKey*"}


@pytest.fixture(scope="module", params=FLAG_SETS)
def template(request: pytest.FixtureRequest) -> Template:
    """Topics that tell everybody whom a topic can tell."""
    scope = stack(App(context=request.param))
    page = EmailTarget(address="on-call@example.com", severities=("page",))
    NotificationTopics(scope, "Topics", targets=[EMAIL, page, URL, SECRET, SLACK, TEAMS])
    return synthesize(scope)


def topics_of(template: Template) -> tuple[str, str]:
    """The logical ids of the page and the notice topic."""
    page, notice = of_type(template, "AWS::SNS::Topic")
    assert "Page" in page
    assert "Notice" in notice
    return page, notice


def policies(template: Template) -> dict[str, list[dict[str, Any]]]:
    """The statements of each topic's one policy, by the topic's logical id."""
    found = {}
    for policy in of_type(template, "AWS::SNS::TopicPolicy").values():
        ((topic),) = policy["Topics"]
        assert topic["Ref"] not in found, "a topic has one policy"
        found[topic["Ref"]] = policy["PolicyDocument"]["Statement"]
    return found


def told(template: Template) -> set[tuple[str, str, str]]:
    """Who is subscribed to what: page or notice, protocol, endpoint."""
    page, _ = topics_of(template)
    return {
        ("page" if each["TopicArn"] == {"Ref": page} else "notice", each["Protocol"], each["Endpoint"])
        for each in of_type(template, "AWS::SNS::Subscription").values()
    }


def test_before_a_topic_is_plain_and_takes_plain_http() -> None:
    """Plain CDK's topic is not encrypted, has no policy that asks for TLS, and one topic wakes people for all."""
    scope = stack()
    sns.Topic(scope, "Alarms")
    template = synthesize(scope)
    assert "KmsMasterKeyId" not in only(template, "AWS::SNS::Topic")
    assert not of_type(template, "AWS::SNS::TopicPolicy")


def test_before_a_topic_with_snss_own_key_takes_no_alarm() -> None:
    """CDK takes ``alias/aws/sns`` without a word, though CloudWatch cannot use it: each page would be lost."""
    scope = stack()
    topic = sns.CfnTopic(scope, "Alarms", kms_master_key_id="alias/aws/sns")
    assert topic.kms_master_key_id == "alias/aws/sns"
    template = synthesize(scope)
    assert not of_type(template, "AWS::KMS::Key")


def test_before_a_chat_channel_has_every_right() -> None:
    """CDK's channel sets no guardrail, and AWS's default is AdministratorAccess."""
    scope = stack()
    chatbot.SlackChannelConfiguration(
        scope, "Chat", slack_channel_configuration_name="ops", slack_channel_id="C1", slack_workspace_id="T1"
    )
    made = only(synthesize(scope), "AWS::Chatbot::SlackChannelConfiguration")
    assert "GuardrailPolicies" not in made


def test_after_both_topics_are_encrypted_with_one_key_of_their_own(template: Template) -> None:
    """CloudWatch cannot use SNS's own key, so alarms would be lost in silence with that one (W3)."""
    (key,) = of_type(template, "AWS::KMS::Key")
    made = of_type(template, "AWS::SNS::Topic").values()
    assert [each["KmsMasterKeyId"] for each in made] == [{"Fn::GetAtt": [key, "Arn"]}] * 2
    assert only(template, "AWS::KMS::Key")["EnableKeyRotation"] is True
    assert template["Resources"][key]["DeletionPolicy"] == "RetainExceptOnCreate"


def key_users(template: Template) -> dict[str, list[dict[str, Any]]]:
    """The statements of the key's policy by service; CDK joins equal ones with its flags."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in only(template, "AWS::KMS::Key")["KeyPolicy"]["Statement"]:
        for service in listed(each["Principal"].get("Service", str(each["Principal"]))):
            found.setdefault(service, []).append(each)
    return found


@pytest.mark.parametrize("principal", [ALARMS, RULES], ids=["alarms", "rules"])
def test_alarms_and_rules_may_use_the_key(template: Template, principal: dict[str, str]) -> None:
    """Both actions that publishing needs, and no others; no condition, with which EventBridge could not publish."""
    found = key_users(template)[principal["Service"]]
    assert {action for each in found for action in listed(each["Action"])} == USES_THE_KEY
    assert all(each["Effect"] == "Allow" and "Condition" not in each for each in found)


def test_nobody_else_may_use_the_key(template: Template) -> None:
    """The key admits the account that owns it, CloudWatch and EventBridge."""
    own, *services = key_users(template)
    assert ":root" in own
    assert services == ["cloudwatch.amazonaws.com", "events.amazonaws.com"]


def test_alarms_of_this_account_may_publish_and_nobody_else(template: Template) -> None:
    """CloudWatch may publish for alarms of this account, so another account cannot page us."""
    assert set(policies(template)) == set(topics_of(template))
    for topic, found in policies(template).items():
        (allow,) = (each for each in found if each["Effect"] == "Allow")
        assert (allow["Action"], allow["Principal"], allow["Resource"]) == ("sns:Publish", ALARMS, {"Ref": topic})
        assert allow["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_plain_http_is_refused(template: Template) -> None:
    """Publishing without TLS is denied to everybody, on both."""
    for topic, found in policies(template).items():
        (deny,) = (each for each in found if each["Effect"] == "Deny")
        assert (deny["Action"], deny["Resource"]) == ("sns:Publish", {"Ref": topic})
        assert deny["Principal"] in ("*", {"AWS": "*"})
        assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_each_is_told_of_its_severities(template: Template) -> None:
    """An address of both topics is subscribed twice, and one for pages alone once."""
    secret = "{{resolve:secretsmanager:ops/on-call:SecretString}}"
    both = [("email", "ops@example.com"), ("https", "https://alarms.example.com/shop"), ("https", secret)]
    assert told(template) == {
        *((severity, *each) for severity in ("page", "notice") for each in both),
        ("page", "email", "on-call@example.com"),
    }
    assert len(of_type(template, "AWS::SNS::Subscription")) == 7


def test_no_secret_is_in_the_template(template: Template) -> None:
    """An address that holds a key is named by its secret; CloudFormation reads it."""
    addresses = [endpoint for _, protocol, endpoint in told(template) if protocol == "https"]
    assert all("{{resolve:" in each or each == "https://alarms.example.com/shop" for each in addresses)


def test_a_channel_is_told_by_both_topics_in_one_configuration(template: Template) -> None:
    """One configuration a channel; its name begins with the stack's, because names are unique in an account."""
    page, notice = topics_of(template)
    slack = only(template, "AWS::Chatbot::SlackChannelConfiguration")
    teams = only(template, "AWS::Chatbot::MicrosoftTeamsChannelConfiguration")
    assert slack["SnsTopicArns"] == teams["SnsTopicArns"] == [{"Ref": page}, {"Ref": notice}]
    assert (slack["SlackWorkspaceId"], slack["SlackChannelId"]) == ("T0123456789", "C0123456789")
    assert (teams["TeamsTenantId"], teams["TeamId"], teams["TeamsChannelId"]) == (UUID, UUID, CHANNEL)
    assert slack["ConfigurationName"].startswith("Stack-slack-")
    assert teams["ConfigurationName"].startswith("Stack-teams-")


def test_a_channel_may_do_nothing(template: Template) -> None:
    """Its guardrail denies all, its role has no permission, and what it drops is logged (W3)."""
    roles = of_type(template, "AWS::IAM::Role")
    assert len(roles) == 2
    for kind in ("SlackChannelConfiguration", "MicrosoftTeamsChannelConfiguration"):
        channel = only(template, f"AWS::Chatbot::{kind}")
        assert channel["GuardrailPolicies"] == [DENY_ALL]
        assert channel["LoggingLevel"] == "ERROR"
        role, attribute = channel["IamRoleArn"]["Fn::GetAtt"]
        assert attribute == "Arn"
        assert statements(template, role) == []
        assert "ManagedPolicyArns" not in roles[role]
        assert "PermissionsBoundary" not in roles[role]
        (trust,) = roles[role]["AssumeRolePolicyDocument"]["Statement"]
        assert (trust["Action"], trust["Principal"]) == ("sts:AssumeRole", {"Service": "chatbot.amazonaws.com"})


def test_a_channel_for_notices_alone_is_not_told_of_pages() -> None:
    """Severities choose the topics of a channel too, and two channels have two names."""
    scope = stack()
    other = SlackTarget(workspace="T0123456789", channel="C999", severities=("notice",))
    NotificationTopics(scope, "Topics", targets=[SLACK, other])
    template = synthesize(scope)
    _, notice = topics_of(template)
    first, second = of_type(template, "AWS::Chatbot::SlackChannelConfiguration").values()
    assert second["SnsTopicArns"] == [{"Ref": notice}]
    assert first["ConfigurationName"] != second["ConfigurationName"]


def test_nobody_is_told_by_default() -> None:
    """Without targets there are two topics and no subscription; an alarm's state is kept all the same."""
    scope = stack()
    NotificationTopics(scope, "Topics")
    template = synthesize(scope)
    assert len(of_type(template, "AWS::SNS::Topic")) == 2
    assert not of_type(template, "AWS::SNS::Subscription")
    assert not of_type(template, "AWS::IAM::Role")


def test_a_topic_for_each_severity() -> None:
    """``of`` gives the page topic for a page, the notice topic for a notice, and so do topics that exist."""
    scope = stack()
    made = NotificationTopics(scope, "Topics")
    assert (made.of("page"), made.of("notice")) == (made.page, made.notice)
    assert made.page is not made.notice
    mine = ExistingTopics(page=made.notice, notice=made.page)
    assert (mine.of("page"), mine.of("notice")) == (made.notice, made.page)


def test_the_arn_of_a_severity_is_its_topics() -> None:
    """``arn`` gives the ARN of what ``of`` gives, for topics that are made and for those that exist."""
    made = NotificationTopics(stack(), "Topics")
    assert (made.arn("page"), made.arn("notice")) == (made.page.topic_arn, made.notice.topic_arn)
    mine = ExistingTopics(page=made.notice, notice=made.page)
    assert (mine.arn("page"), mine.arn("notice")) == (made.notice.topic_arn, made.page.topic_arn)


def test_events_may_be_sent_to_it_and_alarms_still_page() -> None:
    """A topic has one policy: when other code lets EventBridge publish too, CloudWatch still may."""
    scope = stack()
    made = NotificationTopics(scope, "Topics")
    events.Rule(
        scope, "Stopped", event_pattern=events.EventPattern(source=["aws.ecs"]), targets=[targets.SnsTopic(made.page)]
    )
    template = synthesize(scope)
    page, notice = topics_of(template)
    principals = {
        topic: [each["Principal"] for each in found if each["Effect"] == "Allow"]
        for topic, found in policies(template).items()
    }
    assert principals == {page: [ALARMS, RULES], notice: [ALARMS]}


def test_a_role_that_is_granted_may_publish_and_use_the_key() -> None:
    """A function that writes messages gets both by the one call of CDK, and for one topic only."""
    scope = stack()
    made = NotificationTopics(scope, "Topics")
    role = iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    made.page.grant_publish(role)
    template = synthesize(scope)
    (logical_id,) = of_type(template, "AWS::IAM::Role")
    page, _ = topics_of(template)
    found = {action: each for each in statements(template, logical_id) for action in listed(each["Action"])}
    assert set(found) == {"sns:Publish", *USES_THE_KEY}
    assert found["sns:Publish"]["Resource"] == {"Ref": page}


def test_an_event_bus_is_no_target_of_a_topic() -> None:
    """A topic cannot tell it; a chat of the wrong kind would be made of it otherwise."""
    refused(lambda: NotificationTopics(stack(), "Topics", targets=[EVENTS]), "targets", EVENTS, "told by a topic")  # type: ignore[list-item]


def test_a_target_twice_is_refused() -> None:
    """Before anything is made."""
    refused(lambda: NotificationTopics(stack(), "Topics", targets=[EMAIL, EMAIL]), "targets", EMAIL, "named once")
