"""A web service on Fargate that neither stalls nor loses its image (lessons W2, W3, T3, T4, Q3)."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.checks import invalid
from constructs_lib.services.acknowledged import acknowledge_waits
from constructs_lib.services.alarms import web_service_alarms
from constructs_lib.services.capacity import Capacity
from constructs_lib.services.container_settings import ContainerSettings
from constructs_lib.services.deployment import deployment_alarms
from constructs_lib.services.health_check import HealthCheck
from constructs_lib.services.health_rendering import container_check, target_check
from constructs_lib.services.ingress import OwnLoadBalancer, SharedListener, connect, target_group
from constructs_lib.services.log_delivery import LogDelivery
from constructs_lib.services.placement import component_name, private_subnets
from constructs_lib.services.policy import FixedDigest, ReleasedDigest, TaskSize
from constructs_lib.services.release_switch import ReleaseSwitch
from constructs_lib.services.task import FargateTask
from constructs_lib.services.timeouts import TimeoutBudget

_DEFAULT_SIZE = TaskSize()
_DEFAULT_CAPACITY = Capacity()
_DEFAULT_TIMEOUTS = TimeoutBudget()
_DEFAULT_LOG_DELIVERY = LogDelivery()
_DEFAULT_INGRESS = OwnLoadBalancer()
_DEFAULT_SETTINGS = ContainerSettings()


class FargateWebService(Construct):
    """A service behind an application load balancer, with the guardrails of lessons W2, W3, T3, T4 and Q3.

    The image is named by digest only. Tasks run in private subnets of at least two availability zones, with a read-only
    root file system, non-blocking logs, a container check and a target check. A deployment keeps all tasks until new
    ones are healthy, and goes back by itself when tasks do not start or when server errors appear.

    Args:
        id: also names the component in alarms, containers and logs; ``Web`` and ``web`` both give ``web``. It must be
            the only one of that name in its stack.
        cluster: the ECS cluster; its VPC has private subnets in at least two availability zones.
        repository: where the image is; the execution role may pull from it.
        image: a digest in code, or the parameter that holds it. With a parameter the service stands with zero tasks
            until the first release.
        health_check: required: nothing else knows when a task can serve.
        size: CPU, memory and architecture of a task.
        capacity: how many tasks.
        timeouts: the time-outs, as one ordered budget.
        log_delivery: buffer and retention of the logs.
        ingress: a load balancer of its own (internal, HTTP, by default), or a listener that exists.
        settings: what the application's container is told and may write to.

    Attributes:
        service: the ECS service.
        target_group: its target group.
        load_balancer: the load balancer that was made or given.
        task: the task definition with its containers; ``task.add_sidecar`` puts another one beside the application.
        alarms: what to watch, for :class:`constructs_lib.observability.alarms.Alarms`.

    Raises:
        ValueError: private subnets in fewer than two availability zones, a log buffer too large for the task, or
            a load balancer of its own in a stack whose region is not known.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster: ecs.ICluster,
        repository: ecr.IRepository,
        image: FixedDigest | ReleasedDigest,
        health_check: HealthCheck,
        size: TaskSize = _DEFAULT_SIZE,
        capacity: Capacity = _DEFAULT_CAPACITY,
        timeouts: TimeoutBudget = _DEFAULT_TIMEOUTS,
        log_delivery: LogDelivery = _DEFAULT_LOG_DELIVERY,
        ingress: OwnLoadBalancer | SharedListener = _DEFAULT_INGRESS,
        settings: ContainerSettings = _DEFAULT_SETTINGS,
    ) -> None:
        if not isinstance(image, FixedDigest | ReleasedDigest):
            raise invalid("image", image, "a FixedDigest or a ReleasedDigest", "a tag can move (lesson Q3)")
        component = component_name(id)
        log_delivery.check_memory(1, size.memory_mib)
        vpc = cluster.vpc
        subnets = private_subnets(vpc)
        super().__init__(scope, id)

        switch = ReleaseSwitch(self, image)
        self.task = FargateTask(
            self,
            component,
            repository=repository,
            digest=switch.digest,
            size=size,
            settings=settings,
            log_delivery=log_delivery,
            stop_seconds=timeouts.stop_seconds,
            health_check=container_check(health_check.container),
            port=health_check.port,
        )
        self.target_group = target_group(
            self,
            vpc=vpc,
            port=health_check.port,
            check=target_check(health_check),
            drain_seconds=timeouts.drain_seconds,
        )
        used = connect(
            self,
            ingress,
            self.target_group,
            vpc=vpc,
            idle_seconds=timeouts.idle_seconds,
            log_prefix=component,
        )
        acknowledge_waits(timeouts, used, target_group=self.target_group, task=self.task.definition)
        self.load_balancer: elbv2.IApplicationLoadBalancer = used.load_balancer
        target_group_name = self.target_group.target_group_full_name
        self.service = ecs.FargateService(
            self,
            "Service",
            cluster=cluster,
            task_definition=self.task.definition,
            desired_count=switch.desired_count(),
            assign_public_ip=False,
            vpc_subnets=subnets,
            min_healthy_percent=100,
            max_healthy_percent=200,
            availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.ENABLED,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            deployment_alarms=deployment_alarms(
                self,
                load_balancer=used.full_name,
                target_group=target_group_name,
                shared=isinstance(ingress, SharedListener),
            ),
            health_check_grace_period=Duration.seconds(health_check.grace_seconds),
            enable_ecs_managed_tags=True,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
        )
        # CDK waits for the task role only: without this a task could start before it may pull its image.
        self.service.node.add_dependency(self.task.execution_role)
        self.target_group.add_target(self.service)
        scaling = self.service.auto_scale_task_count(
            min_capacity=switch.capacity(capacity.min_tasks), max_capacity=switch.capacity(capacity.max_tasks)
        )
        scaling.scale_on_cpu_utilization("Cpu", target_utilization_percent=capacity.target_cpu_percent)
        self.alarms: tuple[AlarmSpec, ...] = web_service_alarms(
            component,
            cluster=cluster.cluster_name,
            service=self.service.service_name,
            load_balancer=used.full_name,
            target_group=target_group_name,
            min_tasks=capacity.min_tasks,
            target_cpu_percent=capacity.target_cpu_percent,
            start_seconds=health_check.container.start_seconds,
            acts_if=switch.condition_id,
        )

    @property
    def task_role(self) -> iam.IRole:
        """The role that the application runs with; it may do nothing until you grant it something."""
        return self.task.definition.task_role

    @property
    def connections(self) -> ec2.Connections:
        """The rules of the tasks' security group, for ``allow_to`` and ``allow_from``."""
        return self.service.connections
