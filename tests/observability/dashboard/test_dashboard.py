"""The dashboard of an environment: readable at night, and every metric on it exists (lesson W3)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold
from constructs_lib.observability.dashboard.contents import Contents, DashboardService
from constructs_lib.observability.dashboard.dashboard import EnvironmentDashboard
from constructs_lib.observability.dashboard.widgets import Limit
from tests.observability.dashboard.body_structure import problems
from tests.observability.evidence.insights import run
from tests.observability.sample_events import sample, samples
from tests.support import FLAG_SETS, REGION, TOKEN, Template, only, refused, stack, synthesize, vpc

ZONES = ("eu-west-1a", "eu-west-1b")
WEB = DashboardService(
    component="web",
    cluster="cluster",
    service="service-web",
    load_balancer="app/shop/1",
    target_groups=("targetgroup/web/1",),
    zones=ZONES,
    sockets=True,
)
WORKER = DashboardService(component="mailer", cluster="cluster", service="service-mailer")
KNOWN = {"{'Ref': 'AWS::AccountId'}": "111122223333", "{'Ref': 'AWS::Partition'}": "aws"}
PAIR = {"LoadBalancer": "app/shop/1", "TargetGroup": "targetgroup/web/1"}


def spec(component: str, what: str, metric: str, statistic: Any, value: float, **changes: Any) -> AlarmSpec:
    """An alarm, of which a dashboard uses the name, the metric's name and the threshold."""
    more: dict[str, Any] = {"severity": "page", "felt": "degraded", **changes}
    dimensions = more.pop("dimensions", PAIR)
    namespace = more.pop("namespace", "AWS/ApplicationELB")
    below = more.pop("below", False)
    per = more.pop("per", ())
    return AlarmSpec(
        component=component,
        what=what,
        meaning="Look.",
        metric=Metric(namespace=namespace, name=metric, dimensions=dimensions, statistic=statistic, per=per),
        threshold=Threshold(
            value=value,
            comparison="LessThanThreshold" if below else "GreaterThanOrEqualToThreshold",
            missing_because="a test",
        ),
        **more,
    )


OURS = {"Application": "shop", "Environment": "staging"}
ALARMS = (
    spec("web", "too-few-healthy-targets", "HealthyHostCount", "Minimum", 2, below=True, felt="outage"),
    spec("web", "unhealthy-a", "HealthyHostCount", "Minimum", 1, dimensions={**PAIR, "AvailabilityZone": "eu-west-1a"}),
    spec("web", "slow-responses", "TargetResponseTime", "p99", 1.5),
    spec("web", "requests-fail", "HTTPCode_Target_5XX_Count", "Sum", 0.05, per=("RequestCount",)),
    spec("web", "ports-nearly-used-up", "SocketsEstablished", "Maximum", 40000, felt=None),
    spec("web", "at-maximum", "CPUUtilization", "SampleCount", 10, severity="notice", felt=None),
    spec("mailer", "too-few-running-tasks", "CPUUtilization", "SampleCount", 2, below=True),
    spec("mailer", "no-cpu-left", "CPUUtilization", "Average", 95, severity="notice", felt=None),
    spec(
        *("network", "nat-ports-1", "ErrorPortAllocation", "Sum", 1),
        namespace="AWS/NATGateway",
        dimensions={"NatGatewayId": TOKEN},
        felt=None,
    ),
    spec("images", "image-at-risk", "ImagesAtRisk", "Minimum", 1, namespace="Moorings", dimensions=OURS, felt=None),
    *(
        spec(
            *("web", what, metric, "Maximum", value),
            namespace="Moorings",
            dimensions={**OURS, "Service": "web"},
            felt=None,
            severity="notice",
        )
        for what, metric, value in (("builds-behind", "BuildsBehind", 20), ("days-behind", "DaysBehind", 14))
    ),
)


def template(flags: Any = None, **changes: Any) -> Template:
    """A dashboard alone in a plain stack."""
    scope = stack(App(context=flags or {}))
    shown: dict[str, Any] = {"services": [WEB, WORKER], "alarms": ALARMS, "evidence_log": "/aws/events/shop"}
    EnvironmentDashboard(scope, "Dashboard", **{"application": "shop", "environment": "staging", **shown, **changes})
    return synthesize(scope)


def body_of(made: Template) -> Any:
    """The body as CloudFormation would put it together, with an account, and the names of what Tokens stand for."""
    written = only(made, "AWS::CloudWatch::Dashboard")["DashboardBody"]
    if isinstance(written, str):
        return json.loads(written)
    text, variables = written["Fn::Sub"]
    for name, value in variables.items():
        assert f"${{{name}}}" in text
        text = text.replace(f"${{{name}}}", KNOWN.get(str(value), name))
    assert not re.search(r"\$\{[^!]|Token\[", text), "nothing is left that nobody knows"
    return json.loads(text.replace("${!", "${"))


