"""Which alarms watch what, and which of them tell anybody."""

from __future__ import annotations

import pytest

from tests.guardrails.support import findings, said

TOPIC = "AlarmActions: [arn:aws:sns:eu-west-1:123456789012:oncall]"
NAMESPACE = "Namespace: AWS/ApplicationELB"
MISSING = [("fail", "Balancer", "")]
UNKNOWN = [("unknown", "Balancer", "")]


def assembly(alarm: str, more: str = "") -> str:
    """A load balancer, and an alarm's properties."""
    return f"""
Parameters:
  Name: {{Type: String}}
  Metric: {{Type: String, Default: HTTPCode_ELB_5XX_Count}}
  Env: {{Type: String, Default: prod}}
Conditions: {{IsProd: !Equals [!Ref Env, prod]}}
Resources:
  Balancer: {{Type: AWS::ElasticLoadBalancingV2::LoadBalancer}}
  Other: {{Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {{Type: network}}}}
  Step: {{Type: AWS::ApplicationAutoScaling::ScalingPolicy}}
  Topic: {{Type: AWS::SNS::Topic}}
  Network: {{Type: AWS::CloudFormation::Stack}}
  Found: {{Type: Custom::Found}}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Condition: IsProd
    Properties:
      {{{alarm}}}
{more}"""


def on(value: str, actions: str = TOPIC, metric: str = "HTTPCode_ELB_5XX_Count") -> str:
    """An alarm on a metric of a load balancer."""
    return f"{NAMESPACE}, MetricName: {metric}, Dimensions: [{{Name: LoadBalancer, Value: {value}}}], {actions}"


NAME = "!GetAtt Balancer.LoadBalancerFullName"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (NAME, []),
        ("!Sub '${Balancer.LoadBalancerFullName}'", []),
        ("!If [IsProd, !GetAtt Balancer.LoadBalancerFullName, x]", []),
        ("!If [IsProd, x, !GetAtt Balancer.LoadBalancerFullName]", []),
        ("!Select [1, !Split ['loadbalancer/', !Ref Balancer]]", []),
        ("!GetAtt Other.LoadBalancerFullName", MISSING),
        ("!Ref Name", UNKNOWN),
        ("app/web/0123456789abcdef", UNKNOWN),
        ("!ImportValue elsewhere", UNKNOWN),
        ("!Ref Topic", MISSING),
        ("!GetAtt Network.Outputs.Name", UNKNOWN),
        ("!GetAtt Found.Name", UNKNOWN),
    ],
)
def test_an_alarm_watches_what_its_dimension_refers_to(value: str, expected: list[tuple[str, str, str]]) -> None:
    """In any branch, and by a part of the ARN too; what only CloudFormation can tell leaves it unknown."""
    assert said(assembly(on(value)), "MOOR-W3b") == expected


def test_an_alarm_that_names_a_resource_by_its_arn_gets_no_data() -> None:
    """Ref of a load balancer is its ARN, and the dimension is its name."""
    found = findings(assembly(on("!Ref Balancer")), "MOOR-W3b")
    assert [one.status for one in found] == ["fail"]
    assert (
        "alarm 'Alarm' watches it, but by its ARN, and CloudWatch knows it by LoadBalancerFullName." in found[0].message
    )


@pytest.mark.parametrize("metric", ["HTTPCode_ELB_502_Count", "HTTPCode_ELB_504_Count", "!Ref Metric"])
def test_any_of_the_metrics_counts(metric: str) -> None:
    """By its name, or by a parameter's default."""
    assert said(assembly(on(NAME, metric=metric)), "MOOR-W3b") == []


@pytest.mark.parametrize("metric", ["HTTPCode_Target_5XX_Count", "!Ref Name", "[1]", "!Ref AWS::NoValue"])
def test_another_metric_does_not_count(metric: str) -> None:
    """What targets answer is another matter, and a name that is not known is not counted."""
    assert said(assembly(on(NAME, metric=metric)), "MOOR-W3b") == MISSING


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        (
            f"{{Id: a, MetricStat: {{Metric: {{{NAMESPACE}, MetricName: HTTPCode_ELB_5XX_Count,"
            " Dimensions: [{Name: LoadBalancer, Value: !GetAtt Balancer.LoadBalancerFullName}]}}}, {Expression: a / b}",
            [],
        ),
        ("{Expression: 'SELECT SUM(HTTPCode_ELB_5XX_Count) FROM SCHEMA(\"AWS/ApplicationELB\", LoadBalancer)'}", []),
        ("{Expression: !Sub \"SEARCH('MetricName=HTTPCode_ELB_5XX_Count ${Name}', 'Sum')\"}", []),
        ("{Expression: 'SELECT SUM(RequestCount) FROM SCHEMA(\"AWS/ApplicationELB\", LoadBalancer)'}", MISSING),
        ("{Expression: [1]}, 7, {MetricStat: 1}", MISSING),
    ],
)
def test_metric_math_and_queries_count(metrics: str, expected: list[tuple[str, str, str]]) -> None:
    """A metric in an expression counts as itself, a query that names a metric for all that have it."""
    assert said(assembly(f"Metrics: [{metrics}], {TOPIC}"), "MOOR-W3b") == expected


