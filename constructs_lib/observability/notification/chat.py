"""A channel of Slack or Teams that is told of alarms, and can do nothing (lesson W3)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_chatbot as chatbot
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.observability.notification.targets import SlackTarget, TeamsTarget

_GUARDRAIL: Final = "arn:aws:iam::aws:policy/AWSDenyAll"
"""What the channel's members may do in the account, whatever their role: without one it is AdministratorAccess
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-chatbot-slackchannelconfiguration.html).
The service is in the partition ``aws`` alone: its API takes no other ARN."""


def chat_channel(scope: Construct, target: SlackTarget | TeamsTarget, topic_arns: Sequence[str]) -> None:
    """One configuration for the channel, with all its topics, and a role of its own that may do nothing.

    Args:
        scope: the construct that it belongs to.
        target: the channel.
        topic_arns: what it is told of.
    """
    kind = "slack" if isinstance(target, SlackTarget) else "teams"
    place = Construct(scope, f"{kind} {target.channel}".replace("/", "|"))
    role = iam.CfnRole(
        place,
        "Role",
        description="For a chat channel that is told of alarms and may do nothing",
        assume_role_policy_document={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "chatbot.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        },
    )
    # Names are unique in an account, so it begins with the stack's; of a channel's id they do not take every character.
    name = f"{Stack.of(scope).stack_name}-{kind}-{hashlib.sha256(target.channel.encode()).hexdigest()[:8]}"
    if isinstance(target, SlackTarget):
        chatbot.CfnSlackChannelConfiguration(
            place,
            "Resource",
            configuration_name=name,
            iam_role_arn=role.attr_arn,
            slack_workspace_id=target.workspace,
            slack_channel_id=target.channel,
            sns_topic_arns=list(topic_arns),
            guardrail_policies=[_GUARDRAIL],
            logging_level="ERROR",
        )
    else:
        chatbot.CfnMicrosoftTeamsChannelConfiguration(
            place,
            "Resource",
            configuration_name=name,
            iam_role_arn=role.attr_arn,
            teams_tenant_id=target.tenant,
            team_id=target.team,
            teams_channel_id=target.channel,
            sns_topic_arns=list(topic_arns),
            guardrail_policies=[_GUARDRAIL],
            logging_level="ERROR",
        )
