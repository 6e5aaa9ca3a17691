"""The comparison as a construct (lesson W1), in apps with none and with all of CDK's feature flags."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ecs_patterns as patterns
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.guardrails.check import check
from constructs_lib.observability.alarms import Alarms
from constructs_lib.observability.notification.topics import NotificationTopics
from constructs_lib.services.sockets.comparison_alarms import SocketChange
from constructs_lib.services.sockets.runtime import handler
from constructs_lib.services.sockets.runtime.aws import TIME_WAIT, samples
from constructs_lib.services.sockets.runtime.comparison import DAY, Floor
from constructs_lib.services.sockets.runtime.settings import Service, Settings
from constructs_lib.services.sockets.socket_comparison import ComparedService, SocketComparison
from constructs_lib.services.sockets.socket_metrics import METRIC_NAMES, SocketSource
from tests.services.sockets.runtime.days import NIGHT
from tests.services.sockets.runtime.world import World, service, settings
from tests.support import (
    DIGEST,
    FLAG_SETS,
    TOKEN,
    Template,
    listed,
    of_type,
    only,
    refused,
    statements,
    synthesize,
    vpc,
)

ACCOUNT, REGION = "111122223333", "eu-west-1"
GROUP = "targetgroup/web/0123456789abcdef"
BALANCER = "app/web/0123456789abcdef"


def compared(service: str = "web", **changes: Any) -> ComparedService:
    """A service of the cluster ``main``, but for ``changes``."""
    names = {"cluster": "main", "ecs_service": f"shop-{service}"}
    arguments = {**names, "target_groups": [GROUP], "load_balancer": BALANCER, **changes}
    return ComparedService(service=service, **arguments)


def comparison(scope: Stack, *services: ComparedService, **changes: Any) -> SocketComparison:
    """A comparison of these services, but for ``changes``."""
    arguments: dict[str, Any] = {
        "application": "shop",
        "environment": "production",
        "services": list(services) or [compared()],
        **changes,
    }
    return SocketComparison(scope, "Sockets", **arguments)


def bound(app: App | None = None) -> Stack:
    """A stack whose account and region are known."""
    return Stack(app or App(), "Stack", env=Environment(account=ACCOUNT, region=REGION))


@dataclass(frozen=True)
class Made:
    """A stack with a comparison of two services."""

    template: Template
    asset: Path
    alarms: tuple[AlarmSpec, ...]


@pytest.fixture(scope="module", params=FLAG_SETS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("cdk.out")
    scope = bound(App(context=request.param, outdir=str(folder)))
    worker = compared("api", container="app", target_groups=[GROUP, f"{GROUP}-2"], rollback="./back.sh api")
    construct = comparison(scope, compared(), worker)
    (asset,) = (path for path in folder.iterdir() if path.name.startswith("asset."))
    return Made(synthesize(scope), asset, construct.alarms)


def plain_service(scope: Stack) -> tuple[ecs.Cluster, ecs.FargateService, elbv2.ApplicationTargetGroup]:
    """A service of somebody else, behind a load balancer."""
    cluster = ecs.Cluster(scope, "Cluster", vpc=vpc(scope))
    pattern = patterns.ApplicationLoadBalancedFargateService(
        scope,
        "Web",
        cluster=cluster,
        task_image_options=patterns.ApplicationLoadBalancedTaskImageOptions(
            image=ecs.ContainerImage.from_registry(f"busybox@{DIGEST}"), container_name="app"
        ),
        task_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
    )
    return cluster, pattern.service, pattern.target_group


# ------------------------------------------------------------ before and after


def test_before_nobody_compares_a_release_with_what_ran_before() -> None:
    """CDK's own pattern has no alarm; one of a deployment would watch for minutes, and W1's fault took a night."""
    scope = bound()
    plain_service(scope)
    template = synthesize(scope)
    assert not of_type(template, "AWS::CloudWatch::Alarm")
    assert not of_type(template, "AWS::Events::Rule")


def test_after_a_plain_service_is_compared_too(tmp_path: Path) -> None:
    """Every 15 minutes; a page names the service and how to go back. CloudFormation fills in the names."""
    app = App(outdir=str(tmp_path))
    scope = bound(app)
    cluster, plain, group = plain_service(scope)
    one = compared(
        cluster=cluster.cluster_name,
        ecs_service=plain.service_name,
        target_groups=[group.target_group_full_name],
        load_balancer=group.first_load_balancer_full_name,
        container="app",
    )
    Alarms(
        scope,
        "Alarms",
        application="shop",
        environment="production",
        specs=comparison(scope, one).alarms,
        topics=NotificationTopics(scope, "Topics"),
    )
    template = synthesize(scope)
    (alarm,) = (
        one for one in of_type(template, "AWS::CloudWatch::Alarm").values() if "[page]" in one["AlarmDescription"]
    )
    assert alarm["AlarmName"] == "shop/production/web/more-sockets-than-before"
    assert "`moorings rollback shop/production/web`" in alarm["AlarmDescription"]
    ((service_id, _),) = of_type(template, "AWS::ECS::Service").items()
    variables = only(template, "AWS::Lambda::Function")["Environment"]["Variables"]["MOORINGS_SOCKETS"]
    assert {"Fn::GetAtt": [service_id, "Name"]} in variables["Fn::Join"][1]
    filled = "".join(part if isinstance(part, str) else "x" for part in variables["Fn::Join"][1])
    assert json.loads(filled)["services"] == [["web", 0, "x", "app", ["x"], "x/x/x"]]
    assert json.loads(filled)["clusters"] == ["x"]
    report = check([tmp_path])
    assert [one for one in report.findings if one.severity == "error" and one.logical_id.startswith("Sockets")] == []


def test_a_rule_calls_the_function_every_quarter_of_an_hour(made: Made) -> None:
    """And only that rule may."""
    rule = only(made.template, "AWS::Events::Rule")
    ((rule_id, _),) = of_type(made.template, "AWS::Events::Rule").items()
    ((function_id, _),) = of_type(made.template, "AWS::Lambda::Function").items()
    arn = {"Fn::GetAtt": [function_id, "Arn"]}
    assert rule["ScheduleExpression"] == "rate(15 minutes)"
    assert [target["Arn"] for target in rule["Targets"]] == [arn]
    assert only(made.template, "AWS::Lambda::Permission") == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": arn,
        "Principal": "events.amazonaws.com",
        "SourceArn": {"Fn::GetAtt": [rule_id, "Arn"]},
    }


# ------------------------------------------------------------ what it may do


def as_text(resource: Any) -> str:
    """With a concrete region a feature flag decides whether the partition is ``aws`` or left to CloudFormation."""
    if isinstance(resource, str):
        return resource
    if "Fn::GetAtt" in resource:
        return ".".join(resource["Fn::GetAtt"])
    return "".join("aws" if isinstance(part, dict) else part for part in resource["Fn::Join"][1])


def test_the_role_reads_the_deployments_of_these_services_and_metrics(made: Made) -> None:
    """Nothing is written but the log; the one ``*`` is that of an action without resources."""
    (role,) = of_type(made.template, "AWS::IAM::Role")
    (log,) = of_type(made.template, "AWS::Logs::LogGroup")
    found: dict[str, list[str]] = {}
    for statement in statements(made.template, role):
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            found.setdefault(action, []).extend(map(as_text, listed(statement["Resource"])))
    ecs_arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}:"
    assert {action: sorted(resources) for action, resources in found.items()} == {
        "ecs:ListServiceDeployments": [f"{ecs_arn}service/main/shop-api", f"{ecs_arn}service/main/shop-web"],
        "ecs:DescribeServiceRevisions": [
            f"{ecs_arn}service-revision/main/shop-api/*",
            f"{ecs_arn}service-revision/main/shop-web/*",
            f"{ecs_arn}service/main/shop-api",
            f"{ecs_arn}service/main/shop-web",
        ],
        "cloudwatch:GetMetricData": ["*"],
        "logs:CreateLogStream": [f"{log}.Arn"],
        "logs:PutLogEvents": [f"{log}.Arn"],
    }
    assert "ManagedPolicyArns" not in only(made.template, "AWS::IAM::Role")


def test_it_is_allowed_what_it_calls_and_nothing_else(made: Made) -> None:
    """Each call of the function is an action of its role, and each action but the log's is called."""
    world, web = World(), service("web")
    world.release(web, "old", NIGHT - 20 * DAY)
    world.release(web, "new", NIGHT)
    handler.handle(settings(web), world.clients, clock=lambda: NIGHT + DAY)
    (role,) = of_type(made.template, "AWS::IAM::Role")
    actions = {action for one in statements(made.template, role) for action in listed(one["Action"])}
    called = {call.replace(".", ":") for call in world.aws.calls}
    assert actions - {"logs:CreateLogStream", "logs:PutLogEvents"} == called


