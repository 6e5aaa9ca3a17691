"""Service Connect as plain CDK enables it, and as ours does, on any service of Fargate (T3, T2, W2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App, Aws, Duration, RemovalPolicy, Size, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from aws_cdk import aws_servicediscovery as servicediscovery

from benchmarks.jsii_calls import counted
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.fargate_worker import FargateWorker
from constructs_lib.services.policy import FixedDigest, TaskSize
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.health_check import ContainerCheck
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.traffic.service_connect import ServiceConnect
from constructs_lib.services.traffic.service_connect_rendering import allow_call, call_namespace, connect_service
from constructs_lib.services.traffic.timeouts import TimeoutBudget
from tests.guardrails.support import said
from tests.services.conftest import CHECK, parts
from tests.support import DIGEST, FLAG_SETS, Template, of_type, only, references, refused, stack, synthesize

INNER = TimeoutBudget(upstream_seconds=5, longest_request_seconds=10)
ORDERS = ServiceConnect(name="orders", container_port=8080, timeouts=INNER)
SERVICE = "AWS::ECS::Service"
INGRESS = "AWS::EC2::SecurityGroupIngress"


@pytest.fixture(params=FLAG_SETS)
def scope(request: pytest.FixtureRequest) -> Stack:
    """A stack in an app with none of CDK's feature flags, and with all."""
    return stack(App(context=request.param))


def plain_services(scope: Stack, names: tuple[str, ...] = ("web", "orders")) -> list[ecs.FargateService]:
    """Services of plain CDK whose ports have names and a protocol."""
    cluster, _ = parts(scope)
    made = []
    for name in names:
        task = ecs.FargateTaskDefinition(scope, f"{name}Task", cpu=512, memory_limit_mib=1024)
        port = ecs.PortMapping(container_port=8080, name=name, app_protocol=ecs.AppProtocol.http)  # type: ignore[arg-type]  # CDK types it as a function
        image = ecs.ContainerImage.from_registry(f"busybox@{DIGEST}")
        task.add_container("app", image=image, port_mappings=[port])
        made.append(ecs.FargateService(scope, name, cluster=cluster, task_definition=task))
    return made


def connect_both(scope: Stack, web: ecs.FargateService, orders: ecs.FargateService) -> None:
    """Ours: web calls orders."""
    namespace = call_namespace(scope)
    connect_service(scope, "orders-proxy", service=orders, size=TaskSize(), namespace=namespace, offers=ORDERS)
    connect_service(scope, "web-proxy", service=web, size=TaskSize(), namespace=namespace)
    allow_call(web, orders, ORDERS)


def service_of(template: Template, name: str) -> tuple[str, dict[str, Any]]:
    """The id and properties of the service whose id begins so."""
    return next((key, made) for key, made in of_type(template, SERVICE).items() if key.startswith(name))


def test_before_plain_cdk_sets_no_time_out_and_logs_that_may_block(scope: Stack) -> None:
    """A silent connection stays for 5 minutes, longer than applications keep theirs; and a full log waits (T3, W2)."""
    cluster, _ = parts(scope)
    cluster.add_default_cloud_map_namespace(name="shop", use_for_service_connect=True)
    task = ecs.FargateTaskDefinition(scope, "Task", cpu=256)
    port = ecs.PortMapping(container_port=8080, name="orders", app_protocol=ecs.AppProtocol.http)  # type: ignore[arg-type]  # CDK types it as a function
    task.add_container("app", image=ecs.ContainerImage.from_registry("orders"), port_mappings=[port])
    service = ecs.FargateService(scope, "orders", cluster=cluster, task_definition=task)
    service.enable_service_connect(
        services=[ecs.ServiceConnectService(port_mapping_name="orders")],
        log_driver=ecs.LogDrivers.aws_logs(stream_prefix="proxy"),
    )
    template = synthesize(scope)
    configuration = only(template, SERVICE)["ServiceConnectConfiguration"]
    (offered,) = configuration["Services"]
    assert "Timeout" not in offered
    assert "IngressPortOverride" not in offered
    assert {"mode", "max-buffer-size"}.isdisjoint(configuration["LogConfiguration"]["Options"])
    assert TimeoutBudget().keep_alive_seconds < 300  # AWS's idle time-out of HTTP
    connect = "Properties/ServiceConnectConfiguration"
    paths = [path for _, _, path in said(json.dumps(template)) if path.startswith(connect)]
    for part in ("Services/0/Timeout", "LogConfiguration/Options"):
        assert any(path.startswith(f"{connect}/{part}") for path in paths), part


def test_before_a_request_without_a_time_out_is_a_finding_of_ours() -> None:
    """Plain CDK takes a time-out of none; rule T3b says so (T3)."""
    template = (
        "Resources: {Service: {Type: 'AWS::ECS::Service', Properties: {ServiceConnectConfiguration: {Enabled: true, "
        "Services: [{PortName: orders, Timeout: {PerRequestTimeoutSeconds: 0}}]}}}}"
    )
    assert [one[:2] for one in said(template, "MOOR-T3b")] == [("fail", "Service")]


