"""W5: evidence that ECS forgets within an hour."""

from __future__ import annotations

import pytest

from tests.guardrails.support import findings, said

MISSING = [("fail", "Service", "")]


def service(pattern: str, properties: str = "", more: str = "") -> str:
    """A service in a cluster of the template, and a rule's pattern."""
    return f"""
Parameters: {{Given: {{Type: String}}, Name: {{Type: String, Default: web}}, Watch: {{Type: String, Default: "yes"}}}}
Conditions: {{Wanted: !Equals [!Ref Watch, "yes"]}}
Resources:
  Cluster: {{Type: AWS::ECS::Cluster, Properties: {{ClusterName: production}}}}
  Other: {{Type: AWS::ECS::Cluster}}
  Task: {{Type: AWS::ECS::TaskDefinition, Properties: {{Family: web}}}}
  Service:
    Type: AWS::ECS::Service
    Properties: {{{properties or "Cluster: !Ref Cluster, TaskDefinition: !Ref Task, ServiceName: web"}}}
  Rule:
    Type: AWS::Events::Rule
    Condition: Wanted
    Properties:
      EventPattern: {pattern}
      Targets: [{{Id: topic, Arn: 'arn:aws:sns:eu-west-1:123456789012:oncall'}}]
{more}"""


def ecs(kind: str, detail: str = "", resources: str = "") -> str:
    """A pattern on events of ECS."""
    parts = ["source: [aws.ecs]", f"detail-type: [{kind}]"]
    parts += [f"detail: {{{detail}}}"] if detail else []
    parts += [f"resources: [{resources}]"] if resources else []
    return f"{{{', '.join(parts)}}}"


STOPPED, DEPLOYED, ACTED = "ECS Task State Change", "ECS Deployment State Change", "ECS Service Action"


@pytest.mark.parametrize(
    "pattern",
    [
        "{source: [aws.ecs]}",
        "{account: ['123456789012']}",
        ecs(STOPPED),
        ecs(STOPPED, "lastStatus: [RUNNING, STOPPED]"),
        ecs(STOPPED, "lastStatus: [STOPPED], stoppedReason: [{prefix: CannotPull}], containers: {exitCode: [1]}"),
        ecs(STOPPED, "clusterArn: [!GetAtt Cluster.Arn]"),
        ecs(STOPPED, "clusterArn: ['arn:aws:ecs:eu-west-1:123456789012:cluster/production']"),
        ecs(STOPPED, "clusterArn: [!Sub 'arn:aws:ecs:${AWS::Region}:${AWS::AccountId}:cluster/production']"),
        ecs(STOPPED, "clusterArn: [!Sub 'arn:aws:ecs:${AWS::Region}:${AWS::AccountId}:cluster/${Cluster}']"),
        ecs(STOPPED, "clusterArn: [!GetAtt Other.Arn, !GetAtt Cluster.Arn]"),
        ecs(STOPPED, "group: ['service:web']"),
        ecs(STOPPED, "group: [{suffix: web}]"),
        ecs(STOPPED, "group: [{anything-but: ['service:api']}]"),
        ecs(STOPPED, "group: [!Sub 'service:${Service.Name}']"),
        ecs(STOPPED, "taskDefinitionArn: [!Ref Task]"),
        ecs(DEPLOYED, "eventName: [SERVICE_DEPLOYMENT_FAILED]"),
        ecs(DEPLOYED, "eventType: [ERROR]", "!Ref Service"),
        ecs(ACTED, "eventType: [WARN]"),
        ecs(ACTED, "eventName: [SERVICE_TASK_PLACEMENT_FAILURE]"),
    ],
)
def test_a_rule_on_stopped_tasks_or_failures_passes(pattern: str) -> None:
    """Of all services, of this one's cluster, task definition or name; a condition of the rule does not matter."""
    assert said(service(pattern), "MOOR-W5a") == []


@pytest.mark.parametrize(
    "pattern",
    [
        "{source: [aws.ecr]}",
        ecs("ECS Container Instance State Change"),
        ecs(STOPPED, "lastStatus: [RUNNING]"),
        ecs(STOPPED, "desiredStatus: [RUNNING]"),
        ecs(STOPPED, "clusterArn: [!GetAtt Other.Arn]"),
        ecs(STOPPED, "clusterArn: ['arn:aws:ecs:eu-west-1:123456789012:cluster/staging']"),
        ecs(STOPPED, "clusterArn: [!Sub 'arn:aws:ecs:${AWS::Region}:${AWS::AccountId}:cluster/staging']"),
        ecs(STOPPED, "group: ['service:api']"),
        ecs(STOPPED, "group: [{anything-but: ['service:web']}]"),
        ecs(STOPPED, "group: [{exists: false}]"),
        ecs(DEPLOYED, "eventName: [SERVICE_DEPLOYMENT_COMPLETED]"),
        ecs(ACTED, "eventName: [SERVICE_STEADY_STATE]"),
        ecs(ACTED, "eventType: [INFO]"),
    ],
)
def test_a_rule_on_something_else_does_not_pass(pattern: str) -> None:
    """Another source, kind, state, cluster or service."""
    assert said(service(pattern), "MOOR-W5a") == MISSING


