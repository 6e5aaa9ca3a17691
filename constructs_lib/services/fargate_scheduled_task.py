"""A task on Fargate that is run by the clock, and whose failure is told (lessons W2, T4, W5, Q3)."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.checks import invalid, whole_number
from constructs_lib.services.deployments.release_switch import ReleaseSwitch
from constructs_lib.services.placement import component_name, private_subnets
from constructs_lib.services.policy import FixedDigest, ReleasedDigest, TaskSize
from constructs_lib.services.schedules.failed_runs import FailedRuns
from constructs_lib.services.schedules.schedule import Schedule
from constructs_lib.services.schedules.schedule_permissions import schedule_permissions, schedule_trust
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.fargate_task import FargateTask
from constructs_lib.services.task.log_delivery import LogDelivery

_DEFAULT_SIZE = TaskSize()
_DEFAULT_LOG_DELIVERY = LogDelivery()
_DEFAULT_SETTINGS = ContainerSettings()
_MOST_RETRIES = 185
"""https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html"""


class FargateScheduledTask(Construct):
    """A task that EventBridge Scheduler runs, with the guardrails of lessons W2, T4, W5 and Q3.

    The image is named by digest only. The task runs in private subnets of at least two availability zones, with a
    read-only root file system and non-blocking logs. Before the first release the schedule is off. A run that could not
    be started, and a task that ended with anything but 0, are kept in a queue whose alarm pages.

    ECS keeps no run from beginning while the last one still runs (https://github.com/aws/containers-roadmap/issues/232)
    and ends none that takes too long, and Scheduler delivers at least once, so a run may begin twice
    (https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html). A task that must not run beside
    itself needs a lock of its own; one that must end, a command such as ``["timeout", "1800", …]``.

    Args:
        id: also names the component in alarms, containers and logs, as for a service. It must be the only one of that
            name in its stack.
        cluster: the ECS cluster; its VPC has private subnets in at least two availability zones.
        repository: where the image is; the execution role may pull from it.
        image: a digest in code, the parameter that holds it, or the ``release`` of a service of the same stack, whose
            image it then runs.
        schedule: when it is run.
        size: CPU, memory and architecture.
        settings: what its container is told and may write to, its command among it.
        log_delivery: buffer and retention of the logs.
        stop_seconds: how long ECS waits after SIGTERM when the task is stopped, 2 to 120; 30 by default.

    Attributes:
        schedule: the schedule.
        task: the task definition with its container.
        role: the role with which the schedule starts it.
        failed_runs: the queue of what did not end well.
        alarms: what to watch, for :class:`constructs_lib.observability.alarms.Alarms`.

    Raises:
        ValueError: private subnets in fewer than two availability zones, a log buffer too large for the task, or no
            schedule.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster: ecs.ICluster,
        repository: ecr.IRepository,
        image: FixedDigest | ReleasedDigest | ReleaseSwitch,
        schedule: Schedule,
        size: TaskSize = _DEFAULT_SIZE,
        settings: ContainerSettings = _DEFAULT_SETTINGS,
        log_delivery: LogDelivery = _DEFAULT_LOG_DELIVERY,
        stop_seconds: int = 30,
    ) -> None:
        if not isinstance(image, FixedDigest | ReleasedDigest | ReleaseSwitch):
            raise invalid("image", image, "a FixedDigest, a ReleasedDigest or a service's release", "a tag can move")
        if not isinstance(schedule, Schedule):
            raise invalid("schedule", schedule, "a Schedule", "write such as Schedule.cron('0 3 * * ? *')")
        whole_number("stop_seconds", stop_seconds, low=2, high=120, fix="Fargate waits 120 seconds at most")
        component = component_name(id)
        log_delivery.check_memory(1, size.memory_mib)
        vpc = cluster.vpc
        subnets = private_subnets(vpc, vpc.availability_zones).subnets or ()
        super().__init__(scope, id)

        switch = image if isinstance(image, ReleaseSwitch) else ReleaseSwitch(self, image)
        self.task = FargateTask(
            self,
            component,
            repository=repository,
            digest=switch.digest,
            size=size,
            settings=settings,
            log_delivery=log_delivery,
            stop_seconds=stop_seconds,
        )
        self.failed_runs = FailedRuns(
            self,
            "FailedRuns",
            component=component,
            cluster=cluster,
            task_definition=self.task.definition,
            container=component,
            acts_if=switch.condition_id,
        )
        self.alarms: tuple[AlarmSpec, ...] = self.failed_runs.alarms
        group = ec2.SecurityGroup(self, "SecurityGroup", vpc=vpc, description=f"Runs of {component}")
        self._group = group
        self.role = self._role(cluster.cluster_name)
        self.schedule = scheduler.CfnSchedule(
            self,
            "Resource",
            description=f"Runs {component}",
            schedule_expression=schedule.expression,
            schedule_expression_timezone=schedule.time_zone,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            state=switch.state(),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self.failed_runs.cluster_arn,
                role_arn=self.role.attr_arn,
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=self.failed_runs.queue_arn),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=schedule.late_minutes * 60, maximum_retry_attempts=_MOST_RETRIES
                ),
                ecs_parameters=scheduler.CfnSchedule.EcsParametersProperty(
                    task_definition_arn=self.task.definition.task_definition_arn,
                    launch_type="FARGATE",
                    task_count=1,
                    enable_ecs_managed_tags=True,
                    propagate_tags="TASK_DEFINITION",
                    network_configuration=scheduler.CfnSchedule.NetworkConfigurationProperty(
                        awsvpc_configuration=scheduler.CfnSchedule.AwsVpcConfigurationProperty(
                            subnets=[subnet.subnet_id for subnet in subnets],
                            security_groups=[group.security_group_id],
                            assign_public_ip="DISABLED",
                        )
                    ),
                ),
            ),
        )
        # Without this the first run could begin before its role may pull its image.
        self.schedule.node.add_dependency(self.task.execution_role)

    def _role(self, cluster_name: str) -> iam.CfnRole:
        runs = self.failed_runs
        here = runs.families.partition(":task-definition/")[0]  # arn:<partition>:ecs:<region>:<account>
        group_arn = f"{here.replace(':ecs:', ':scheduler:', 1)}:schedule-group/default"
        return iam.CfnRole(
            self,
            "Role",
            description="Starts the tasks of one schedule",
            assume_role_policy_document=schedule_trust(account=here.rpartition(":")[2], group_arn=group_arn),
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="Run",
                    policy_document=schedule_permissions(
                        task_definitions=runs.families,
                        cluster_arn=runs.cluster_arn,
                        tasks=f"{here}:task/{cluster_name}/*",
                        roles=self.task_roles,
                        queue_arn=runs.queue_arn,
                    ),
                )
            ],
        )

    @property
    def connections(self) -> ec2.Connections:
        """The rules of the task's security group, for ``allow_to``."""
        return self._group.connections

    @property
    def task_role(self) -> iam.IRole:
        """The role that the application runs with; it may do nothing until you grant it something."""
        return self.task.definition.task_role

    @property
    def task_roles(self) -> tuple[str, ...]:
        """ARNs of both roles of its tasks: the task role and the execution role."""
        return self.task.roles
