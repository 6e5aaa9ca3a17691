"""Which events the EventBridge rules of an assembly pass on."""

from __future__ import annotations

import pytest

from constructs_lib.guardrails.rules.events import heard
from constructs_lib.guardrails.rules.patterns import Event
from constructs_lib.guardrails.templates.assembly import Assembly, template_document
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.world import World

EVENT: Event = {
    "source": "aws.ecr",
    "detail-type": "ECR Image Action",
    "detail": {"action-type": "DELETE", "result": "SUCCESS"},
}


def answer(resources: str) -> bool | None:
    """Whether the event is heard of in a template; None when that is unknown."""
    text = f"""
Parameters: {{Given: {{Type: String}}, Stage: {{Type: String}}, Off: {{Type: String, Default: DISABLED}},
  Env: {{Type: String, Default: dev}}}}
Conditions: {{Never: !Equals [a, b], Sometimes: !Equals [!Ref Env, prod], Always: !Equals [!Ref Env, dev],
  Open: !Equals [!Ref Stage, prod]}}
Resources:
  Subject: {{Type: AWS::ECR::Repository}}
  Bus: {{Type: AWS::Events::EventBus, Properties: {{Name: own}}}}
{resources}"""
    assembly = Assembly({"template.yaml": template_document(text, "template.yaml")})
    subject = Node.of(World(assembly), assembly.of_type("AWS::ECR::Repository")[0])
    try:
        return heard(subject, [EVENT])
    except NotKnown:
        return None


def rule(pattern: str, more: str = "Targets: [{Id: a, Arn: b}]") -> str:
    """A rule with a pattern."""
    return f"""  Rule:
    Type: AWS::Events::Rule
    Properties: {{EventPattern: {pattern}, {more}}}
"""


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("[DELETE]", True),
        ("[PUSH, DELETE]", True),
        ("DELETE", True),
        ("[PUSH]", False),
        ("[delete]", False),
        ("[]", False),
        ("[null]", False),
        ("[7]", False),
        ("[{prefix: DEL}]", True),
        ("[{prefix: PU}]", False),
        ("[{prefix: {equals-ignore-case: del}}]", True),
        ("[{prefix: del}]", False),
        ("[{suffix: ETE}]", True),
        ("[{suffix: DEL}]", False),
        ("[{suffix: {equals-ignore-case: ete}}]", True),
        ("[{equals-ignore-case: delete}]", True),
        ("[{equals-ignore-case: push}]", False),
        ("[{wildcard: 'D*E'}]", True),
        ("[{wildcard: 'D.*'}]", False),
        ("[{wildcard: D}]", False),
        ("[{anything-but: PUSH}]", True),
        ("[{anything-but: [PUSH, DELETE]}]", False),
        ("[{anything-but: {prefix: DEL}}]", False),
        ("[{anything-but: {prefix: [PU, X]}}]", True),
        ("[{anything-but: {wildcard: '*T*'}}]", False),
        ("[{exists: true}]", True),
        ("[{exists: false}]", False),
        ("[{numeric: ['>', 1]}]", False),
        ("[{cidr: 10.0.0.0/8}]", False),
        ("[{new-operator: 1}]", None),
        ("[!Ref Given]", None),
        ("[!Sub 'D${Given}']", None),
        ("[!Ref Given, DELETE]", True),
        ("[{anything-but: [!Ref Given, DELETE]}]", False),
        ("[{anything-but: [!Ref Given]}]", None),
        ("[{prefix: [[1]]}]", None),
        ("[{exists: perhaps}]", None),
    ],
)
def test_the_operators_of_patterns(items: str, expected: bool | None) -> None:
    """Each as EventBridge documents it; what is not known counts only where it decides."""
    assert answer(rule(f"{{source: [aws.ecr], detail: {{action-type: {items}}}}}")) is expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("{source: [aws.ecr], detail-type: [ECR Image Action]}", True),
        ("{source: [aws.ecr], detail-type: [ECR Image Scan]}", False),
        ("{detail: {repository-name: [any], more: {fields: [1]}}}", True),
        ("{source: {a: [1]}}", False),
        ("{detail: [1]}", False),
        ("{$or: [{source: [aws.ecs]}, {detail: {result: [SUCCESS]}}]}", True),
        ("{$or: [{source: [aws.ecs]}, {detail: {result: [FAILURE]}}]}", False),
        ("{source: [aws.ecr], $or: [{source: [aws.ecs]}, {source: [!Ref Given]}]}", None),
        ("{source: [aws.ecs], detail: !Ref Given}", False),
        ('\'{"source": ["aws.ecr"], "detail": {"action-type": ["DELETE"]}}\'', True),
        ('\'{"source": ["aws.ecs"]}\'', False),
        ('!Sub \'{"source": ["aws.ecr"], "detail": {"repository-name": ["${Given}"]}}\'', True),
        ('!Sub \'{"source": ["${Given}"]}\'', None),
        ("{source: [!If [Sometimes, aws.ecr, aws.ecs]]}", True),
        ("{source: [!If [Never, aws.ecr, aws.ecs]]}", False),
        ("{source: [aws.ecr], detail: {result: [!If [Sometimes, SUCCESS, FAILURE]]}}", True),
        ('!Sub \'{"source": [{"prefix": "${Given}"}]}\'', None),
        ("'{'", None),
        ("!Ref Given", None),
        ("{}", None),
    ],
)
def test_fields_are_all_wanted_and_their_items_are_choices(pattern: str, expected: bool | None) -> None:
    """A field that is left open may have any value; a pattern may be JSON in a text."""
    assert answer(rule(pattern)) is expected


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("Targets: []", False),
        ("Targets: [!Ref AWS::NoValue]", False),
        ("State: ENABLED", False),
        ("State: DISABLED, Targets: [{Id: a, Arn: b}]", False),
        ("State: !Ref Off, Targets: [{Id: a, Arn: b}]", False),
        ("State: !If [Never, ENABLED, DISABLED], Targets: [{Id: a, Arn: b}]", False),
        ("State: !If [Sometimes, ENABLED, DISABLED], Targets: [{Id: a, Arn: b}]", True),
        ("Targets: !If [Sometimes, [{Id: a, Arn: b}], !Ref AWS::NoValue]", True),
        ("EventBusName: default, Targets: [{Id: a, Arn: b}]", True),
        ("EventBusName: 'arn:aws:events:a:b:event-bus/default', Targets: [{Id: a, Arn: b}]", True),
        ("EventBusName: !Ref Bus, Targets: [{Id: a, Arn: b}]", False),
        ("EventBusName: own, Targets: [{Id: a, Arn: b}]", False),
        ("EventBusName: !Ref Given, Targets: [{Id: a, Arn: b}]", True),
    ],
)
def test_a_rule_that_passes_nothing_on_hears_nothing(more: str, expected: bool) -> None:
    """It needs a target, must be switched on in some branch, and listen to the bus of AWS's own events."""
    assert answer(rule("{source: [aws.ecr]}", more)) is expected


