"""T1: auto scaling with room above it."""

from __future__ import annotations

import pytest

from tests.guardrails.support import findings, said

MOST = "Properties/MaxCapacity"
ACTIONS = "AlarmActions: [arn:aws:sns:eu-west-1:123456789012:oncall]"
JOINED = "!Join ['', [service/, !Ref Cluster, /, !GetAtt Service.Name]]"


def target(
    least: str = "2", most: str = "10", policy: str = "", identifier: str = JOINED, more: str = "", name: str = "web"
) -> str:
    """A service that scales, and a policy's properties."""
    return f"""
Parameters: {{Given: {{Type: String}}, Four: {{Type: Number, Default: 4}}, Hot: {{Type: Number, Default: 80}}}}
Conditions: {{IsProd: !Equals [!Ref Given, prod]}}
Resources:
  Cluster: {{Type: AWS::ECS::Cluster}}
  Service: {{Type: AWS::ECS::Service, Properties: {{Cluster: !Ref Cluster, ServiceName: {name}}}}}
  Api: {{Type: AWS::ECS::Service}}
  Target:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties:
      ServiceNamespace: ecs
      ScalableDimension: ecs:service:DesiredCount
      ResourceId: {identifier}
      MinCapacity: {least}
      MaxCapacity: {most}
  Policy:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties: {{{policy}}}
{more}"""


@pytest.mark.parametrize(
    ("least", "most", "expected"),
    [
        ("2", "3", []),
        ("2", "2", [("fail", "Target", MOST)]),
        ("3", "2", [("fail", "Target", MOST)]),
        ("'2'", "'2'", [("fail", "Target", MOST)]),
        ("!Ref Four", "4", [("fail", "Target", MOST)]),
        ("2", "!If [IsProd, 8, 2]", [("fail", "Target", f"{MOST}/Fn::If/2")]),
        ("!If [IsProd, 2, 0]", "!If [IsProd, 8, 0]", []),
        ("2", "!Ref Given", [("unknown", "Target", MOST)]),
        ("2", "many", [("unknown", "Target", MOST)]),
        ("2", "!Ref AWS::NoValue", []),
    ],
)
def test_the_maximum_is_above_the_minimum(least: str, most: str, expected: list[tuple[str, str, str]]) -> None:
    """A service that is switched off, at 0, needs no room; CloudFormation itself refuses a missing number."""
    assert said(target(least, most), "MOOR-T1a") == expected


def tracking(
    aim: str, metric: str = "ECSServiceAverageCPUUtilization", of: str = "ScalingTargetId: !Ref Target"
) -> str:
    """A target tracking policy."""
    specification = f"PredefinedMetricSpecification: {{PredefinedMetricType: {metric}}}"
    return f"{of}, TargetTrackingScalingPolicyConfiguration: {{TargetValue: {aim}, {specification}}}"


TABLE = "  Table: {Type: AWS::ApplicationAutoScaling::ScalableTarget, Properties: {ServiceNamespace: dynamodb}}"


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        (tracking("75"), None),
        (tracking("75.1"), "fail"),
        (tracking("'90'"), "fail"),
        (tracking("!Ref Hot"), "fail"),
        (tracking("!Ref Given"), "unknown"),
        (tracking("90", "ECSServiceAverageMemoryUtilization"), "fail"),
        (tracking("900", "ALBRequestCountPerTarget"), None),
        (tracking("90", "!Ref Given"), "unknown"),
        (tracking("90").replace("!Ref Target", "!Ref Cluster"), "fail"),
        (tracking("90", "!Ref Given", "ServiceNamespace: dynamodb, ResourceId: table/shop"), None),
        (tracking("90", "!Ref Given", "ScalingTargetId: !Ref Table"), None),
        (tracking("60", "!Ref Given"), None),
        (tracking("many", "ALBRequestCountPerTarget"), None),
        (tracking("!Ref AWS::NoValue"), None),
        (tracking("90", of=f"ResourceId: {JOINED}"), "fail"),
        (tracking("90", of="ResourceId: !Sub 'service/${Cluster}/${Service.Name}'"), "fail"),
        (tracking("90", of="ResourceId: !Sub 'service/${Cluster}/${Api.Name}'"), "fail"),
        (tracking("90", of="ResourceId: service/production/elsewhere"), "fail"),
        (tracking("!If [IsProd, 60, 90]"), "fail"),
        ("ScalingTargetId: !Ref Target, PolicyType: StepScaling", None),
        ("ScalingTargetId: !Ref Target, TargetTrackingScalingPolicyConfiguration: [1]", None),
    ],
)
def test_a_target_tracking_policy_leaves_room(policy: str, status: str | None) -> None:
    """At most 75 % of CPU or memory, whatever the policy scales; the place is the policy's."""
    found = findings(target(policy=policy, more=TABLE), "MOOR-T1a")
    assert [(one.status, one.logical_id) for one in found] == ([(status, "Policy")] if status else [])
    aims = "Properties/TargetTrackingScalingPolicyConfiguration/TargetValue"
    assert all(one.path.startswith(aims) for one in found if one.status == "fail")
    assert all("'Policy' aims at" in one.message for one in found if one.status == "fail")


