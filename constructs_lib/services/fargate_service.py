"""A web service on Fargate that neither stalls nor loses its image (lessons W2, W3, T3, T4, Q3)."""

from __future__ import annotations

from functools import partial
from typing import Final

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.services.acknowledged import acknowledge_waits
from constructs_lib.services.alarms import web_service_alarms
from constructs_lib.services.deployments.deployment import apply_deployment, deployment_alarms
from constructs_lib.services.deployments.deployment_policy import DeploymentPolicy, refuse_with_request_scaling
from constructs_lib.services.deployments.ecs_service import ecs_service
from constructs_lib.services.deployments.release_switch import ReleaseSwitch
from constructs_lib.services.deployments.traffic_shift import shift_traffic
from constructs_lib.services.explanation import explain
from constructs_lib.services.placement import component_name, private_subnets
from constructs_lib.services.policy import FixedDigest, ReleasedDigest, TaskSize, check_image
from constructs_lib.services.ports.peak_budget import checked
from constructs_lib.services.ports.port_warning import warn_of_ports
from constructs_lib.services.reasons import port_reasons, reasons, rotation
from constructs_lib.services.scaling.capacity import Capacity
from constructs_lib.services.scaling.scaling import check_zones, scale, target_id
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.execute_command import ExecuteCommand
from constructs_lib.services.task.execute_command_access import enable_sessions
from constructs_lib.services.task.fargate_task import FargateTask
from constructs_lib.services.task.health_check import HealthCheck
from constructs_lib.services.task.health_rendering import container_check, target_check
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.traffic.balanced import Balanced
from constructs_lib.services.traffic.ingress import OwnLoadBalancer, SharedListener, connect, target_group
from constructs_lib.services.traffic.timeouts import TimeoutBudget