def widget(body: Any, title: str) -> Any:
    """The properties of the first widget of a title."""
    return next(each["properties"] for each in body["widgets"] if each["properties"].get("title") == title)


def limits(body: Any, title: str) -> list[tuple[str, float, str]]:
    """The red lines of a graph."""
    notes = widget(body, title).get("annotations", {})
    return [(each["label"], each["value"], each["fill"]) for each in notes.get("horizontal", [])]


def lines(body: Any, title: str) -> list[tuple[str, ...]]:
    """Names, last dimension's value and statistic of a graph's lines."""
    return [(each[1], each[-2], each[-1]["stat"]) for each in widget(body, title)["metrics"] if len(each) > 1]


@pytest.fixture(scope="module", params=FLAG_SETS)
def body(request: pytest.FixtureRequest) -> Any:
    """The dashboard of a web service and a worker."""
    return body_of(template(request.param))


def test_before_a_widget_each_costs_calls_and_names_what_it_likes() -> None:
    """CDK's dashboard takes a metric that does not exist: the graph stays empty, and nobody is told."""
    scope = stack()
    wrong = cloudwatch.Metric(namespace="AWS/ApplicationELB", metric_name="HTTPCode_Elb_5xx")
    cloudwatch.Dashboard(scope, "Plain", widgets=[[cloudwatch.GraphWidget(left=[wrong])]])
    assert "HTTPCode_Elb_5xx" in json.dumps(only(synthesize(scope), "AWS::CloudWatch::Dashboard"))


def test_after_the_body_is_what_aws_documents(body: Any) -> None:
    """Known widgets, nothing over another, every metric well formed and one that exists with these dimensions."""
    assert problems(body) == []


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda shown: shown["metrics"][0].__setitem__(1, "HTTPCode_Elb_5xx"), "no metric"),
        (lambda shown: shown["metrics"][0].__setitem__(2, "Balancer"), "wrong dimensions"),
        (lambda shown: shown["metrics"][0].pop(2), "wrong dimensions"),
        (lambda shown: shown["metrics"][0][-1].__setitem__("stat", "p100.5x"), "wrong statistic"),
        (lambda shown: shown["metrics"].clear(), "1 to 500 metrics"),
        (lambda shown: shown.pop("region"), "missing region"),
        (lambda shown: shown.__setitem__("period", 90), "whole minutes"),
        (lambda shown: shown.__setitem__("colour", "red"), "unknown colour"),
    ],
)
def test_the_check_of_the_body_can_fail(break_it: Any, said: str) -> None:
    """A wrong body is found by the same check."""
    broken = body_of(template())
    break_it(widget(broken, "Errors a minute"))
    assert said in str(problems(broken))


def test_one_resource_with_a_name_that_is_known(body: Any) -> None:
    """It can be opened from a message: its name follows from application and environment."""
    made = template()
    assert only(made, "AWS::CloudWatch::Dashboard")["DashboardName"] == "shop--staging"
    assert len(made["Resources"]) == 1
    assert body["start"] == "-PT3H"
    assert body["periodOverride"] == "inherit"


def test_the_first_row_says_whether_it_works(body: Any) -> None:
    """Composite alarms of what users feel, then pages that stand alone; no notice is among them."""
    title, states, red, *_ = body["widgets"]
    assert title["properties"]["markdown"] == "# shop staging"
    assert (states["type"], states["y"], states["width"]) == ("alarm", 1, 24)
    names = [arn.split(":alarm:shop/staging/")[1] for arn in states["properties"]["alarms"]]
    assert names == [
        *("web/degraded", "web/outage", "mailer/degraded"),
        *("web/ports-nearly-used-up", "network/nat-ports-1", "images/image-at-risk"),
    ]
    assert (
        states["properties"]["alarms"][0] == f"arn:aws:cloudwatch:{REGION}:111122223333:alarm:shop/staging/web/degraded"
    )
    assert red["properties"]["states"] == ["ALARM"]
    assert len(red["properties"]["alarms"]) == len(ALARMS) == 12