@pytest.mark.parametrize(
    ("dimensions", "expected"),
    [("!Ref Name", UNKNOWN), ("[!Ref Name]", UNKNOWN), ("[]", MISSING), ("[7]", UNKNOWN)],
)
def test_dimensions_that_are_not_known(dimensions: str, expected: list[tuple[str, str, str]]) -> None:
    """They may be the right ones; none at all are not."""
    alarm = f"{NAMESPACE}, MetricName: HTTPCode_ELB_5XX_Count, Dimensions: {dimensions}, {TOPIC}"
    assert said(assembly(alarm), "MOOR-W3b") == expected


@pytest.mark.parametrize(
    ("actions", "silent"),
    [
        (TOPIC, ""),
        ("AlarmActions: [!If [IsProd, !Ref Topic, !Ref AWS::NoValue]]", ""),
        ("AlarmActions: !If [IsProd, !Ref AWS::NoValue, [!Ref Topic]]", ""),
        ("AlarmActions: !Ref Name", ""),
        ("AlarmActions: [!Ref Step, !Ref Topic]", ""),
        (f"ActionsEnabled: !If [IsProd, true, false], {TOPIC}", ""),
        (f"ActionsEnabled: false, {TOPIC}", "its ActionsEnabled is false"),
        ("OKActions: [!Ref Topic]", "it has no AlarmActions"),
        ("AlarmActions: []", "it has no AlarmActions"),
        ("AlarmActions: [!Ref AWS::NoValue]", "it has no AlarmActions"),
        ("AlarmActions: [!Ref Step]", "it only scales"),
    ],
)
def test_an_alarm_that_tells_nobody_does_not_watch(actions: str, silent: str) -> None:
    """Actions count when some branch has them; those that only scale tell nobody."""
    found = findings(assembly(on(NAME, actions)), "MOOR-W3b")
    assert bool(found) == bool(silent)
    assert all(f"alarm 'Alarm' watches it, but {silent}" in one.message for one in found)


def test_the_silent_alarm_that_may_watch_is_not_waited_for() -> None:
    """Whatever it watches, it tells nobody."""
    assert said(assembly(on("!Ref Name", "OKActions: [x]")), "MOOR-W3b") == MISSING


COMPOSITE = """
  Any:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties: {{AlarmRule: {rule}, {actions}}}
"""
RULE = """
  Passed:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {{source: [aws.cloudwatch], detail-type: [CloudWatch Alarm State Change]{detail}}}
      Targets: [{{Id: topic, Arn: !Ref Topic}}]
"""


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (COMPOSITE.format(rule="!Sub 'ALARM(${Alarm})'", actions=TOPIC), True),
        (COMPOSITE.format(rule="'ALARM(\"elb\") OR ALARM(x)'", actions=TOPIC), True),
        (COMPOSITE.format(rule="ALARM(elb)", actions=TOPIC), True),
        (COMPOSITE.format(rule="!Sub 'ALARM(elb) OR ALARM(${Name})'", actions=TOPIC), True),
        (COMPOSITE.format(rule="ALARM(elb-2)", actions=TOPIC), False),
        (COMPOSITE.format(rule="!Sub 'ALARM(${Topic})'", actions=TOPIC), False),
        (COMPOSITE.format(rule="!Sub 'ALARM(${Alarm})'", actions="OKActions: [x]"), False),
        (RULE.format(detail=""), True),
        (RULE.format(detail=", detail: {state: {value: [ALARM]}}"), True),
        (RULE.format(detail=", detail: {state: {value: [OK]}}"), False),
        (RULE.format(detail=", resources: [!GetAtt Alarm.Arn]"), True),
        (RULE.format(detail=", resources: [!Ref Name]"), True),
        (RULE.format(detail=", resources: [!GetAtt Any.Arn]") + COMPOSITE.format(rule="x", actions=TOPIC), False),
    ],
)
def test_others_may_tell_of_an_alarm_without_actions(more: str, told: bool) -> None:
    """A composite alarm that tells, or an EventBridge rule that passes on its change."""
    alarm = on(NAME, "AlarmName: elb")
    assert said(assembly(alarm, more), "MOOR-W3b") == ([] if told else MISSING)