def test_a_schedule_hears_nothing() -> None:
    """It has no pattern."""
    template = rule("x").replace("EventPattern: x", "ScheduleExpression: rate(1 hour)")
    assert answer(template) is False


@pytest.mark.parametrize(
    ("kind", "event", "expected"),
    [
        ("Function", "Type: EventBridgeRule, Properties: {Pattern: {source: [aws.ecr]}}", True),
        ("Function", "Type: CloudWatchEvent, Properties: {Pattern: {source: [aws.ecr]}}", True),
        ("StateMachine", "Type: EventBridgeRule, Properties: {Pattern: {source: [aws.ecr]}}", True),
        ("Function", "Type: EventBridgeRule, Properties: {Pattern: {source: [aws.ecs]}}", False),
        ("Function", "Type: EventBridgeRule, Properties: {State: DISABLED, Pattern: {source: [aws.ecr]}}", False),
        ("Function", "Type: CloudWatchEvent, Properties: {Enabled: false, Pattern: {source: [aws.ecr]}}", False),
        ("Function", "Type: CloudWatchEvent, Properties: {Enabled: true, Pattern: {source: [aws.ecr]}}", True),
        ("Function", "Type: S3, Properties: {Pattern: {source: [aws.ecr]}}", False),
        ("Function", "Type: [1], Properties: 7", False),
    ],
)
def test_events_of_the_serverless_application_model_count(kind: str, event: str, expected: bool) -> None:
    """SAM makes rules of them, with the function as target."""
    template = f"  It: {{Type: AWS::Serverless::{kind}, Properties: {{Events: {{One: {{{event}}}}}}}}}\n"
    assert answer(template) is expected


@pytest.mark.parametrize("properties", ["7", "!Ref Given", "{EventPattern: 7, Targets: 7}", "{Events: [1]}"])
def test_malformed_rules_stop_nobody(properties: str) -> None:
    """They are heard of or not, but never raise."""
    template = f"  A: {{Type: AWS::Events::Rule, Properties: {properties}}}\n"
    assert answer(template.replace("Events::Rule", "Serverless::Function") + template.replace("A:", "B:")) is not True


@pytest.mark.parametrize(
    ("condition", "expected"), [("Sometimes", False), ("Always", True), ("Open", None), ("Never", False)]
)
def test_a_rule_under_a_condition(condition: str, expected: bool | None) -> None:
    """It listens where the defaults make it exist; where nothing decides, that is unknown."""
    text = rule("{source: [aws.ecr]}").replace(
        "Type: AWS::Events::Rule", f"Type: AWS::Events::Rule\n    Condition: {condition}"
    )
    assert answer(text) is expected
    assert answer(text + rule("{source: [aws.ecr]}").replace("Rule:", "Sure:", 1)) is True
    silent = text.replace("aws.ecr", "aws.ecs")
    assert answer(silent) is False
