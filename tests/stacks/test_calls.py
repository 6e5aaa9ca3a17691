"""Services of one environment that call each other: exactly those pairs, in the order of their time-outs (T2, T3)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.delivery.policy import GitHubSource
from constructs_lib.services.policy import TaskSize
from constructs_lib.services.schedules.one_off import OneOffTask
from constructs_lib.services.schedules.schedule import Schedule
from constructs_lib.services.sockets.socket_metrics import SocketMetrics
from constructs_lib.services.task.health_check import ContainerCheck, HealthCheck
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.traffic.timeouts import TimeoutBudget
from stacks.application import application
from stacks.calls import connected, offer_of
from stacks.config import EnvironmentConfig, ServiceConfig, ServiceSize
from stacks.environments import ENVIRONMENTS
from stacks.resources import resources
from stacks.scheduled import ScheduledTaskConfig
from stacks.service_config import ServiceConfiguration
from tests.stacks.test_gate import printed_by
from tests.support import DIGEST, Template, listed, of_type, references, refused

STAGING = ENVIRONMENTS[0]
WEB = STAGING.services[0]
INNER = TimeoutBudget(upstream_seconds=5, longest_request_seconds=10)
ORDERS = replace(WEB, name="orders", subdomain="orders", timeouts=INNER)
STOCK = replace(
    WEB, name="stock", subdomain="stock", timeouts=TimeoutBudget(upstream_seconds=2, longest_request_seconds=4)
)
OTHER = replace(WEB, name="other", subdomain="other")
MAILER = ServiceConfig(name="mailer", health_check=ContainerCheck.of("true"))
CONFIGURATION = ServiceConfiguration(
    schema='{"type": "object"}',
    content="{}",
    agent_image=f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/agent@{DIGEST}",
)
NIGHTLY = ScheduledTaskConfig(name="nightly", schedule=Schedule.cron("0 3 * * ? *"), command=("report",))
SERVICE = "AWS::ECS::Service"
INGRESS = "AWS::EC2::SecurityGroupIngress"


def environment(*services: ServiceConfig, **changes: Any) -> EnvironmentConfig:
    """Staging with these services."""
    return replace(STAGING, services=services, **changes)


def calling() -> tuple[EnvironmentConfig, ...]:
    """Web calls orders, orders calls stock, a worker calls orders, and one service has nothing to do with it."""
    return (
        environment(
            replace(
                WEB, calls=("orders",), scheduled_tasks=(NIGHTLY,), before_release=OneOffTask(command=("migrate",))
            ),
            replace(ORDERS, calls=("stock",)),
            replace(STOCK, log_delivery=LogDelivery(buffer_mib=40, retention_days=30)),
            replace(MAILER, calls=("orders",)),
            OTHER,
        ),
    )


def silent() -> tuple[EnvironmentConfig, ...]:
    """The same services, of which none calls another."""
    (config,) = calling()
    return (replace(config, services=tuple(replace(service, calls=()) for service in config.services)),)


def template_of(make: Callable[[], tuple[EnvironmentConfig, ...]], folder: Path) -> Template:
    """The services' stack."""
    application(make(), checked=False, outdir=str(folder)).synth()
    (path,) = folder.rglob("*services*.template.json")
    found: Template = json.loads(path.read_text())
    return found


