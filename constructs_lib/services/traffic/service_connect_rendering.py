"""Service Connect on any ``ecs.FargateService``: with time-outs, and logs that block nobody (lessons T3, T2, W2)."""

from __future__ import annotations

from aws_cdk import Aws, Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_servicediscovery as servicediscovery
from constructs import Construct

from constructs_lib.places import arns_of
from constructs_lib.services.policy import TaskSize
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.task.log_rendering import log_driver, retained_log_group
from constructs_lib.services.traffic.service_connect import ServiceConnect, check_proxy

_DEFAULT_LOG_DELIVERY = LogDelivery()


def call_namespace(scope: Construct, id: str = "Calls") -> str:
    """Makes a namespace for the services of one stack, and gives its ARN, for :func:`connect_service`.

    Names in it are nobody else's: it is called as the stack. The ARN is composed, because a reference to it would let
    CloudFormation read the namespace in each release.
    """
    namespace = servicediscovery.CfnHttpNamespace(
        scope, id, name=Aws.STACK_NAME, description="Services that call each other through Service Connect (lesson T3)"
    )
    return arns_of(scope).of("servicediscovery", f"namespace/{namespace.ref}")


def connect_service(
    scope: Construct,
    id: str,
    *,
    service: ecs.FargateService,
    size: TaskSize,
    namespace: str,
    offers: ServiceConnect | None = None,
    log_delivery: LogDelivery = _DEFAULT_LOG_DELIVERY,
) -> None:
    """Puts a service into a namespace, so that it may call; with ``offers``, so that it may also be called.

    ECS puts a proxy into each of its tasks. What the proxy logs is never waited for, and is kept in a log group of its
    own. The name and protocol of the application's port are in the task definition: ``ContainerSettings(offers=…)``, or
    in plain CDK ``ecs.PortMapping(container_port=…, name=offers.name, app_protocol=ecs.AppProtocol.http)``.

    Args:
        scope: where the log group is made; not the service, whose children wait for the role that may write to it.
        id: unique in the scope, for the log group.
        service: any service on Fargate.
        size: the size of its tasks.
        namespace: ARN of the namespace.
        offers: what others may call; ``None``, the default: nothing.
        log_delivery: buffer and retention of the proxy's logs.

    Raises:
        ValueError: a task without room for a proxy.
    """
    check_proxy(size, log_delivery)
    group = retained_log_group(scope, id, log_delivery)
    service.enable_service_connect(
        namespace=namespace,
        log_driver=log_driver("service-connect", group, log_delivery),
        services=None if offers is None else [_offered(offers)],
    )


def allow_call(caller: ecs.FargateService, callee: ecs.FargateService, offers: ServiceConnect) -> None:
    """Lets one service's tasks connect to the proxies of another's, and has the called one deployed first.

    A task finds only what was there when its service's last deployment began
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts-deploy.html).

    Args:
        caller: the service that calls.
        callee: the service that is called.
        offers: what it offers.
    """
    callee.connections.allow_from(caller, ec2.Port.tcp(offers.ingress_port), f"Calls of {offers.name}")
    # The services alone: the rule stands below the called one, and waits for the caller's security group.
    _resource(caller).add_resource_dependency(_resource(callee))


def _offered(offers: ServiceConnect) -> ecs.ServiceConnectService:
    return ecs.ServiceConnectService(
        port_mapping_name=offers.name,
        discovery_name=offers.name,
        dns_name=offers.name,
        port=offers.call_port,
        ingress_port_override=offers.ingress_port,
        idle_timeout=Duration.seconds(offers.idle_seconds),
        per_request_timeout=Duration.seconds(offers.request_seconds),
    )


def _resource(service: ecs.FargateService) -> ecs.CfnService:
    made = service.node.default_child
    assert isinstance(made, ecs.CfnService)
    return made