@pytest.mark.parametrize(
    ("custom", "status"),
    [
        ("Namespace: AWS/ECS, MetricName: CPUUtilization", "fail"),
        ("Namespace: AWS/ECS, MetricName: MemoryUtilization", "fail"),
        ("Namespace: AWS/ECS, MetricName: Requests", None),
        ("Namespace: Own, MetricName: CPUUtilization", None),
    ],
)
def test_the_metrics_of_ecs_count_by_their_own_names_too(custom: str, status: str | None) -> None:
    """Another namespace may count by another scale."""
    policy = (
        f"TargetTrackingScalingPolicyConfiguration: {{TargetValue: 90, CustomizedMetricSpecification: {{{custom}}}}}"
    )
    found = findings(target(policy=f"ScalingTargetId: !Ref Target, {policy}"), "MOOR-T1a")
    assert [one.status for one in found] == ([status] if status else [])


def test_a_sure_fault_is_told_beside_what_is_not_known() -> None:
    """The maximum is not known, but the policy is too hot."""
    found = said(target(most="!Ref Given", policy=tracking("90")), "MOOR-T1a")
    assert [(status, logical_id) for status, logical_id, _ in found] == [("unknown", "Target"), ("fail", "Policy")]


def test_policies_of_the_same_literal_id_belong_together() -> None:
    """Without any reference."""
    policy = tracking("90", of="ResourceId: service/production/web")
    template = target(policy=policy, identifier="service/production/web")
    assert [one.status for one in findings(template, "MOOR-T1a")] == ["fail"]


@pytest.mark.parametrize("rule", ["MOOR-T1a", "MOOR-T1b"])
@pytest.mark.parametrize("namespace", ["dynamodb", "!Ref AWS::NoValue"])
def test_other_services_are_not_judged(rule: str, namespace: str) -> None:
    """A table's capacity is another matter, told by the namespace or the dimension."""
    template = target("2", "2").replace("ServiceNamespace: ecs", f"ServiceNamespace: {namespace}")
    assert said(template.replace("ecs:service", "dynamodb:table"), rule) == []
    assert len(said(template, rule)) == (0 if namespace == "dynamodb" else 1)


NAMESPACES = dict.fromkeys(("RunningTaskCount", "DesiredTaskCount", "PendingTaskCount"), "ECS/ContainerInsights")


def alarm(value: str, metric: str = "RunningTaskCount", more: str = ACTIONS) -> str:
    """An alarm on a service."""
    return f"""
  Policies: {{Type: AWS::ApplicationAutoScaling::ScalingPolicy}}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: {NAMESPACES.get(metric, "AWS/ECS")}
      MetricName: {metric}
      Dimensions: [{{Name: ClusterName, Value: !Ref Cluster}}, {{Name: ServiceName, Value: {value}}}]
      {more}
"""


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", "fail"),
        (alarm("!GetAtt Service.Name"), None),
        (alarm("web"), None),
        (alarm("!GetAtt Service.Name", "DesiredTaskCount"), None),
        (alarm("!GetAtt Service.Name", "CPUUtilization"), None),
        (alarm("!GetAtt Service.Name", "MemoryUtilization"), None),
        (alarm("!GetAtt Service.Name", "PendingTaskCount"), "fail"),
        (alarm("!GetAtt Service.Name", more=f"{ACTIONS}\n      ComparisonOperator: GreaterThanThreshold"), None),
        (alarm("!GetAtt Service.Name", more=f"{ACTIONS}\n      ComparisonOperator: LessThanThreshold"), "fail"),
        (alarm("!GetAtt Service.Name", "CPUUtilization", "AlarmActions: [!Ref Policies]"), "fail"),
        (alarm("!GetAtt Api.Name"), "fail"),
        (alarm("api"), "fail"),
        (alarm("!Ref Service"), "fail"),
        (alarm("!Ref Given"), "unknown"),
    ],
)
def test_an_alarm_tells_of_the_maximum(more: str, expected: str | None) -> None:
    """One that goes off above its threshold, on the tasks or the load of this service, and tells somebody."""
    assert [one.status for one in findings(target(more=more), "MOOR-T1b")] == ([expected] if expected else [])