# ------------------------------------------------------------ the function


def test_the_function_reads_the_settings_that_it_is_given(made: Made) -> None:
    """What the construct writes, ``settings`` reads; the metrics are those that the agent sends."""
    variables = only(made.template, "AWS::Lambda::Function")["Environment"]["Variables"]
    told = Settings.from_environment(variables)
    both = partial(Service, cluster="main", load_balancer=BALANCER)
    web = both(name="web", ecs_service="shop-web", container="web", target_groups=(GROUP,))
    api = both(name="api", ecs_service="shop-api", container="app", target_groups=(GROUP, f"{GROUP}-2"))
    assert told == Settings(
        application="shop",
        environment="production",
        namespace="Moorings/Sockets",
        sockets=METRIC_NAMES,
        threshold=1.5,
        floor=Floor(),
        services=(web, api),
    )
    source = SocketSource(application="shop", environment="production", service="web")
    assert source.dimensions == {"Application": "shop", "Environment": "production", "Service": "web"}


def test_services_of_two_clusters_are_told_apart() -> None:
    """A cluster's name is written once; each service has its own."""
    scope = bound()
    comparison(scope, compared(), compared("api", cluster="other"), compared("late"))
    variables = only(synthesize(scope), "AWS::Lambda::Function")["Environment"]["Variables"]
    told = Settings.from_environment(variables)
    assert [(one.name, one.cluster) for one in told.services] == [("web", "main"), ("api", "other"), ("late", "main")]
    assert json.loads(variables["MOORINGS_SOCKETS"])["clusters"] == ["main", "other"]