@pytest.mark.parametrize("rule", ["!Sub 'ALARM(${Alarm})'", "ALARM(elb)"])
@pytest.mark.parametrize(("env", "expected"), [("prod", MISSING), ("dev", [])])
def test_a_composite_alarm_tells_where_it_exists(rule: str, env: str, expected: list[tuple[str, str, str]]) -> None:
    """One under a condition that is false by its default tells of nothing."""
    more = COMPOSITE.format(rule=rule, actions=TOPIC).replace("CompositeAlarm", "CompositeAlarm\n    Condition: Later")
    text = assembly(on(NAME, "AlarmName: elb"), more).replace(
        "Parameters:", f"Parameters:\n  Stage: {{Type: String, Default: {env}}}", 1
    )
    later = text.replace("Conditions: {", "Conditions: {Later: !Equals [!Ref Stage, dev], ")
    assert said(later, "MOOR-W3b") == expected


def test_alarms_are_found_across_templates_by_exports_and_imports() -> None:
    """The alarms' stack imports the name that the balancer's stack exports."""
    network = """
Resources: {Balancer: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer}}
Outputs: {Name: {Value: !GetAtt Balancer.LoadBalancerFullName, Export: {Name: !Sub '${AWS::StackName}-name'}}}
"""
    alarms = assembly(on("!ImportValue {'Fn::Sub': '${Name}-name'}")).replace("Balancer:", "Own:", 1)
    found = said({"network.yaml": network, "alarms.yaml": alarms}, "MOOR-W3b")
    assert found == [("fail", "Own", "")]


@pytest.mark.parametrize(
    "properties", ["7", "[]", "!Ref Name", "{Dimensions: 1, Metrics: x, MetricName: {a: 1}}", "{}"]
)
def test_a_malformed_alarm_watches_nothing(properties: str) -> None:
    """And stops nobody."""
    template = assembly("").replace("      {}", f"      {properties}")
    assert said(template, "MOOR-W3b") == MISSING


@pytest.mark.parametrize(("default", "expected"), [("prod", []), ("dev", MISSING)])
def test_an_alarm_counts_where_the_defaults_make_it_exist(default: str, expected: list[tuple[str, str, str]]) -> None:
    """One whose condition is false by its default watches nothing as the template stands; a given value decides."""
    text = assembly(on(NAME)).replace("Default: prod", f"Default: {default}")
    assert said(text, "MOOR-W3b") == expected
    assert said(text, "MOOR-W3b", Env="prod") == []
    assert said(text, "MOOR-W3b", Env="other") == MISSING
    open_ = findings(text.replace(f", Default: {default}", ""), "MOOR-W3b")
    assert [one.status for one in open_] == ["unknown"]
    assert "alarm 'Alarm' exists only under a condition that nothing decides" in open_[0].message


@pytest.mark.parametrize("parameter", ["Env: {Type: String}", "Env: {Type: String, Default: dev}"])
def test_an_alarm_that_exists_wherever_the_balancer_does_watches_it(parameter: str) -> None:
    """Whatever decides the condition, it decides both; an alarm under the other condition is never there."""
    text = assembly(on(NAME)).replace("Env: {Type: String, Default: prod}", parameter)
    text = text.replace("Balancer: {Type:", "Balancer: {Condition: IsProd, Type:", 1)
    assert said(text, "MOOR-W3b") == []
    other = text.replace("Conditions: {", "Conditions: {Not: !Not [Condition: IsProd], ")
    other = other.replace("Condition: IsProd\n    Prop", "Condition: Not\n    Prop")
    assert [status for status, *_ in said(other, "MOOR-W3b")] == ["fail"]


def test_an_alarm_of_a_condition_of_its_own_leaves_it_open() -> None:
    """Each is known to be there in some deployments only."""
    text = assembly(on(NAME)).replace(", Default: prod", "")
    text = text.replace("Conditions: {", "Conditions: {Named: !Equals [!Ref Name, web], ")
    text = text.replace("Balancer: {Type:", "Balancer: {Condition: Named, Type:", 1)
    assert [status for status, *_ in said(text, "MOOR-W3b")] == ["unknown"]


def test_a_sure_alarm_decides_beside_one_that_is_not() -> None:
    """One that exists always is enough."""
    more = f"""
  Sure: {{Type: AWS::CloudWatch::Alarm, Properties: {{{on(NAME)}}}}}
"""
    assert said(assembly(on(NAME), more).replace(", Default: prod", ""), "MOOR-W3b") == []


BOTH = f"[{{Name: LoadBalancer, Value: {NAME}}}, {{Name: TargetGroup, Value: x}}]"
ZONE = f"[{{Name: LoadBalancer, Value: {NAME}}}, {{Name: AvailabilityZone, Value: eu-west-1a}}]"
OPEN = f"[{{Name: LoadBalancer, Value: {NAME}}}, !Ref Name]"