def test_deployments_stand_on_the_times_of_the_graphs(body: Any) -> None:
    """From the log of events: marks on a graph would have to be written into the dashboard at each deployment."""
    by_time, last = (each["properties"] for each in body["widgets"] if each["type"] == "log")
    for shown in (by_time, last):
        beginning = "SOURCE '/aws/events/shop' | filter `detail-type` = \"ECS Deployment State Change\"\n"
        assert shown["query"].startswith(beginning)
    assert (by_time["view"], last["view"]) == ("timeSeries", "table")
    assert "bin(1m)" in by_time["query"]
    assert "detail.reason" in last["query"]


def test_the_last_deployments_are_found_among_recorded_events(body: Any) -> None:
    """Each recorded deployment, and nothing else, with its service and its reason; by a model of Logs Insights."""
    events = [sample(name) for name in samples() if not name.startswith("malformed")]
    deployments = [event for event in events if event["detail-type"] == "ECS Deployment State Change"]
    assert deployments
    query = widget(body, "Last deployments")["query"].split(" | ", 1)[1]
    found = run(query, events)
    assert len(found) == len(deployments)
    assert {row["resources.0"] for row in found} == {event["resources"][0] for event in deployments}
    assert all(row["detail.eventName"].startswith("SERVICE_DEPLOYMENT_") and row["detail.reason"] for row in found)


def test_without_a_log_there_are_no_deployments() -> None:
    """Alone it shows what it is told of."""
    assert not [each for each in body_of(template(evidence_log=None))["widgets"] if each["type"] == "log"]


def test_errors_are_told_apart(body: Any) -> None:
    """The load balancer's own, its time-outs, the application's, and connections that fail or are turned away."""
    assert lines(body, "Errors a minute") == [
        ("HTTPCode_ELB_5XX_Count", "app/shop/1", "Sum"),
        ("HTTPCode_ELB_504_Count", "app/shop/1", "Sum"),
        ("HTTPCode_Target_5XX_Count", "targetgroup/web/1", "Sum"),
        ("TargetConnectionErrorCount", "targetgroup/web/1", "Sum"),
        ("RejectedConnectionCount", "app/shop/1", "Sum"),
    ]
    assert limits(body, "Errors a minute") == []


def test_latency_stands_beside_its_limit(body: Any) -> None:
    """The middle and the slowest hundredth, and where its alarm begins; a share's threshold is no line here."""
    assert [each[2] for each in lines(body, "Latency")] == ["p50", "p99"]
    assert limits(body, "Latency") == [("page: slow-responses", 1.5, "above")]


def test_a_share_is_no_line_across_a_graph_of_numbers() -> None:
    """Five percent of the requests that fail are no 0.05 of anything that the graph shows."""
    share = spec("web", "share", "HTTPCode_Target_5XX_Count", "Sum", 0.05, per=("RequestCount",))
    count = spec("web", "count", "HTTPCode_Target_5XX_Count", "Sum", 7)
    told = Contents(
        application="shop",
        environment="staging",
        region=REGION,
        alarm_arn="arn:",
        services=(WEB,),
        alarms=(share, count, replace(count, component="api")),
        evidence_log=None,
    )
    assert told.limits("web", "HTTPCode_Target_5XX_Count", "Sum") == [Limit(value=7, label="page: count")]


def test_healthy_tasks_by_zone(body: Any) -> None:
    """Stacked, so that their sum stands beside the line; the line of one zone's own alarm is not drawn."""
    shown = widget(body, "Healthy tasks by zone")
    assert shown["stacked"] is True
    assert [(each[3], each[-1]["label"], each[-1]["stat"]) for each in shown["metrics"]] == [
        ("eu-west-1a", "eu-west-1a", "Minimum"),
        ("eu-west-1b", "eu-west-1b", "Minimum"),
    ]
    assert limits(body, "Healthy tasks by zone") == [("page: too-few-healthy-targets", 2, "below")]


def test_without_zones_targets_are_counted_together() -> None:
    """A service of somebody's own may not say where its tasks run."""
    made = body_of(template(services=[replace(WEB, zones=())]))
    assert lines(made, "Healthy tasks") == [("HealthyHostCount", "targetgroup/web/1", "Minimum")]


def test_two_target_groups_are_added() -> None:
    """During a shift of requests both have some; latencies cannot be added and stand side by side."""
    made = body_of(template(services=[replace(WEB, target_groups=("targetgroup/web/1", "targetgroup/web/2"))]))
    assert problems(made) == []
    requests = widget(made, "Requests a minute")["metrics"]
    assert [each[-1].get("visible") for each in requests] == [False, False, None]
    assert requests[-1] == [{"expression": "m0x0+m0x1", "label": "requests", "id": "e0"}]
    assert len(lines(made, "Latency")) == 4


