"""Where alarms go: an encrypted SNS topic (lesson W3)."""

from __future__ import annotations

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from constructs_lib.checks import email as check_email


class AlarmTopic(Construct):
    """An SNS topic that CloudWatch alarms may publish to, encrypted with a key of its own (lesson W3).

    CloudWatch cannot use SNS's own key (``alias/aws/sns``), so the topic has a customer managed key, about 1 USD a
    month (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html).
    Publishing without TLS is refused, and so is an alarm of another account.

    Args:
        email: an address to notify; AWS asks it to confirm first. ``None``, the default: nobody yet.

    Raises:
        ValueError: ``email`` is no e-mail address.
    """

    def __init__(self, scope: Construct, id: str, *, email: str | None = None) -> None:
        if email is not None:
            check_email("email", email)
        super().__init__(scope, id)
        self.key = kms.Key(
            self,
            "Key",
            description="Encrypts alarm notifications",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        alarms = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        self.key.grant(alarms, "kms:Decrypt", "kms:GenerateDataKey*")
        self.topic = sns.Topic(self, "Resource", master_key=self.key, enforce_ssl=True)
        # On the topic's own policy: a topic has one, and a second that somebody's grant made would replace it.
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[alarms],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        if email is not None:
            sns.Subscription(self, "Email", topic=self.topic, protocol=sns.SubscriptionProtocol.EMAIL, endpoint=email)
