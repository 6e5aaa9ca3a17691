"""What the services' region sends to a status page, perhaps in another one (lesson T5)."""

from __future__ import annotations

import json

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.checks import concrete, environment_name, name
from constructs_lib.iam_policy import Arns, queue_of_rules
from constructs_lib.kept_messages import KEPT_SECONDS
from constructs_lib.naming import status_bus_name, status_feed_role_name, status_page_parameter_name
from constructs_lib.observability.status_page.alarms import letters_alarm
from constructs_lib.observability.status_page.patterns import RETRIES, SECONDS_OF_USE, state_changes
from constructs_lib.observability.status_page.permissions import feed_permissions
from constructs_lib.places import arns_of


class StatusSource(Construct):
    """Sends the changes of an environment's composite alarms to the bus of its status page (lesson T5).

    The bus is known by its name, so nothing refers to another region: any region to any
    (https://aws.amazon.com/blogs/compute/expanding-cross-region-event-routing-with-amazon-eventbridge/). What cannot
    be delivered for a quarter of an hour is left in a queue here; the page has read the alarms by itself meanwhile.

    To wire it: one in the services' region for each :class:`StatusPage`, in a stack that is deployed after the page's.
    Give ``.alarms`` to the :class:`constructs_lib.observability.alarms.Alarms` of the same stack.

    Args:
        application: the application, such as ``shop``.
        environment: the environment, such as ``production``.
        page_region: where the page is; ``None``, the default: in the stack's own region.

    Attributes:
        rule: EventBridge's, on the default bus.
        role: with which EventBridge sends: to that one bus.
        alarms: one notice, on events that could not be sent.

    Raises:
        ValueError: a wrong name, or a region that is a Token.
    """

    def __init__(
        self, scope: Construct, id: str, *, application: str, environment: str, page_region: str | None = None
    ) -> None:
        name("application", application)
        environment_name("environment", environment)
        if page_region is not None:
            concrete("page_region", page_region, "name the region of the page")
        super().__init__(scope, id)
        names, here = (application, environment), arns_of(scope)
        there = Arns(partition=here.partition, region=page_region or here.region, account=here.account)
        bus_arn = there.of("events", f"event-bus/{status_bus_name(*names)}")
        self.role = iam.CfnRole(
            self,
            "Role",
            role_name=status_feed_role_name(*names),
            description="Sends changes of alarms to the bus of the status page, and nothing else (lesson T5)",
            assume_role_policy_document=_for_events(here.account),
            policies=[
                iam.CfnRole.PolicyProperty(policy_name="Allowed", policy_document=feed_permissions(bus_arn)),
            ],
        )
        queue = sqs.CfnQueue(self, "Letters", message_retention_period=KEPT_SECONDS, sqs_managed_sse_enabled=True)
        self.rule = events.CfnRule(
            self,
            "Changes",
            description="Alarms of the services go to the status page (lesson T5)",
            event_pattern=state_changes(*names),
            targets=[
                events.CfnRule.TargetProperty(
                    id="page",
                    arn=bus_arn,
                    role_arn=self.role.attr_arn,
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=SECONDS_OF_USE, maximum_retry_attempts=RETRIES
                    ),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=queue.attr_arn),
                )
            ],
        )
        sqs.CfnQueuePolicy(
            self,
            "LettersPolicy",
            queues=[queue.ref],
            policy_document=queue_of_rules(queue.attr_arn, [self.rule.attr_arn]),
        )
        if page_region is not None and page_region != here.region:
            self._point(names, page_region)
        self.alarms: tuple[AlarmSpec, ...] = (
            letters_alarm(what="status-source-letters", queue_name=queue.attr_queue_name),
        )

    def _point(self, names: tuple[str, str], page_region: str) -> None:
        """Commands that look here are told where to look; when this region is lost, ``--region`` tells them."""
        ssm.CfnParameter(
            self,
            "Place",
            name=status_page_parameter_name(*names),
            type="String",
            description="In which region the status page is (lesson T5). Written by CloudFormation.",
            value=json.dumps({"page_region": page_region}),
        )


def _for_events(account: str) -> dict[str, object]:
    """For rules of this account only
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html)."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": account}},
            }
        ],
    }