def test_ports_are_shown_where_sockets_are_counted(body: Any) -> None:
    """All states that hold a port, of the fullest task, beside the lines of their alarms."""
    assert len(lines(body, "Ports in use")) == 8
    assert limits(body, "Ports in use") == [("page: ports-nearly-used-up", 40000, "above")]
    without = body_of(template(services=[replace(WEB, sockets=False)]))
    assert not [each for each in without["widgets"] if each["properties"].get("title") == "Ports in use"]


def test_a_worker_has_running_tasks(body: Any) -> None:
    """Without a load balancer there are no requests; ECS's samples are the tasks."""
    assert lines(body, "Running tasks") == [("CPUUtilization", "service-mailer", "SampleCount")]
    assert limits(body, "Running tasks") == [("page: too-few-running-tasks", 2, "below")]
    cpu = [each["properties"] for each in body["widgets"] if each["properties"].get("title") == "CPU and memory"]
    assert len(cpu) == 2


def test_another_stacks_gateway_is_shown_by_its_alarm(body: Any) -> None:
    """Its id is a Token of another stack, which would have to export it for ever; the alarm's name is known."""
    shown = widget(body, "nat-ports-1")
    assert shown["annotations"]["alarms"] == [
        f"arn:aws:cloudwatch:{REGION}:111122223333:alarm:shop/staging/network/nat-ports-1"
    ]
    assert "NatGatewayId" not in json.dumps(body)


def test_images_and_the_gap_stand_last(body: Any) -> None:
    """What grows over days is no matter of the night."""
    *_, images, builds, days = body["widgets"]
    assert [line[1] for line in images["properties"]["metrics"]] == ["ImagesInUse", "ImagesAtRisk", "ImagesMissing"]
    assert images["properties"]["metrics"][0][2:6] == ["Application", "shop", "Environment", "staging"]
    assert builds["properties"]["metrics"][0][:2] == ["Moorings", "BuildsBehind"]
    assert days["properties"]["annotations"]["horizontal"][0]["value"] == 14
    assert builds["properties"]["period"] == 3600


def test_seventeen_services_fit() -> None:
    """The most that an environment has, with three zones, two target groups and sockets each: within AWS's limits."""
    many = [
        replace(WEB, component=f"web-{number}", target_groups=("a", "b"), zones=(*ZONES, "eu-west-1c"))
        for number in range(17)
    ]
    alarms = [replace(each, component=f"web-{number}") for number in range(17) for each in ALARMS[:9]]
    made = body_of(template(services=many, alarms=alarms))
    assert problems(made) == []
    states = [each for each in made["widgets"] if each["type"] == "alarm"]
    assert sum(len(each["properties"]["alarms"]) for each in states) == 17 * 4 + 17 * 9
    assert len(made["widgets"]) < 200


def test_names_that_only_cloudformation_knows_are_put_in() -> None:
    """One text with a variable for each, whatever their number; no cross-stack reference."""
    scope = stack()
    cluster = ecs.Cluster(scope, "Cluster", vpc=vpc(scope))
    balancer = elbv2.ApplicationLoadBalancer(scope, "Balancer", vpc=cluster.vpc)
    group = elbv2.ApplicationTargetGroup(scope, "Group", vpc=cluster.vpc, port=80)
    shown = DashboardService(
        component="web",
        cluster=cluster.cluster_name,
        service="web",
        load_balancer=balancer.load_balancer_full_name,
        target_groups=(group.target_group_full_name,),
    )
    EnvironmentDashboard(scope, "Dashboard", application="shop", environment="staging", services=[shown])
    made = synthesize(scope)
    _, variables = only(made, "AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Sub"]
    assert sorted(str(next(iter(value))) for value in variables.values()) == ["Fn::GetAtt", "Fn::GetAtt", "Ref"]
    assert problems(body_of(made)) == []


def test_a_text_that_looks_like_a_variable_stays_text() -> None:
    """``${`` of a log group's name would be read by CloudFormation."""
    made = template(evidence_log="/aws/${AWS::Region}")
    assert "SOURCE '/aws/${AWS::Region}'" in json.dumps(body_of(made))


def test_wrong_services_are_refused() -> None:
    """In one sentence each, before CDK."""
    refused(lambda: replace(WEB, component="Web"), "component", "Web", "lower-case")
    refused(lambda: replace(WEB, target_groups=()), "target_groups", (), "beside a load_balancer")
    refused(lambda: replace(WEB, load_balancer=None), "target_groups", WEB.target_groups, "only then")
    refused(lambda: replace(WEB, zones="eu-west-1a"), "zones", "eu-west-1a", "a tuple")  # type: ignore[arg-type]
    refused(lambda: template(environment="Staging"), "environment", "Staging", "lower-case")
