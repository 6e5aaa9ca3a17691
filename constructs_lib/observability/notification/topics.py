"""Where alarms go: two encrypted SNS topics, one that wakes people and one that does not (lesson W3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from constructs_lib.alarm_spec import Severity
from constructs_lib.checks import invalid
from constructs_lib.observability.notification.chat import chat_channel
from constructs_lib.observability.notification.targets import (
    EmailTarget,
    EventBusTarget,
    HttpsTarget,
    NotificationTarget,
    TopicTarget,
    check_targets,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingTopics:
    """Topics that somebody else looks after (lesson W3).

    CloudWatch must be allowed to publish to them and to use their key; SNS's own key it cannot use.

    Args:
        page: what wakes somebody.
        notice: what does not; it may be the same topic.
    """

    page: sns.ITopic
    notice: sns.ITopic

    def of(self, severity: Severity) -> sns.ITopic:
        """The topic of a severity."""
        return self.page if severity == "page" else self.notice

    def arn(self, severity: Severity) -> str:
        """The ARN of a severity's topic."""
        return self.of(severity).topic_arn


class NotificationTopics(Construct):
    """The topics ``page`` and ``notice``, encrypted with one key of their own (lesson W3).

    CloudWatch cannot use SNS's own key (``alias/aws/sns``), so the topics have a customer managed one, about 1 USD a
    month (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html). Alarms of
    this account alone may publish, and nobody without TLS. A role may after ``topic.grant_publish(role)``, a rule of
    EventBridge after the topic is made its target: the key admits EventBridge already.

    Args:
        targets: who is told of what; none by default. E-mail addresses and HTTPS endpoints must confirm first.

    Attributes:
        page: what wakes somebody.
        notice: what does not.
        key: it encrypts both.

    Raises:
        ValueError: a target twice, or an event bus, which is told by rules and not by a topic.
    """

    def __init__(self, scope: Construct, id: str, *, targets: Sequence[TopicTarget] = ()) -> None:
        _check(targets)
        super().__init__(scope, id)
        self.key = kms.Key(
            self,
            "Key",
            description="Encrypts notifications of alarms",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        alarms = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        for principal in (alarms, iam.ServicePrincipal("events.amazonaws.com")):
            # No condition on the account: with one, EventBridge cannot publish to an encrypted topic
            # (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html). The topics' policies say who may.
            self.key.grant(principal, "kms:Decrypt", "kms:GenerateDataKey*")
        self._arns: dict[Severity, str] = {}
        self.page: sns.ITopic = self._topic("page", alarms)
        self.notice: sns.ITopic = self._topic("notice", alarms)
        for target in targets:
            self._tell(target)

    def of(self, severity: Severity) -> sns.ITopic:
        """The topic of a severity."""
        return self.page if severity == "page" else self.notice

    def arn(self, severity: Severity) -> str:
        """The ARN of a severity's topic; CDK was asked for it once."""
        return self._arns[severity]

    def _topic(self, severity: Severity, alarms: iam.ServicePrincipal) -> sns.Topic:
        topic = sns.Topic(self, severity.capitalize(), master_key=self.key, enforce_ssl=True)
        self._arns[severity] = topic.topic_arn
        # On the topic's own policy: a topic has one, and a second that somebody's grant made would replace it.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[alarms],
                actions=["sns:Publish"],
                resources=[self._arns[severity]],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        return topic

    def _tell(self, target: TopicTarget) -> None:
        arns = {severity: self.arn(severity) for severity in target.severities}
        if isinstance(target, EmailTarget):
            self._subscribe(arns, "email", target.address, target.address)
        elif isinstance(target, HttpsTarget):
            secret = f"{{{{resolve:secretsmanager:{target.secret}:SecretString}}}}"
            self._subscribe(arns, "https", target.url or secret, target.url or f"secret {target.secret}")
        else:
            chat_channel(self, target, list(arns.values()))

    def _subscribe(self, arns: dict[Severity, str], protocol: str, endpoint: str, named: str) -> None:
        for severity, arn in arns.items():
            sns.CfnSubscription(
                self, f"{severity} {named}".replace("/", "|"), topic_arn=arn, protocol=protocol, endpoint=endpoint
            )


def _check(targets: Sequence[NotificationTarget]) -> None:
    check_targets("targets", targets)
    for target in targets:
        if isinstance(target, EventBusTarget):
            raise invalid("targets", target, "told by a topic", "an event bus is told by rules: use ForwardedEvents")


Topics: TypeAlias = NotificationTopics | ExistingTopics
"""What constructs take to know where an alarm goes."""
