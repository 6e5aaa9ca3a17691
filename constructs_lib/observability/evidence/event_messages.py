"""Tells people of events that need one (lesson W5)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, cast

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.checks import environment_name, invalid, name
from constructs_lib.iam_policy import queue_of_rules
from constructs_lib.kept_messages import KEPT_SECONDS
from constructs_lib.observability.dead_letters import dead_letters_alarm
from constructs_lib.observability.evidence.message_patterns import message_pattern
from constructs_lib.observability.evidence.message_permissions import message_permissions
from constructs_lib.observability.notification.topics import NotificationTopics, Topics
from constructs_lib.observability.runbooks import Runbooks
from constructs_lib.places import arns_of
from constructs_lib.python_function import python_function

_VARIABLE: Final = "MOORINGS_MESSAGES"  # as runtime/messages/settings.py reads it
_KEY: Final = ("id", "part", "expires")  # as runtime/messages/duplicates.py writes them
_ENVIRONMENT_CHARACTERS: Final = 4096
_LONGEST_TOKENS: Final = 1500
"""What two topics, a table, a log group and a cluster may need more than CDK's Tokens for them."""

_LATEST_SECONDS: Final = 3600


class EventMessages(Construct):
    """Publishes readable messages about what needs a person, once for one fault (lesson W5).

    A page at once: an image that cannot be pulled, a secret or log group that a task cannot start without, no capacity,
    a service whose tasks ECS cannot start. A notice, and a page when it happens again within half an hour: failing
    health checks (from the second task on), containers that end with an error or run out of memory (from the third). A
    notice: failed deployments and builds, runs of no service, and what AWS Health says of ECS and Fargate, which is a
    page when it is about this account's own resources. Everything else tells nobody
    (docs/decisions/0028-what-needs-a-person.md).

    A message says what is wrong, what AWS said, where the runbook is, and the last five events of the component. It
    goes out without what could not be read in time. Of one fault, one goes out in half an hour; a page becomes a notice
    when the component's alarm ``degraded`` has turned red within the last hour, for somebody is awake then. What cannot
    be sent is tried three times, and then kept in a queue for 14 days, whose alarm pages.

    Args:
        application: the application's name.
        environment: the environment's name.
        topics: where messages are published.
        clusters: names of ECS clusters of this account and Region, such as ``cluster.cluster_name``; one that ends with
            ``*`` stands for all that begin so.
        build_projects: names of CodeBuild projects, written alike; none by default.
        components: names of the services as alarms have them, to which generated names are matched; none by default:
            a service is called by ECS's name.
        evidence_log: name of the log group of an :class:`EvidenceLog`; ``None``, the default: messages do not say what
            happened before.
        runbooks: where runbooks can be read; by default the message names the file in ``docs/runbooks``.

    Attributes:
        function: the Lambda function (Python, arm64, 256 MiB); its log is kept for 90 days.
        role: what it may do.
        alarms: what to watch, for :class:`constructs_lib.observability.alarms.Alarms`.

    Raises:
        ValueError: a wrong name, no cluster, or more names than a pattern or the function's settings hold.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        application: str,
        environment: str,
        topics: Topics,
        clusters: Sequence[str],
        build_projects: Sequence[str] = (),
        components: Sequence[str] = (),
        evidence_log: str | None = None,
        runbooks: Runbooks | None = None,
    ) -> None:
        name("application", application)
        environment_name("environment", environment)
        for component in components:
            name("components", component)
        here = arns_of(scope)
        pattern = message_pattern(here, clusters=clusters, build_projects=build_projects)
        super().__init__(scope, id)
        table = self._table()
        queue = sqs.CfnQueue(self, "DeadLetters", message_retention_period=KEPT_SECONDS, sqs_managed_sse_enabled=True)
        queue_arn, evidence = queue.attr_arn, None
        if evidence_log is not None:
            evidence = here.of("logs", f"log-group:{evidence_log}:*")
        settings = {
            "application": application,
            "environment": environment,
            "clusters": list(clusters),
            "build_projects": list(build_projects),
            "components": list(components),
            "page": topics.arn("page"),
            "notice": topics.arn("notice"),
            "table": table.ref,
            "evidence": evidence_log,
            "runbooks": (runbooks or Runbooks()).base,
        }
        # Topics of somebody else may have a key that only they know of.
        ours = topics if isinstance(topics, NotificationTopics) else None
        made = python_function(
            self,
            folder=Path(__file__).parents[1],
            handler="runtime.messages.handler.main",
            description="Tells people of events that need one (lesson W5)",
            environment={_VARIABLE: _text(settings)},
            permissions=lambda log_group: message_permissions(
                region=here.region,
                topics=[ours.arn("page"), ours.arn("notice")] if ours else [],
                key=ours.key.key_arn if ours else None,
                table=table.attr_arn,
                evidence=evidence,
                dead_letters=queue_arn,
                log_group=log_group,
            ),
            may="Publishes messages about events; may read alarms and the log of evidence (lesson W5)",
            timeout_minutes=1,
        )
        self.function, self.role = made
        if ours is None:
            for topic in (topics.page, topics.notice):
                topic.grant_publish(self.role)
        cast(
            "lambda_.CfnFunction", self.function.node.default_child
        ).dead_letter_config = lambda_.CfnFunction.DeadLetterConfigProperty(target_arn=queue_arn)
        rule_arn = self._rule(pattern, queue_arn)
        sqs.CfnQueuePolicy(
            self,
            "DeadLettersPolicy",
            queues=[queue.ref],
            policy_document=queue_of_rules(queue_arn, [rule_arn]),
        )
        self.alarms: tuple[AlarmSpec, ...] = (
            dead_letters_alarm("messages", queue=queue.attr_queue_name, of="messages to people, perhaps pages"),
        )

    def _table(self) -> dynamodb.CfnTable:
        """What was told. If it is lost, a fault is told once more."""
        key, part, expires = _KEY
        return dynamodb.CfnTable(
            self,
            "Told",
            key_schema=[
                dynamodb.CfnTable.KeySchemaProperty(attribute_name=key, key_type="HASH"),
                dynamodb.CfnTable.KeySchemaProperty(attribute_name=part, key_type="RANGE"),
            ],
            attribute_definitions=[
                dynamodb.CfnTable.AttributeDefinitionProperty(attribute_name=each, attribute_type="S")
                for each in (key, part)
            ],
            billing_mode="PAY_PER_REQUEST",
            time_to_live_specification=dynamodb.CfnTable.TimeToLiveSpecificationProperty(
                attribute_name=expires, enabled=True
            ),
        )

    def _rule(self, pattern: dict[str, object], queue_arn: str) -> str:
        """An L1: the L2's pattern has no $or. The ARN of the rule."""
        function_arn = self.function.function_arn
        rule = events.CfnRule(
            self,
            "Rule",
            description="Wakes the function that tells people of events (lesson W5)",
            event_pattern=pattern,
            targets=[
                events.CfnRule.TargetProperty(
                    id="messages",
                    arn=function_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=queue_arn),
                    # Later than that the queue's alarm tells more than the message would.
                    retry_policy=events.CfnRule.RetryPolicyProperty(maximum_event_age_in_seconds=_LATEST_SECONDS),
                )
            ],
        )
        rule_arn = rule.attr_arn
        lambda_.CfnPermission(
            self,
            "MayCall",
            action="lambda:InvokeFunction",
            function_name=function_arn,
            principal="events.amazonaws.com",
            source_arn=rule_arn,
        )
        return rule_arn


def _text(settings: Mapping[str, object]) -> str:
    """The settings. No Token in them stands for a text with a character that JSON escapes."""
    made = json.dumps(settings, separators=(",", ":"))
    if len(_VARIABLE) + len(made) + _LONGEST_TOKENS > _ENVIRONMENT_CHARACTERS:
        allowed = f"at most {_ENVIRONMENT_CHARACTERS - _LONGEST_TOKENS - len(_VARIABLE)} characters in all"
        raise invalid("the names", f"{len(made)} characters of settings", allowed, "name clusters by their beginning")
    return made