_DEFAULT_SIZE = TaskSize()
_DEFAULT_CAPACITY = Capacity()
_DEFAULT_TIMEOUTS = TimeoutBudget()
_DEFAULT_LOG_DELIVERY = LogDelivery()
_DEFAULT_INGRESS = OwnLoadBalancer()
_DEFAULT_SETTINGS = ContainerSettings()
_DEFAULT_DEPLOYMENT = DeploymentPolicy()
_LONGEST_ALARM_SECONDS: Final = 1439 * 60  # CloudWatch looks at a day at most


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
        deployment: how a release takes over, and when it goes back; rolling by default. The other strategies add a
            second target group, a listener rule and a role that ECS uses, and run twice the tasks while they deploy.
        execute_command: a shell in running tasks by ECS Exec; ``None``, the default: none.

    Attributes:
        service: the ECS service.
        target_group: its target group.
        alternate_target_group: the second one that deployments shift requests to and from, if any.
        traffic_role: the role by which ECS does so, if any; a release passes it.
        load_balancer: the load balancer that was made or given.
        load_balancer_full_name: its name in CloudWatch's metrics, ``app/…/…``.
        target_group_full_names: those of the one or two target groups, ``targetgroup/…/…``.
        listener: its listener that passes requests on to the tasks.
        task: the task definition with its containers; ``task.add_sidecar`` puts another one beside the application.
        scaling: the scalable target, for ``scaling.scale_on_metric`` and the like.
        release: the digest and whether there is one, for a ``FargateScheduledTask`` with the same image.
        alarms: what to watch, for :class:`constructs_lib.observability.alarms.Alarms`.

    Raises:
        ValueError: private subnets in fewer than two availability zones, a log buffer too large for the task, a load
            balancer of its own in a stack whose region is not known, a port that connections may be opened from, or
            connections at the peak that run out of ports (lesson W1).
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
        deployment: DeploymentPolicy = _DEFAULT_DEPLOYMENT,
        execute_command: ExecuteCommand | None = None,
    ) -> None:
        check_image(image)
        if capacity.target_requests_per_minute is not None:
            refuse_with_request_scaling(deployment)
        component = component_name(id)
        log_delivery.check_memory(1, size.memory_mib)
        vpc = cluster.vpc
        zones = vpc.availability_zones
        subnets = private_subnets(vpc, zones)
        if capacity.peak is not None:
            check_zones(capacity.peak, zones)
        budget, short = checked(capacity.peak, timeouts, settings.kernel, health_check.port)
        super().__init__(scope, id)

        self.release = switch = ReleaseSwitch(self, image)
        self.task = FargateTask(
            self,
            component,
            repository=repository,
            digest=switch.digest,
            size=size,
            settings=settings.with_environment(timeouts.environment()),
            log_delivery=log_delivery,
            stop_seconds=timeouts.stop_seconds,
            health_check=container_check(health_check.container),
            port=health_check.port,
            execute_command=execute_command,
        )
        group = partial(
            target_group,
            self,
            vpc=vpc,
            port=health_check.port,
            check=target_check(health_check),
            drain_seconds=timeouts.drain_seconds,
        )
        self.target_group = group()
        self.alternate_target_group = group("AlternateTargets") if deployment.shifts_traffic else None
        used = connect(
            self,
            ingress,
            self.target_group,
            vpc=vpc,
            idle_seconds=timeouts.idle_seconds,
            log_prefix=component,
            alternate=self.alternate_target_group,
        )
        groups = [self.target_group, *([self.alternate_target_group] if self.alternate_target_group else [])]
        acknowledge_waits(timeouts, used, target_groups=groups, task=self.task.definition)
        self.load_balancer: elbv2.IApplicationLoadBalancer = used.load_balancer
        self.load_balancer_full_name = used.full_name
        self.listener: elbv2.IApplicationListener = used.listener
        shared = isinstance(ingress, SharedListener)
        self.target_group_full_names = tuple(one.target_group_full_name for one in groups)
        self.service = ecs_service(
            self,
            cluster=cluster,
            task=self.task,
            switch=switch,
            subnets=subnets,
            deployment=deployment,
            alarms=deployment_alarms(
                self,
                load_balancer=used.full_name,
                target_groups=self.target_group_full_names,
                shared=shared,
            ),
            grace_seconds=health_check.grace_period_seconds,
        )
        resource = apply_deployment(self.service, deployment, min_tasks=capacity.lowest_min_tasks)
        self.traffic_role: iam.IRole | None = None
        if self.alternate_target_group is None or used.rule is None:
            self.target_group.add_target(self.service)
        else:
            self.traffic_role = shift_traffic(
                self,
                self.service,
                container=component,
                target_group=self.target_group,
                alternate=self.alternate_target_group,
                rule=used.rule,
            )
        if execute_command is not None:
            enable_sessions(self.service, cluster)
        self.scaling = scale(self.service, capacity, target_group=self.target_group, switch=switch, zones=zones)
        why = reasons(capacity, timeouts, health_check, log_delivery)
        why["ports"] = port_reasons(settings.kernel, (health_check.port,), budget)
        if short is not None:
            warn_of_ports(self, short)
        explain(self, resource, why, rotation(component, health_check))
        side_by_side = health_check.in_rotation_seconds + timeouts.drain_seconds + timeouts.stop_seconds
        self.alarms: tuple[AlarmSpec, ...] = web_service_alarms(
            component,
            cluster=cluster.cluster_name,
            service=self.service.service_name,
            balanced=Balanced(load_balancer=used.full_name, target_groups=self.target_group_full_names, shared=shared),
            zones=zones,
            capacity=capacity,
            check=health_check,
            timeouts=timeouts,
            deployment_seconds=min(side_by_side + 60 * deployment.minutes, _LONGEST_ALARM_SECONDS),
            acts_if=switch.condition_id,
            after=target_id(self.scaling),
        )

    @property
    def task_role(self) -> iam.IRole:
        """The role that the application runs with; it may do nothing until you grant it something."""
        return self.task.definition.task_role

    @property
    def connections(self) -> ec2.Connections:
        """The rules of the tasks' security group, for ``allow_to`` and ``allow_from``."""
        return self.service.connections
