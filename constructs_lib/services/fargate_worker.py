"""A service on Fargate without a load balancer, which neither stalls nor loses its image (lessons W2, T1, T4, Q3)."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.checks import invalid, whole_number
from constructs_lib.services.deployments.deployment import apply_deployment
from constructs_lib.services.deployments.deployment_policy import DeploymentPolicy, refuse_without_load_balancer
from constructs_lib.services.deployments.ecs_service import ecs_service
from constructs_lib.services.deployments.release_switch import ReleaseSwitch
from constructs_lib.services.explanation import explain
from constructs_lib.services.placement import component_name, private_subnets
from constructs_lib.services.policy import FixedDigest, ReleasedDigest, TaskSize, check_image
from constructs_lib.services.reasons import capacity_reasons, log_reasons, port_reasons
from constructs_lib.services.scaling.capacity import Capacity
from constructs_lib.services.scaling.scaling import scale, target_id
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.fargate_task import FargateTask
from constructs_lib.services.task.health_check import ContainerCheck
from constructs_lib.services.task.health_rendering import container_check
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.worker_alarms import worker_alarms

_DEFAULT_SIZE = TaskSize()
_DEFAULT_CAPACITY = Capacity()
_DEFAULT_DEPLOYMENT = DeploymentPolicy()
_DEFAULT_LOG_DELIVERY = LogDelivery()
_DEFAULT_SETTINGS = ContainerSettings()


class FargateWorker(Construct):
    """A service that nobody connects to: it takes its work itself. With the guardrails of lessons W2, T1, T4 and Q3.

    The image is named by digest only. Tasks run in private subnets of at least two availability zones, with a read-only
    root file system, non-blocking logs and a container check. A deployment keeps all tasks until new ones are healthy,
    and goes back by itself when tasks do not start or do not become healthy. It has no alarms for deployments: without
    a load balancer ECS's free metrics are CPU and memory, which say nothing about a bad release. With a metric of your
    own, such as the age of a queue's oldest message, call ``service.enable_deployment_alarms``.

    Args:
        id: also names the component in alarms, containers and logs; ``Mailer`` and ``mailer`` both give ``mailer``. It
            must be the only one of that name in its stack.
        cluster: the ECS cluster; its VPC has private subnets in at least two availability zones.
        repository: where the image is; the execution role may pull from it.
        image: a digest in code, or the parameter that holds it. With a parameter the worker stands with zero tasks
            until the first release.
        health_check: required: nothing else knows that a task still works.
        size: CPU, memory and architecture of a task.
        capacity: how many tasks; without a target on requests.
        deployment: when a deployment goes back: a ``DeploymentPolicy`` of strategy ``ROLLING``.
        stop_seconds: how long a job in hand has after SIGTERM, 2 to 120; 120 by default, the most that Fargate gives.
            A task that ends sooner is not waited for. A longer job must be taken up again by another task, or protect
            its task (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection.html).
        log_delivery: buffer and retention of the logs.
        settings: what the application's container is told and may write to, its command among it.

    Attributes:
        service: the ECS service.
        task: the task definition with its containers; ``task.add_sidecar`` puts another one beside the application.
        scaling: the scalable target: ``scaling.scale_on_metric`` makes it follow a queue.
        release: the digest and whether there is one, for a :class:`FargateScheduledTask` with the same image.
        alarms: what to watch, for :class:`constructs_lib.observability.alarms.Alarms`.

    Raises:
        ValueError: private subnets in fewer than two availability zones, a log buffer too large for the task, a health
            check that is none, a deployment that shifts requests, or a capacity that counts them.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster: ecs.ICluster,
        repository: ecr.IRepository,
        image: FixedDigest | ReleasedDigest,
        health_check: ContainerCheck,
        size: TaskSize = _DEFAULT_SIZE,
        capacity: Capacity = _DEFAULT_CAPACITY,
        deployment: DeploymentPolicy = _DEFAULT_DEPLOYMENT,
        stop_seconds: int = 120,
        log_delivery: LogDelivery = _DEFAULT_LOG_DELIVERY,
        settings: ContainerSettings = _DEFAULT_SETTINGS,
    ) -> None:
        check_image(image)
        if not isinstance(health_check, ContainerCheck):
            raise invalid("health_check", health_check, "a ContainerCheck", "make one with ContainerCheck.of")
        whole_number("stop_seconds", stop_seconds, low=2, high=120, fix="Fargate waits 120 seconds at most")
        refuse_without_load_balancer(deployment)
        component = component_name(id)
        log_delivery.check_memory(1, size.memory_mib)
        vpc = cluster.vpc
        zones = vpc.availability_zones
        subnets = private_subnets(vpc, zones)
        super().__init__(scope, id)

        self.release = switch = ReleaseSwitch(self, image)
        self.task = FargateTask(
            self,
            component,
            repository=repository,
            digest=switch.digest,
            size=size,
            settings=settings,
            log_delivery=log_delivery,
            stop_seconds=stop_seconds,
            health_check=container_check(health_check),
        )
        self.service = ecs_service(
            self, cluster=cluster, task=self.task, switch=switch, subnets=subnets, deployment=deployment
        )
        resource = apply_deployment(self.service, deployment, min_tasks=capacity.lowest_min_tasks)
        self.scaling = scale(self.service, capacity, switch=switch, zones=zones)
        explain(
            self,
            resource,
            {
                "capacity": capacity_reasons(capacity),
                "health": _health_reasons(health_check),
                "logs": log_reasons(log_delivery),
                "ports": port_reasons(settings.kernel, ()),
                "stop": [f"A job in hand has {stop_seconds} s after SIGTERM; then ECS kills it."],
            },
            f"{component}: {_health_reasons(health_check)[0]}",
        )
        self.alarms: tuple[AlarmSpec, ...] = worker_alarms(
            component,
            cluster=cluster.cluster_name,
            service=self.service.service_name,
            capacity=capacity,
            starting_seconds=health_check.healthy_seconds,
            acts_if=switch.condition_id,
            after=target_id(self.scaling),
        )

    @property
    def task_role(self) -> iam.IRole:
        """The role that the application runs with; it may do nothing until you grant it something."""
        return self.task.definition.task_role

    @property
    def connections(self) -> ec2.Connections:
        """The rules of the tasks' security group, for ``allow_to``."""
        return self.service.connections


def _health_reasons(check: ContainerCheck) -> list[str]:
    return [
        f"ECS begins to replace a task that works no more after at most {check.unhealthy_seconds} s; a new one counts "
        f"at most {check.healthy_seconds} s after its start."
    ]
