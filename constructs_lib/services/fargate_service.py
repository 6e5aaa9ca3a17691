"""A web service on Fargate that neither stalls nor loses its image (lessons W2, W3, T3, T4, Q3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from aws_cdk import Aws, Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.architecture import Architecture
from constructs_lib.checks import invalid
from constructs_lib.checks import name as check_name
from constructs_lib.services.acknowledged import acknowledge_waits
from constructs_lib.services.alarms import web_service_alarms
from constructs_lib.services.capacity import Capacity
from constructs_lib.services.containers import add_container, volume_name
from constructs_lib.services.deployment import deployment_alarms
from constructs_lib.services.health_check import HealthCheck
from constructs_lib.services.health_rendering import render
from constructs_lib.services.ingress import OwnLoadBalancer, SharedListener, connect, target_group
from constructs_lib.services.log_delivery import LogDelivery
from constructs_lib.services.policy import (
    FixedDigest,
    ReleasedDigest,
    TaskSize,
    WritablePath,
    check_volumes,
    command_words,
    pinned_image,
)
from constructs_lib.services.release_switch import ReleaseSwitch
from constructs_lib.services.timeouts import TimeoutBudget

_DEFAULT_SIZE = TaskSize()
_DEFAULT_CAPACITY = Capacity()
_DEFAULT_TIMEOUTS = TimeoutBudget()
_DEFAULT_LOG_DELIVERY = LogDelivery()
_DEFAULT_INGRESS = OwnLoadBalancer()
_ONE_ZONE = "the loss of one zone must not end the service (lesson T4)"


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
        environment: plain settings. A secret does not belong here.
        secrets: settings that ECS reads from Secrets Manager or Parameter Store when a task starts.
        writable_paths: directories that the application may write to; none by default.

    Attributes:
        service: the ECS service.
        target_group: its target group.
        load_balancer: the load balancer that was made or given.
        container: the application's container.
        environment: the plain settings it was given.
        secrets: the secret settings it was given.
        alarms: what to watch, for :class:`constructs_lib.observability.alarms.Alarms`.

    Raises:
        ValueError: private subnets in fewer than two availability zones, a log buffer too large for the task, two
            writable paths with one name, or a load balancer of its own in a stack whose region is not known.
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
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, ecs.Secret] | None = None,
        writable_paths: Sequence[WritablePath] = (),
    ) -> None:
        if not isinstance(image, FixedDigest | ReleasedDigest):
            raise invalid("image", image, "a FixedDigest or a ReleasedDigest", "a tag can move (lesson Q3)")
        check_volumes(tuple(writable_paths))
        component = _component(id)
        log_delivery.check_memory(1, size.memory_mib)
        vpc = cluster.vpc
        subnets = _private_subnets(vpc)
        super().__init__(scope, id)
        self._size, self._stop_seconds, self._log_delivery = size, timeouts.stop_seconds, log_delivery
        self._containers = [component]
        self.environment: Mapping[str, str] = dict(environment or {})
        self.secrets: Mapping[str, ecs.Secret] = dict(secrets or {})

        switch = ReleaseSwitch(self, image)
        container_check, target_check = render(health_check)
        self._task = ecs.FargateTaskDefinition(
            self,
            "Task",
            # CDK's own family comes from construct ids alone, so two applications in one account would share one.
            family=f"{Aws.STACK_NAME}-{component}",
            cpu=size.cpu,
            memory_limit_mib=size.memory_mib,
            runtime_platform=_platform(size.architecture),
            volumes=[ecs.Volume(name=volume_name(component, path)) for path in writable_paths],
        )
        execution_role = self._task.obtain_execution_role()
        repository.grant_pull(execution_role)
        self.container = add_container(
            self,
            self._task,
            component,
            image=ecs.ContainerImage.from_registry(f"{repository.repository_uri}@{switch.digest}"),
            log_delivery=log_delivery,
            writable_paths=writable_paths,
            stop_seconds=timeouts.stop_seconds,
            environment=environment,
            secrets=secrets,
            health_check=container_check,
            port=health_check.port,
        )
        self.target_group = target_group(
            self, vpc=vpc, port=health_check.port, check=target_check, drain_seconds=timeouts.drain_seconds
        )
        used = connect(
            self,
            ingress,
            self.target_group,
            vpc=vpc,
            idle_seconds=timeouts.idle_seconds,
            log_prefix=component,
        )
        acknowledge_waits(timeouts, used, target_group=self.target_group, task=self._task)
        self.load_balancer: elbv2.IApplicationLoadBalancer = used.load_balancer
        target_group_name = self.target_group.target_group_full_name
        self.service = ecs.FargateService(
            self,
            "Service",
            cluster=cluster,
            task_definition=self._task,
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
        self.service.node.add_dependency(execution_role)
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
            start_seconds=health_check.start_seconds,
            acts_if=switch.condition_id,
        )

    @property
    def task_role(self) -> iam.IRole:
        """The role that the application runs with; it may do nothing until you grant it something."""
        return self._task.task_role

    @property
    def connections(self) -> ec2.Connections:
        """The rules of the tasks' security group, for ``allow_to`` and ``allow_from``."""
        return self.service.connections

    def add_sidecar(
        self,
        name: str,
        *,
        image: str,
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, ecs.Secret] | None = None,
        writable_paths: Sequence[WritablePath] = (),
        essential: bool = False,
        health_command: Sequence[str] | None = None,
    ) -> ecs.ContainerDefinition:
        """Adds a container beside the application, with the same logs, root file system and stop time.

        Args:
            name: the container's name: lower-case words joined by hyphens.
            image: by digest, such as ``public.ecr.aws/docker/library/busybox@sha256:…``. For a private repository,
                grant the pull: ``repository.grant_pull(service.service.task_definition.execution_role)``.
            command: what it runs; the image's own command by default.
            environment: plain settings.
            secrets: settings that ECS reads when a task starts.
            writable_paths: directories that it may write to; none by default.
            essential: whether the task ends with it; ``False`` by default.
            health_command: a program of the image and its arguments, 0 when healthy; required when essential.

        Raises:
            ValueError: a name that is taken, an image without a digest, log buffers too large for the task, or an
                essential sidecar without a health command (lesson T4).
        """
        check_name("name", name)
        pinned_image("image", image)
        check_volumes(tuple(writable_paths))
        if name in self._containers:
            raise invalid("name", name, f"none of {', '.join(self._containers)}", "containers need different names")
        self._log_delivery.check_memory(len(self._containers) + 1, self._size.memory_mib)
        if essential and not health_command:
            raise invalid(
                "health_command",
                health_command,
                "given for an essential sidecar",
                "a sidecar that hangs unseen takes the task with it (lesson T4); or leave essential=False",
            )
        words = None if command is None else command_words("command", command)
        health = ["CMD", *command_words("health_command", health_command)] if health_command else None
        self._containers.append(name)
        for path in writable_paths:
            self._task.add_volume(name=volume_name(name, path))
        return add_container(
            self,
            self._task,
            name,
            image=ecs.ContainerImage.from_registry(image),
            log_delivery=self._log_delivery,
            writable_paths=writable_paths,
            stop_seconds=self._stop_seconds,
            essential=essential,
            environment=environment,
            secrets=secrets,
            health_check=ecs.HealthCheck(command=health) if health else None,
            command=words,
        )


def _component(id: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*", id):
        raise invalid("id", id, "letters, digits and single hyphens", "it names the component; pass such as 'Web'")
    return check_name("id", "-".join(re.findall(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])", id)).lower())


def _private_subnets(vpc: ec2.IVpc) -> ec2.SubnetSelection:
    subnets = vpc.private_subnets or vpc.isolated_subnets
    zones = set(vpc.availability_zones)
    if not subnets:
        raise invalid("cluster.vpc", "no private subnet", "a VPC with private subnets", "tasks get no public address")
    if len(zones) < 2 and not any(zone.startswith("#{Token[") for zone in zones):  # a list that is not known yet
        raise invalid("cluster.vpc", sorted(zones), "in at least two availability zones", _ONE_ZONE)
    return ec2.SubnetSelection(subnets=subnets)


def _platform(architecture: Architecture) -> ecs.RuntimePlatform:
    arm = architecture == "arm64"
    return ecs.RuntimePlatform(
        cpu_architecture=ecs.CpuArchitecture.ARM64 if arm else ecs.CpuArchitecture.X86_64,
        operating_system_family=ecs.OperatingSystemFamily.LINUX,
    )