@pytest.fixture(scope="module")
def with_calls(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Services that call each other."""
    return template_of(calling, tmp_path_factory.mktemp("calling"))


@pytest.fixture(scope="module")
def without_calls(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The same without calls."""
    return template_of(silent, tmp_path_factory.mktemp("silent"))


def test_nothing_of_it_is_a_finding(tmp_path: Path) -> None:
    """Our rules, CDK's validation, AwsSolutions, cfn-lint and the check of IAM statements, warnings included."""
    assert printed_by(tmp_path, "tests.stacks.test_calls", "calling", str(tmp_path / "out")) == ""


def test_exactly_these_pairs_may_connect(with_calls: Template) -> None:
    """Each caller to the proxies' port of what it calls; and each balancer to its own application (T3)."""
    found = set()
    for rule in of_type(with_calls, INGRESS).values():
        (group,), (source,) = references(rule["GroupId"]), references(rule["SourceSecurityGroupId"])
        assert rule["FromPort"] == rule["ToPort"]
        found.add((source.split("SecurityGroup")[0], group.split("SecurityGroup")[0], rule["FromPort"]))
    assert found == {
        ("webService", "ordersService", 10000),
        ("ordersService", "stockService", 10000),
        ("mailerService", "ordersService", 10000),
        *((f"{name}LoadBalancer", f"{name}Service", 8080) for name in ("web", "orders", "stock", "other")),
    }


def test_each_called_service_has_its_own_time_outs(with_calls: Template) -> None:
    """Who only calls offers nothing; who is called ends calls after its own longest request (T3)."""
    found = {}
    for key, made in of_type(with_calls, SERVICE).items():
        connect = made.get("ServiceConnectConfiguration")
        offered = connect and [
            (one["DiscoveryName"], one["Timeout"]["PerRequestTimeoutSeconds"], one["Timeout"]["IdleTimeoutSeconds"])
            for one in connect.get("Services", [])
        ]
        found[key.split("Service")[0]] = offered
    assert found == {
        "web": [],
        "orders": [("orders", 10, 60)],
        "stock": [("stock", 4, 60)],
        "mailer": [],
        "other": None,
    }


def test_each_proxy_logs_as_its_service_does(with_calls: Template) -> None:
    """Stock has a larger buffer and keeps its lines for less long; the others have the defaults (W2)."""
    groups = of_type(with_calls, "AWS::Logs::LogGroup")
    found = {}
    for key, made in of_type(with_calls, SERVICE).items():
        if "ServiceConnectConfiguration" in made:
            options = made["ServiceConnectConfiguration"]["LogConfiguration"]["Options"]
            kept = groups[options["awslogs-group"]["Ref"]]["RetentionInDays"]
            found[key.split("Service")[0]] = (options["mode"], options["max-buffer-size"], kept)
    usual = ("non-blocking", "26214400b", 90)
    assert found == {"web": usual, "orders": usual, "mailer": usual, "stock": ("non-blocking", "41943040b", 30)}


def test_the_called_one_is_deployed_before_its_callers(with_calls: Template) -> None:
    """Stock, then orders, then the two that call it (T3)."""
    made = {key.split("Service")[0]: key for key in of_type(with_calls, SERVICE)}
    waits = {
        name: {other for other, its in made.items() if its in with_calls["Resources"][key].get("DependsOn", [])}
        for name, key in made.items()
    }
    assert waits == {"web": {"orders"}, "orders": {"stock"}, "mailer": {"orders"}, "stock": set(), "other": set()}


def test_a_caller_is_told_what_it_calls_and_tasks_without_a_proxy_are_not(with_calls: Template) -> None:
    """Scheduled tasks and the one before a release are no service's, and have no proxy (T3)."""
    told: dict[str, dict[str, str]] = {}
    for key, made in of_type(with_calls, "AWS::ECS::TaskDefinition").items():
        pairs = made["ContainerDefinitions"][0].get("Environment", [])
        given = {pair["Name"]: pair["Value"] for pair in pairs if pair["Name"].endswith(("_URL", "_CALL_SECONDS"))}
        if given:
            told[key.split("Task")[0]] = given
    orders = {"MOORINGS_ORDERS_URL": "http://orders", "MOORINGS_ORDERS_CALL_SECONDS": "10"}
    assert told == {
        "web": orders,
        "mailer": orders,
        "orders": {"MOORINGS_STOCK_URL": "http://stock", "MOORINGS_STOCK_CALL_SECONDS": "4"},
    }
    assert len(of_type(with_calls, "AWS::ECS::TaskDefinition")) == 7


def test_each_call_is_watched_between_its_two_ends(with_calls: Template) -> None:
    """A page and a notice for each; before the caller's first release they notify nobody (T2, W3)."""
    found = {}
    for made in of_type(with_calls, "AWS::CloudWatch::Alarm").values():
        if "/" not in made.get("AlarmName", ""):
            continue  # a deployment's own
        stats = [query["MetricStat"]["Metric"] for query in made.get("Metrics", []) if "MetricStat" in query] or [made]
        assert all(one["Dimensions"] == stats[0]["Dimensions"] for one in stats if "-answers-" in made["AlarmName"])
        dimensions = {one["Name"]: one["Value"] for one in stats[0]["Dimensions"]}
        if "TargetDiscoveryName" in dimensions:
            (service,) = references(dimensions["ServiceName"])
            assert {one["Namespace"] for one in stats} == {"AWS/ECS"}
            assert {key[:7] for key in references(dimensions["ClusterName"])} == {"Cluster"}
            acts = made["ActionsEnabled"]["Fn::If"]
            assert acts[1:] == [True, False]
            found[made["AlarmName"]] = (
                service.split("Service")[0],
                acts[0].split("Released")[0],
                dimensions["TargetDiscoveryName"],
                made["Threshold"]["Fn::If"][1],
            )
    assert found == {
        "shop/staging/web/orders-answers-errors": ("web", "web", "orders", 0.05),
        "shop/staging/web/orders-answers-slowly": ("web", "web", "orders", 5000),
        "shop/staging/orders/stock-answers-errors": ("orders", "orders", "stock", 0.05),
        "shop/staging/orders/stock-answers-slowly": ("orders", "orders", "stock", 2000),
        "shop/staging/mailer/orders-answers-errors": ("mailer", "mailer", "orders", 0.05),
        "shop/staging/mailer/orders-answers-slowly": ("mailer", "mailer", "orders", 5000),
    }


def test_a_service_without_calls_is_what_it_was(with_calls: Template, without_calls: Template) -> None:
    """Every resource of it, byte for byte; and without calls the stack has nothing of all this (T3)."""
    assert resources_of(with_calls, "other") == resources_of(without_calls, "other")
    # All but those whose ids begin with another name: its alarms, its parameter and the rules of the release role.
    assert len(resources_of(with_calls, "other")) == 19
    text = json.dumps(without_calls)
    for word in ("ServiceConnect", "servicediscovery", "ServiceDiscovery", "AppProtocol", "Proxy", "_CALL_SECONDS"):
        assert word not in text


def resources_of(template: Template, name: str) -> dict[str, Any]:
    """The resources whose ids begin with a service's name."""
    return {key: made for key, made in template["Resources"].items() if key.startswith(name)}


def test_a_release_needs_no_more_rights(with_calls: Template, without_calls: Template) -> None:
    """What a release changes is the task definition and, the first time, alarms: both may be changed already (Q5).

    Nothing of a namespace, a proxy's log group or a rule says whether there is a release.
    """

    def policies(template: Template) -> dict[str, set[str]]:
        return {
            key: {
                action
                for document in [
                    made.get("PolicyDocument"),
                    *(one["PolicyDocument"] for one in made.get("Policies", [])),
                ]
                if document
                for statement in document["Statement"]
                for action in listed(statement["Action"])
            }
            for kind in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Role")
            for key, made in of_type(template, kind).items()
            if key.startswith("ReleaseRole")
        }

    assert policies(with_calls) == policies(without_calls)
    assert len(policies(with_calls)) == 3
    added = {key: made for key, made in with_calls["Resources"].items() if key not in without_calls["Resources"]}
    switched = {made["Type"] for made in added.values() if "Fn::If" in json.dumps(made)}
    assert switched == {"AWS::CloudWatch::Alarm"}
    configurations = [made.get("ServiceConnectConfiguration") for made in of_type(with_calls, SERVICE).values()]
    assert "Fn::If" not in json.dumps(configurations)
    assert "Fn::GetAtt" not in json.dumps(configurations)


def test_the_resources_are_counted(with_calls: Template, without_calls: Template) -> None:
    """One namespace, four log groups, and three for each of three calls: 14 more (docs/lessons)."""
    for make, template in ((calling, with_calls), (silent, without_calls)):
        (config,) = make()
        zones = len(config.availability_zones)
        assert resources(config.services, config.size, config.domain, zones=zones) == len(template["Resources"])
    assert len(with_calls["Resources"]) - len(without_calls["Resources"]) == 1 + 4 + 3 * 3


@pytest.mark.parametrize(
    ("services", "what", "value", "allowed"),
    [
        ((replace(WEB, calls=("gone",)), ORDERS), "calls of web", "gone", "the same environment (web, orders)"),
        ((replace(ORDERS, calls=("orders",)),), "calls of orders", "orders", "of other services"),
        ((replace(WEB, calls=("mailer",)), MAILER), "calls of web", "mailer", "of services that listen"),
        (
            (replace(WEB, calls=("orders", "orders")), ORDERS),
            "calls of web",
            ("orders", "orders"),
            "all different",
        ),
        (
            (replace(WEB, calls=("other",)), OTHER),
            "longest_request_seconds of other",
            30,
            "less than upstream_seconds of web (15)",
        ),
        (
            (replace(WEB, calls=("orders",), environment=(("MOORINGS_ORDERS_URL", "x"),)), ORDERS),
            "environment and secrets",
            "MOORINGS_ORDERS_URL",
            "without it",
        ),
        (
            (replace(MAILER, calls=("orders",), secrets=("MOORINGS_ORDERS_CALL_SECONDS",)), ORDERS),
            "environment and secrets",
            "MOORINGS_ORDERS_CALL_SECONDS",
            "without it",
        ),
    ],
    ids=["unknown", "itself", "worker", "twice", "order", "setting", "secret"],
)
def test_what_cannot_be_called_is_refused(
    services: tuple[ServiceConfig, ...], what: str, value: object, allowed: str
) -> None:
    """In one sentence, before CDK starts (T3)."""
    refused(lambda: environment(*services), what, value, allowed)


@pytest.mark.parametrize(
    ("calls", "circle"),
    [
        ({"web": ("orders",), "orders": ("web",)}, "web -> orders -> web"),
        ({"web": ("orders",), "orders": ("stock",), "stock": ("orders",)}, "orders -> stock -> orders"),
        ({"web": ("stock", "orders"), "orders": ("stock",), "stock": ("web",)}, "web -> stock -> web"),
        ({"orders": ("stock",), "stock": ("orders",)}, "orders -> stock -> orders"),
    ],
)
def test_calls_in_a_circle_are_refused_with_the_way_that_they_take(
    calls: dict[str, tuple[str, ...]], circle: str
) -> None:
    """No order of deployments suits a circle, and no time-outs do (T3)."""
    services = [replace(one, calls=calls.get(one.name, ())) for one in (WEB, ORDERS, STOCK)]
    fix = refused(lambda: environment(*services), "calls", circle, "without a way back to where they begin")
    assert "no order of deployments suits it" in fix


def test_two_ways_to_the_same_service_are_no_circle() -> None:
    """Web calls both, and one of them the other (T3)."""
    web, orders = replace(WEB, calls=("stock", "orders")), replace(ORDERS, calls=("stock",))
    config = environment(web, orders, STOCK)
    assert [service.name for service in connected(config.services)] == ["web", "orders", "stock"]


def test_a_task_of_a_call_has_room_for_its_proxy() -> None:
    """256 CPU units are too few for whoever calls or is called, by its own size or the environment's (T2)."""
    small = ServiceSize(task=TaskSize(cpu=256, memory_mib=1024))
    calls = replace(WEB, calls=("orders",))
    refused(lambda: environment(calls, ORDERS, size=small), "cpu", 256, "at least 512")
    refused(lambda: environment(calls, replace(ORDERS, size=small)), "cpu", 256, "at least 512")
    refused(lambda: environment(replace(calls, size=small), ORDERS), "cpu", 256, "at least 512")
    assert environment(calls, ORDERS, replace(OTHER, size=small)).services


def test_the_proxys_log_buffer_is_counted_with_those_of_the_agents() -> None:
    """Two of 80 MiB fit into a quarter of 1 GiB, and so do three without a proxy; four do not (W2)."""
    large = LogDelivery(buffer_mib=80)
    size = ServiceSize(task=TaskSize(cpu=512, memory_mib=1024))
    alone = replace(WEB, log_delivery=large, size=size)
    calls = replace(alone, calls=("orders",))
    assert environment(calls, ORDERS).services
    both = {"configuration": CONFIGURATION, "socket_metrics": SocketMetrics(image=CONFIGURATION.agent_image)}
    assert environment(replace(alone, **both)).services  # type: ignore[arg-type]
    watched = replace(calls, **both)  # type: ignore[arg-type]
    refused(lambda: environment(watched, ORDERS), "buffer_mib", 80, "at most a quarter of the task's 1024 MiB")


def test_a_called_service_whose_setting_the_configuration_needs_is_refused() -> None:
    """Of a service ``config`` the caller would be told ``MOORINGS_CONFIG_URL``, where its own client asks the agent."""
    called = replace(ORDERS, name="config", subdomain="config")
    calls = replace(WEB, calls=("config",))
    assert environment(calls, called).services
    told = replace(calls, configuration=CONFIGURATION)
    refused(lambda: environment(told, called), "calls of web", "config", "of a service with another name")


def test_a_worker_calls_and_waits_until_its_proxy_gives_up() -> None:
    """It has no time-outs of requests, so a called service may take as long as its own budget says (T3)."""
    config = environment(replace(MAILER, calls=("other",)), OTHER)
    offer = offer_of(OTHER, config.services)
    assert offer is not None
    assert offer.request_seconds == 30
    assert [service.name for service in connected(config.services)] == ["mailer", "other"]
    assert offer_of(OTHER, (OTHER,)) is None


def test_an_application_on_the_proxys_usual_port_gets_another_one() -> None:
    """Both listen in one task (T3)."""
    usual = replace(ORDERS, health_check=HealthCheck.http("/healthz", port=10_000, program="python3"))
    config = environment(replace(WEB, calls=("orders",)), usual, source=GitHubSource(owner="a", repository="b"))
    offer = offer_of(usual, config.services)
    assert offer is not None
    assert (offer.container_port, offer.ingress_port) == (10_000, 10_001)


def test_one_call_without_its_comma_is_refused() -> None:
    """A text is no tuple of names."""
    refused(lambda: replace(WEB, calls="orders"), "calls", "orders", "a tuple of str")  # type: ignore[arg-type]