@pytest.mark.parametrize(
    "pattern",
    [
        ecs(STOPPED, "clusterArn: [!Ref Given]"),
        ecs(STOPPED, "clusterArn: !Ref Given"),
        ecs(STOPPED, "lastStatus: [!Ref Given]"),
        ecs("!Ref Given"),
        ecs(STOPPED, "group: [{wildcard: 'service:w*'}]"),
        ecs(STOPPED, "group: [{anything-but: {prefix: 'service:a'}}]"),
        "!Ref Given",
        "{}",
        "[aws.ecs]",
    ],
)
def test_a_pattern_that_is_not_known_leaves_it_unknown(pattern: str) -> None:
    """It may be this service that it listens to."""
    assert said(service(pattern), "MOOR-W5a") == [("unknown", "Service", "")]


def test_a_pattern_that_is_not_known_does_not_matter_beside_one_that_is() -> None:
    """One rule is enough."""
    more = f"""
  Second:
    Type: AWS::Events::Rule
    Properties: {{EventPattern: {ecs(STOPPED)}, Targets: [{{Id: a, Arn: b}}]}}
"""
    assert said(service("!Ref Given", more=more), "MOOR-W5a") == []


@pytest.mark.parametrize(
    ("properties", "pattern", "status"),
    [
        ("Cluster: !Ref Given, ServiceName: web", ecs(STOPPED, "clusterArn: [!Ref Given]"), None),
        ("Cluster: !Ref Given, ServiceName: web", ecs(STOPPED, "clusterArn: [!Sub 'x:cluster/${Given}']"), None),
        ("Cluster: !Ref Given, ServiceName: web", ecs(STOPPED, "clusterArn: [!GetAtt Cluster.Arn]"), "unknown"),
        ("Cluster: !Ref Given, ServiceName: api", ecs(STOPPED, "group: ['service:web']"), "fail"),
        ("Cluster: production", ecs(STOPPED, "group: ['service:web']"), "unknown"),
        ("Cluster: production", ecs(STOPPED, "clusterArn: ['arn:aws:ecs:a:b:cluster/production']"), None),
        ("Cluster: !Ref Given", ecs(STOPPED, "clusterArn: ['arn:aws:ecs:a:b:cluster/production']"), "unknown"),
        ("ServiceName: !Sub '${Given}-web'", ecs(STOPPED, "group: ['service:web']"), "unknown"),
        ("ServiceName: !Ref Name", ecs(STOPPED, "group: ['service:web']"), None),
    ],
)
def test_the_service_is_known_by_what_the_template_gives(properties: str, pattern: str, status: str | None) -> None:
    """The same parameter is the same cluster, and a name that CloudFormation makes up is unknown."""
    assert [one.status for one in findings(service(pattern, properties), "MOOR-W5a")] == ([status] if status else [])


def test_without_any_rule_the_service_fails() -> None:
    """What is said names neither file nor cluster: nothing is there."""
    assert said("Resources: {Service: {Type: AWS::ECS::Service}}", "MOOR-W5a") == MISSING


def test_a_rule_of_another_template_counts() -> None:
    """It listens to the cluster that the service's stack imports."""
    shared = """
Resources:
  Cluster: {Type: AWS::ECS::Cluster}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.ecs], detail: {clusterArn: [!GetAtt Cluster.Arn]}}
      Targets: [{Id: a, Arn: b}]
Outputs: {Cluster: {Value: !Ref Cluster, Export: {Name: cluster}}}
"""
    own = "Resources: {Service: {Type: AWS::ECS::Service, Properties: {Cluster: !ImportValue cluster}}}"
    assert said({"shared.yaml": shared, "own.yaml": own}, "MOOR-W5a") == []
    assert said({"shared.yaml": shared.replace("Name: cluster", "Name: x"), "own.yaml": own}, "MOOR-W5a") == [
        ("unknown", "Service", "")
    ]


def test_a_rule_counts_where_the_defaults_make_it_exist() -> None:
    """With another value given, the condition is false, and nothing listens."""
    assert said(service(ecs(STOPPED)), "MOOR-W5a") == []
    assert said(service(ecs(STOPPED)), "MOOR-W5a", Watch="no") == [("fail", "Service", "")]


def test_a_rule_without_targets_counts_if_an_alarm_counts_what_it_matches() -> None:
    """The alarm on AWS/Events tells instead."""
    text = service(ecs(STOPPED)).replace("      Targets:", "      Description: none  #")
    assert said(text, "MOOR-W5a") == [("fail", "Service", "")]
    alarm = "  Alarm: {Type: AWS::CloudWatch::Alarm, Properties: {Dimensions: [{Name: RuleName, Value: !Ref Rule}]}}\n"
    assert said(text + alarm, "MOOR-W5a") == []