def test_after_a_called_service_has_time_outs_and_a_port_for_its_proxy(scope: Stack) -> None:
    """Its own budget's, in seconds; the proxy listens beside the application (T3)."""
    connect_both(scope, *plain_services(scope))
    template = synthesize(scope)
    _, made = service_of(template, "orders")
    (offered,) = made["ServiceConnectConfiguration"]["Services"]
    assert offered == {
        "PortName": "orders",
        "DiscoveryName": "orders",
        "ClientAliases": [{"DnsName": "orders", "Port": 80}],
        "IngressPortOverride": 10000,
        "Timeout": {"IdleTimeoutSeconds": 60, "PerRequestTimeoutSeconds": 10},
    }
    assert "Services" not in service_of(template, "web")[1]["ServiceConnectConfiguration"]


def test_after_the_proxies_logs_block_nobody_and_are_kept_for_90_days(scope: Stack) -> None:
    """Each has a log group of its own, which the role that starts the task may write to (W2)."""
    connect_both(scope, *plain_services(scope))
    template = synthesize(scope)
    groups = of_type(template, "AWS::Logs::LogGroup")
    written = set()
    for name in ("web", "orders"):
        configuration = service_of(template, name)[1]["ServiceConnectConfiguration"]
        assert configuration["Enabled"] is True
        assert configuration["LogConfiguration"]["LogDriver"] == "awslogs"
        options = configuration["LogConfiguration"]["Options"]
        assert (options["mode"], options["max-buffer-size"]) == ("non-blocking", "26214400b")
        assert groups[options["awslogs-group"]["Ref"]]["RetentionInDays"] == 90
        written.add(options["awslogs-group"]["Ref"])
    assert len(written) == 2
    may_write = {
        reference
        for policy in of_type(template, "AWS::IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if "logs:PutLogEvents" in statement["Action"]
        for reference in references(statement["Resource"])
    }
    assert written <= may_write


def test_after_the_buffer_and_retention_of_the_proxys_logs_are_chosen(scope: Stack) -> None:
    """As those of the containers (W2)."""
    web, _ = plain_services(scope)
    delivery = LogDelivery(buffer_mib=40, retention_days=30)
    connect_service(scope, "p", service=web, size=TaskSize(), namespace=call_namespace(scope), log_delivery=delivery)
    template = synthesize(scope)
    options = service_of(template, "web")[1]["ServiceConnectConfiguration"]["LogConfiguration"]["Options"]
    assert options["max-buffer-size"] == "41943040b"
    assert only(template, "AWS::Logs::LogGroup")["RetentionInDays"] == 30


def test_after_exactly_the_caller_may_connect_to_the_proxys_port(scope: Stack) -> None:
    """Not to the application's, and not the other way round; the third service may do nothing (T3)."""
    web, orders, _ = plain_services(scope, ("web", "orders", "other"))
    connect_both(scope, web, orders)
    rule = only(synthesize(scope), INGRESS)
    assert (rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) == (10000, 10000, "tcp")
    assert {key[:6] for key in references(rule["GroupId"])} == {"orders"}
    assert {key[:3] for key in references(rule["SourceSecurityGroupId"])} == {"web"}


def test_after_the_called_service_is_deployed_first(scope: Stack) -> None:
    """A task finds only endpoints that were there when its deployment began (T3)."""
    connect_both(scope, *plain_services(scope))
    template = synthesize(scope)
    (web, _), (orders, _) = service_of(template, "web"), service_of(template, "orders")
    assert orders in template["Resources"][web]["DependsOn"]
    assert web not in template["Resources"][orders].get("DependsOn", [])


def test_after_the_namespace_is_the_stacks_own(scope: Stack) -> None:
    """Its name is the stack's; services know its ARN, composed of its id, so that a release reads nothing (Q5)."""
    connect_both(scope, *plain_services(scope))
    template = synthesize(scope)
    assert only(template, "AWS::ServiceDiscovery::HttpNamespace")["Name"] == {"Ref": "AWS::StackName"}
    (namespace,) = of_type(template, "AWS::ServiceDiscovery::HttpNamespace")
    for name in ("web", "orders"):
        given = service_of(template, name)[1]["ServiceConnectConfiguration"]["Namespace"]
        *start, last = given["Fn::Join"][1]
        assert start[0].startswith("arn:")
        assert start[-1].endswith(":namespace/")
        assert last == {"Ref": namespace}
        assert "Fn::GetAtt" not in str(given)


def test_a_task_that_is_too_small_for_a_proxy_is_refused() -> None:
    """Before anything is made (T2)."""
    scope = stack()
    web, _ = plain_services(scope)
    small = TaskSize(cpu=256, memory_mib=512)
    refused(
        lambda: connect_service(scope, "p", service=web, size=small, namespace="arn"), "cpu", 256, "at least 512 with"
    )
    assert scope.node.try_find_child("pLogs") is None


def our_services(scope: Stack) -> tuple[FargateWebService, FargateWorker]:
    """Ours: a worker calls a web service."""
    cluster, repository = parts(scope)
    orders = FargateWebService(
        scope,
        "orders",
        cluster=cluster,
        repository=repository,
        image=FixedDigest(DIGEST),
        health_check=CHECK,
        timeouts=INNER,
        settings=ContainerSettings(offers=ORDERS),
    )
    worker = FargateWorker(
        scope,
        "mailer",
        cluster=cluster,
        repository=repository,
        image=FixedDigest(DIGEST),
        health_check=ContainerCheck.of("true"),
        settings=ContainerSettings(environment=ORDERS.environment()),
    )
    return orders, worker


def test_ours_name_their_port_and_the_load_balancer_goes_past_the_proxy(scope: Stack) -> None:
    """The balancer still has the application's port, the caller the proxy's, and nobody else has any (T3)."""
    orders, worker = our_services(scope)
    namespace = call_namespace(scope)
    for one, offers in ((orders, ORDERS), (worker, None)):
        connect_service(one, "Proxy", service=one.service, size=one.task.size, namespace=namespace, offers=offers)
    allow_call(worker.service, orders.service, ORDERS)
    template = synthesize(scope)
    tasks = of_type(template, "AWS::ECS::TaskDefinition")
    (called,) = (made for key, made in tasks.items() if key.startswith("orders"))
    assert called["ContainerDefinitions"][0]["PortMappings"] == [
        {"AppProtocol": "http", "ContainerPort": 8080, "Name": "orders", "Protocol": "tcp"}
    ]
    admitted = {
        (rule["FromPort"], key[:12])
        for rule in of_type(template, INGRESS).values()
        if any(key.startswith("ordersService") for key in references(rule["GroupId"]))
        for key in references(rule["SourceSecurityGroupId"])
    }
    assert admitted == {(8080, "ordersLoadBa"), (10000, "mailerServic")}
    assert [path for _, _, path in said(json.dumps(template)) if "ServiceConnect" in path] == []


def test_a_port_that_is_not_the_health_checks_is_refused() -> None:
    """Others call what the check asks; and a worker, where nothing listens, offers nothing (T3)."""
    cluster, repository = parts(scope := stack())
    wrong = ContainerSettings(offers=ServiceConnect(name="orders", container_port=9090))

    def web() -> FargateWebService:
        return FargateWebService(
            scope,
            "Web",
            cluster=cluster,
            repository=repository,
            image=FixedDigest(DIGEST),
            health_check=CHECK,
            settings=wrong,
        )

    def worker() -> FargateWorker:
        return FargateWorker(
            scope,
            "Mailer",
            cluster=cluster,
            repository=repository,
            image=FixedDigest(DIGEST),
            health_check=ContainerCheck.of("true"),
            settings=wrong,
        )

    refused(web, "container_port of offers", 9090, "the port of the application's health check (8080)")
    refused(worker, "container_port of offers", 9090, "left out where nothing listens")


def test_ours_asks_node_no_more_than_plain_cdk_making_the_same() -> None:
    """Two services, one call: namespace, log groups, time-outs, rule and order (benchmarks/jsii_calls.py)."""
    scope = stack()
    web, orders = plain_services(scope)
    with counted() as ours:
        connect_both(scope, web, orders)
    scope = stack()
    web, orders = plain_services(scope)
    with counted() as plain:
        namespace = servicediscovery.HttpNamespace(scope, "Calls", name=Aws.STACK_NAME).namespace_arn
        offered = ecs.ServiceConnectService(
            port_mapping_name="orders",
            ingress_port_override=10_000,
            idle_timeout=Duration.seconds(60),
            per_request_timeout=Duration.seconds(10),
        )
        for name, one, offers in (("orders", orders, [offered]), ("web", web, None)):
            group = logs.LogGroup(
                scope, name + "Logs", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=RemovalPolicy.RETAIN
            )
            driver = ecs.LogDrivers.aws_logs(
                stream_prefix="proxy",
                log_group=group,
                mode=ecs.AwsLogDriverMode.NON_BLOCKING,
                max_buffer_size=Size.mebibytes(25),
            )
            one.enable_service_connect(namespace=namespace, services=offers, log_driver=driver)
        orders.connections.allow_from(web, ec2.Port.tcp(10_000))
        caller, callee = web.node.default_child, orders.node.default_child
        assert isinstance(caller, ecs.CfnService)
        assert isinstance(callee, ecs.CfnService)
        caller.add_resource_dependency(callee)
    assert ours.total() <= plain.total() + 1  # the ARN is composed, in one call, so that no release reads it
