"""Keeps what is known of runs that did not end well, and pages (lessons T4, W5)."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.checks import name
from constructs_lib.iam_policy import queue_of_rules
from constructs_lib.kept_messages import KEPT_SECONDS
from constructs_lib.places import arns_of
from constructs_lib.services.schedules.failed_run_events import (
    failed_run_pattern,
    failed_runs_alarm,
)


class FailedRuns(Construct):
    """A queue of the runs of one task definition that did not end well, and its alarm (lessons T4, W5).

    ECS forgets a stopped task within the hour or so. Here the event that tells its stop code, its reason and its exit
    codes is kept for 14 days. The queue is encrypted with SQS's own key and stays when its stack goes. It can also be
    the dead-letter queue of what starts the task, so that one alarm tells both. Events are delivered at least once, so
    a run may be there twice.

    It works with any task definition whose family has a name, however its tasks are run.

    Args:
        component: the task's name, in alarms.
        cluster: where its tasks run.
        task_definition: whose runs; any revision of its family.
        container: the container whose exit code tells how a run ended.
        acts_if: logical id of a condition without which the alarm notifies nobody; ``None`` by default.

    Attributes:
        queue: the queue.
        queue_arn: its ARN.
        cluster_arn: ARN of the cluster.
        alarms: what to watch, for :class:`constructs_lib.observability.alarms.Alarms`.
        families: ARN of all revisions, ``*`` for the revision.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        component: str,
        cluster: ecs.ICluster,
        task_definition: ecs.FargateTaskDefinition,
        container: str,
        acts_if: str | None = None,
    ) -> None:
        name("component", component)
        super().__init__(scope, id)
        family = arns_of(self).of("ecs", f"task-definition/{task_definition.family}:")
        self.families, self.cluster_arn = f"{family}*", cluster.cluster_arn
        self.queue = sqs.CfnQueue(self, "Resource", message_retention_period=KEPT_SECONDS, sqs_managed_sse_enabled=True)
        self.queue.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        self.queue_arn = self.queue.attr_arn
        rule = events.CfnRule(
            self,
            "Rule",
            description=f"Keeps what is known of runs of {component} that did not end well (lessons T4, W5)",
            event_pattern=failed_run_pattern(
                cluster_arn=self.cluster_arn, task_definitions=family, container=container
            ),
            targets=[events.CfnRule.TargetProperty(id="failed-runs", arn=self.queue_arn)],
        )
        sqs.CfnQueuePolicy(
            self,
            "Policy",
            queues=[self.queue.ref],
            policy_document=queue_of_rules(self.queue_arn, [rule.attr_arn]),
        )
        self.alarms: tuple[AlarmSpec, ...] = (
            failed_runs_alarm(component, queue=self.queue.attr_queue_name, acts_if=acts_if),
        )