@pytest.mark.parametrize(
    ("namespace", "dimensions", "operator", "fault"),
    [
        ("AWS/ApplicationELB", f"[{{Name: LoadBalancer, Value: {NAME}}}]", "GreaterThanThreshold", None),
        ("AWS/ApplicationELB", ZONE, "GreaterThanOrEqualToThreshold", None),
        ("AWS/ApplicationELB", ZONE, "LessThanLowerOrGreaterThanUpperThreshold", None),
        ("AWS/ApplicationELB", ZONE, "!Ref Name", None),
        ("!Ref Space", ZONE, "GreaterThanThreshold", None),
        ("!Ref AWS::NoValue", ZONE, "GreaterThanThreshold", "without a Namespace, and CloudWatch has"),
        ("AWS/ELB", ZONE, "GreaterThanThreshold", "in 'AWS/ELB', and CloudWatch has HTTPCode_ELB_5XX_Count in AWS/App"),
        ("AWS/NetworkELB", ZONE, "GreaterThanThreshold", "in 'AWS/NetworkELB', and"),
        ("AWS/ApplicationELB", BOTH, "GreaterThanThreshold", "by LoadBalancer and TargetGroup, and CloudWatch has"),
        ("AWS/ApplicationELB", ZONE, "LessThanThreshold", "it goes off when HTTPCode_ELB_5XX_Count falls."),
        ("AWS/ApplicationELB", ZONE, "LessThanOrEqualToThreshold", "it goes off when HTTPCode_ELB_5XX_Count falls."),
        (
            "AWS/ApplicationELB",
            "[{Name: LoadBalancer, Value: !GetAtt Balancer.LoadBalancerName}]",
            "GreaterThanThreshold",
            "by LoadBalancerName, and CloudWatch knows it by LoadBalancerFullName.",
        ),
        (
            "AWS/ApplicationELB",
            "[{Name: LoadBalancer, Value: !Sub '${Balancer.LoadBalancerName}'}]",
            "GreaterThanThreshold",
            "by LoadBalancerName, and CloudWatch knows it by LoadBalancerFullName.",
        ),
    ],
)
def test_an_alarm_that_can_never_go_off_does_not_watch(
    namespace: str, dimensions: str, operator: str, fault: str | None
) -> None:
    """Namespace, dimensions and direction must be those of the metric as AWS publishes it."""
    alarm = f"MetricName: HTTPCode_ELB_5XX_Count, Dimensions: {dimensions}, {TOPIC}"
    text = assembly(f"Namespace: {namespace}, ComparisonOperator: {operator}, {alarm}")
    found = findings(
        text.replace("Parameters:", "Parameters:\n  Space: {Type: String, Default: AWS/ApplicationELB}"), "MOOR-W3b"
    )
    assert [one.status for one in found] == ([] if fault is None else ["fail"])
    assert all(f"alarm 'Alarm' watches it, but {fault}" in one.message for one in found)


@pytest.mark.parametrize(
    ("namespace", "dimensions", "what"),
    [("!Ref Name", ZONE, "Namespace is"), ("AWS/ApplicationELB", OPEN, "Dimensions are"), ("!Ref Name", BOTH, "")],
)
def test_what_an_alarm_asks_for_may_be_unknown(namespace: str, dimensions: str, what: str) -> None:
    """Then it may watch, unless something else of it is wrong for sure."""
    alarm = f"MetricName: HTTPCode_ELB_5XX_Count, Dimensions: {dimensions}, {TOPIC}"
    (found,) = findings(assembly(f"Namespace: {namespace}, {alarm}"), "MOOR-W3b")
    assert found.status == ("unknown" if what else "fail")
    assert not what or f"alarm 'Alarm' may watch it or not, as its {what} known only when deployed" in found.message


def test_an_expression_may_turn_the_direction_around() -> None:
    """Metric math goes off below a threshold when what is subtracted rises; a metric alone does not."""
    metric = f"{NAMESPACE}, MetricName: HTTPCode_ELB_5XX_Count, Dimensions: [{{Name: LoadBalancer, Value: {NAME}}}]"
    stat = f"{{Id: a, MetricStat: {{Metric: {{{metric}}}}}}}"
    falling = f"ComparisonOperator: LessThanThreshold, {TOPIC}"
    assert said(assembly(f"Metrics: [{stat}, {{Id: b, Expression: 100 - a}}], {falling}"), "MOOR-W3b") == []
    assert said(assembly(f"Metrics: [{stat}], {falling}"), "MOOR-W3b") == MISSING