def test_the_function_is_small_python_with_a_log_group_of_its_own(made: Made) -> None:
    """90 days of log; nothing retries longer than the function may run."""
    properties = only(made.template, "AWS::Lambda::Function")
    assert (properties["Runtime"], properties["Architectures"]) == ("python3.14", ["arm64"])
    assert (properties["Handler"], properties["Timeout"], properties["MemorySize"]) == (
        "runtime.handler.main",
        300,
        256,
    )
    assert only(made.template, "AWS::Logs::LogGroup") == {"RetentionInDays": 90}


def test_the_asset_runs_without_the_library_around_it(made: Made, tmp_path: Path) -> None:
    """As Lambda does: the asset is the only thing on the path besides Python's own packages."""
    asset = shutil.copytree(made.asset, tmp_path / "asset")
    code = "import sys; sys.modules['constructs_lib'] = None; import runtime.handler as h; print(callable(h.main))"
    done = subprocess.run([sys.executable, "-c", code], cwd=asset, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_five_resources_whatever_the_number_of_services(made: Made) -> None:
    """One of each for all services; alarms are the caller's."""
    assert sorted(resource["Type"] for resource in made.template["Resources"].values()) == [
        "AWS::Events::Rule",
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
    ]


def test_response_times_are_asked_for_by_what_cdk_s_own_metric_has() -> None:
    """By load balancer and target group: CloudWatch knows them by none of the two sets that lack the balancer."""
    scope = bound()
    _, _, group = plain_service(scope)
    own: Any = group.metrics.target_response_time()
    assert (own.namespace, own.metric_name, own.statistic) == ("AWS/ApplicationELB", "TargetResponseTime", "Average")
    world, web = World(), service("web")
    seen: list[Any] = []
    world.aws.before = lambda _, params: seen.append(params)
    samples(world.clients.cloudwatch, settings(web), web, since=NIGHT, until=NIGHT + DAY)
    (asked,) = (
        one["MetricStat"]["Metric"]
        for one in seen[0]["MetricDataQueries"]
        if one["MetricStat"]["Metric"]["MetricName"] == "TargetResponseTime"
    )
    assert {one["Name"] for one in asked["Dimensions"]} == set(own.dimensions) == {"LoadBalancer", "TargetGroup"}


def test_the_agent_sends_the_state_that_no_response_time_explains() -> None:
    """The function knows its name; another one would count as none."""
    assert TIME_WAIT in METRIC_NAMES


# ------------------------------------------------------------ who is told


def test_a_page_for_each_service_and_one_notice(made: Made) -> None:
    """The page says how to go back: by ``moorings``, or by the command of one's own."""
    told = {(one.component, one.what): one for one in made.alarms}
    assert {key: one.severity for key, one in told.items()} == {
        ("web", "more-sockets-than-before"): "page",
        ("api", "more-sockets-than-before"): "page",
        ("ports", "sockets-not-compared"): "notice",
    }
    web, api = told["web", "more-sockets-than-before"], told["api", "more-sockets-than-before"]
    assert "1.5 times" in web.meaning
    assert "Go back before the next peak: `moorings rollback shop/production/web`" in web.meaning
    assert "Longer response times are taken into account" in web.meaning
    assert "a change of settings since is not taken back by it" in web.meaning
    assert "`./back.sh api`" in api.meaning
    assert max(len(one.meaning) for one in made.alarms) < 1024 - len("[notice] ")


def test_the_page_s_metric_is_that_which_is_written(made: Made) -> None:
    """Half an hour of runs, of which one may be lost; none is no fault, because nothing new was released."""
    web = made.alarms[0]
    assert (web.metric.namespace, web.metric.name) == ("Moorings", "SocketsPerRequestChange")
    assert web.metric.dimensions == {"Application": "shop", "Environment": "production", "Service": "web"}
    assert (web.metric.statistic, web.metric.period_seconds) == ("Maximum", 1800)
    threshold = web.threshold
    assert (threshold.value, threshold.comparison, threshold.missing) == (
        1.5,
        "GreaterThanOrEqualToThreshold",
        "notBreaching",
    )


def test_an_hour_of_silence_or_failure_is_told(made: Made) -> None:
    """Four runs that failed, or were not."""
    silent = made.alarms[-1]
    assert (silent.metric.name, silent.metric.statistic) == ("SocketComparisonsFailed", "Maximum")
    assert silent.metric.dimensions == {"Application": "shop", "Environment": "production"}
    assert (silent.metric.period_seconds, silent.threshold.periods, silent.threshold.out_of) == (900, 4, 4)
    assert (silent.threshold.value, silent.threshold.missing) == (1, "breaching")


def test_both_numbers_can_be_changed() -> None:
    """The alarm and the function are told the same."""
    scope = bound()
    made = comparison(scope, change=SocketChange(times=2, requests=300))
    variables = only(synthesize(scope), "AWS::Lambda::Function")["Environment"]["Variables"]
    told = Settings.from_environment(variables)
    assert (told.threshold, told.floor) == (2, Floor(requests=300))
    assert made.alarms[0].threshold.value == 2
    assert "2 times" in made.alarms[0].meaning


# ------------------------------------------------------------ wrong values


@pytest.mark.parametrize(
    ("changes", "what", "value", "allowed"),
    [
        ({"application": "Shop"}, "application", "Shop", "lower-case"),
        ({"environment": "pin-1"}, "environment", "pin-1", "begin with 'pin'"),
        ({"services": []}, "services", [], "at least one ComparedService"),
        ({"services": "web"}, "services", "web", "at least one ComparedService"),
        ({"services": ["web"]}, "services", ["web"], "at least one ComparedService"),
        ({"services": [compared(), compared()]}, "services", ["web", "web"], "all different"),
        ({"change": 1.5}, "change", 1.5, "a SocketChange"),
    ],
)
def test_a_wrong_value_is_refused_and_leaves_nothing_behind(
    changes: dict[str, Any], what: str, value: object, allowed: str
) -> None:
    """One sentence: what, the value, what is allowed, the fix."""
    scope = bound()
    refused(lambda: comparison(scope, **changes), what, value, allowed)
    assert scope.node.children == []


@pytest.mark.parametrize(
    ("make", "what", "value", "allowed"),
    [
        (lambda: compared("Web"), "service", "Web", "lower-case"),
        (lambda: compared(cluster=""), "cluster", "", "a name, and no ARN"),
        (lambda: compared(cluster="arn:aws:ecs:x:y:cluster/main"), "cluster", "arn:aws:ecs:x:y:cluster/main", "a name"),
        (lambda: compared(ecs_service="a/b"), "ecs_service", "a/b", "a name, and no ARN"),
        (lambda: compared(target_groups=GROUP), "target_groups", GROUP, "one or two full names"),
        (lambda: compared(target_groups=[]), "target_groups", [], "one or two full names"),
        (lambda: compared(target_groups=[""]), "target_groups", [""], "one or two full names"),
        (lambda: compared(target_groups=["a", "b", "c"]), "target_groups", ["a", "b", "c"], "one or two"),
        (lambda: compared(load_balancer=""), "load_balancer", "", "a full name, and no ARN"),
        (lambda: compared(load_balancer=None), "load_balancer", None, "a full name, and no ARN"),
        (lambda: compared(load_balancer="arn:aws:x"), "load_balancer", "arn:aws:x", "a full name, and no ARN"),
        (lambda: SocketChange(times=1), "times", 1, "from 1.1 to 10"),
        (lambda: SocketChange(times=10.5), "times", 10.5, "from 1.1 to 10"),
        (lambda: SocketChange(times=True), "times", True, "a number from 1.1 to 10"),
        (lambda: SocketChange(times="2"), "times", "2", "a number from 1.1 to 10"),  # type: ignore[arg-type]
        (lambda: SocketChange(times=float("nan")), "times", float("nan"), "a number from 1.1 to 10"),
        (lambda: SocketChange(times=-1.888e289), "times", -1.888e289, "not a Token"),
        (lambda: SocketChange(requests=99), "requests", 99, "from 100 to 1000000"),
        (lambda: SocketChange(requests=1_000_001), "requests", 1_000_001, "from 100 to 1000000"),
    ],
)
def test_a_wrong_value_of_a_part_is_refused(make: Callable[[], object], what: str, value: object, allowed: str) -> None:
    """Before CDK makes anything."""
    refused(make, what, value, allowed)


def test_more_names_than_a_function_s_environment_holds_are_refused() -> None:
    """About twenty services with long names; a Token counts as the name that CloudFormation will make."""
    long = [compared(f"s{number}", ecs_service="x" * 200) for number in range(20)]
    with pytest.raises(ValueError, match=r"services must be 4096 characters at most.*put some of them into another"):
        comparison(bound(), *long)
    unknown = {"cluster": TOKEN, "ecs_service": TOKEN, "target_groups": [TOKEN], "load_balancer": TOKEN}
    assert comparison(bound(), *(compared(f"s{number}", **unknown) for number in range(16))).alarms
    with pytest.raises(ValueError, match="services must be 4096"):
        comparison(bound(), *(compared(f"s{number}", **unknown) for number in range(19)))


def test_an_app_that_knows_no_account_has_a_comparison_too() -> None:
    """CloudFormation fills in account and region; the ARNs are whole."""
    scope = Stack(App(), "Stack")
    comparison(scope)
    template = synthesize(scope)
    (role,) = of_type(template, "AWS::IAM::Role")
    (resource,) = (
        one["Resource"] for one in statements(template, role) if one["Action"] == "ecs:ListServiceDeployments"
    )
    parts = resource["Fn::Join"][1]
    assert [part["Ref"] for part in parts if isinstance(part, dict)] == [
        "AWS::Partition",
        "AWS::Region",
        "AWS::AccountId",
    ]
    assert parts[-1] == ":service/main/shop-web"