def test_an_alarm_that_goes_off_below_its_threshold_may_not_be_the_one() -> None:
    """That it may be this service's does not matter, for it is on too few tasks."""
    falling = f"{ACTIONS}\n      ComparisonOperator: LessThanThreshold"
    assert [one.status for one in findings(target(more=alarm("!Ref Given", more=falling)), "MOOR-T1b")] == ["fail"]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("ECS/ContainerInsights", "AWS/ECS", "in 'AWS/ECS', and CloudWatch has RunningTaskCount in ECS/Container"),
        ("{Name: ClusterName, Value: !Ref Cluster}, ", "", "by ServiceName, and CloudWatch has RunningTaskCount by C"),
        ("Service.Name", "Service.ServiceArn", "by its ARN, and CloudWatch knows it by its name"),
        (
            "!Ref Cluster}",
            "!GetAtt Cluster.Arn}",
            "its ClusterName is given by its ARN, and CloudWatch knows it by its name",
        ),
    ],
)
def test_an_alarm_without_data_tells_of_no_maximum(old: str, new: str, fault: str) -> None:
    """By namespace, by both dimensions and by their names."""
    (found,) = findings(target(more=alarm("!GetAtt Service.Name").replace(old, new)), "MOOR-T1b")
    assert found.message.startswith("Nobody hears when this service is at its maximum of tasks: alarm 'Alarm' watches")
    assert f"watches it, but {fault}" in found.message


def test_what_is_left_below_the_maximum_may_be_computed() -> None:
    """Metric math turns it around: an alarm goes off when nothing is left."""
    dimensions = "{Name: ServiceName, Value: !GetAtt Service.Name}, {Name: ClusterName, Value: !Ref Cluster}"
    namespace = "Namespace: ECS/ContainerInsights"
    metric = f"Metric: {{{namespace}, MetricName: RunningTaskCount, Dimensions: [{dimensions}]}}"
    more = f"""
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Metrics: [{{Id: left, Expression: 10 - running}}, {{Id: running, MetricStat: {{{metric}}}}}]
      ComparisonOperator: LessThanThreshold
      {ACTIONS}
"""
    assert said(target(more=more), "MOOR-T1b") == []


@pytest.mark.parametrize(
    ("identifier", "value", "status"),
    [
        ("service/production/web", "web", None),
        ("service/production/web", "api", "unknown"),
        ("!Sub 'service/production/${Given}'", "!Ref Given", None),
        ("!Sub 'service/production/${Given}'", "web", "unknown"),
        ("!Ref Given", "web", "unknown"),
    ],
)
def test_a_service_that_is_not_in_the_templates(identifier: str, value: str, status: str | None) -> None:
    """It is watched when an alarm has the same name or parameter, and else unknown."""
    found = findings(target(identifier=identifier, more=alarm(value)), "MOOR-T1b")
    assert [one.status for one in found] == ([status] if status else [])


def test_names_made_of_a_parameter_that_conditions_compare_are_the_same_in_each_case() -> None:
    """The alarm of another stack is made for the same environments as the service."""
    service = target(name="!Sub 'web-${Env}'", most="!If [IsProd, 9, 3]").replace("!Ref Given, prod", "!Ref Env, prod")
    service = service.replace("Parameters: {", "Parameters: {Env: {Type: String, Default: dev}, ")
    alarms = f"""
Parameters: {{Env: {{Type: String, Default: dev}}}}
Conditions: {{IsProd: !Equals [!Ref Env, prod]}}
Resources:
{alarm("!Sub 'web-${Env}'").replace("!Ref Cluster", "production")}"""
    assert said({"service.yaml": service, "alarms.yaml": alarms}, "MOOR-T1b") == []
    assert said({"service.yaml": service, "alarms.yaml": alarms.replace("'web-", "'api-")}, "MOOR-T1b") != []


def test_a_name_that_cloudformation_makes_up_may_be_any() -> None:
    """An alarm with a name that is written out may be the service's."""
    template = target(name="!Ref AWS::NoValue", more=alarm("web"))
    assert [one.status for one in findings(template, "MOOR-T1b")] == ["unknown"]


@pytest.mark.parametrize(
    ("detail", "status"),
    [
        ("", None),
        (", detail: {scaledToMax: [true], serviceNamespace: [ecs]}", None),
        (", detail: {resourceId: [!Join ['', [service/, !Ref Cluster, /, !GetAtt Service.Name]]]}", None),
        (", detail: {resourceId: [service/production/api]}", "fail"),
        (", detail: {scaledToMax: [false]}", "fail"),
        (", detail: {serviceNamespace: [dynamodb]}", "fail"),
        (", detail: {scaledToMax: [!Ref Given]}", "unknown"),
    ],
)
def test_the_event_of_application_auto_scaling_tells_too(detail: str, status: str | None) -> None:
    """It is sent when the maximum is reached."""
    identifier = JOINED if "Join" in detail else "service/production/web"
    more = f"""
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {{source: [aws.application-autoscaling]{detail}}}
      Targets: [{{Id: a, Arn: b}}]
"""
    found = findings(target(identifier=identifier, more=more), "MOOR-T1b")
    assert [one.status for one in found] == (["unknown"] if status == "fail" else [status] if status else [])


def test_the_event_decides_where_the_alarm_is_not_known() -> None:
    """One of them is enough."""
    more = (
        alarm("!Ref Given")
        + """
  Rule:
    Type: AWS::Events::Rule
    Properties: {EventPattern: {source: [aws.application-autoscaling]}, Targets: [{Id: a, Arn: b}]}
"""
    )
    assert said(target(more=more), "MOOR-T1b") == []
