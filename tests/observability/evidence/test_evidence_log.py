"""The log of evidence in a plain stack (lesson W5), in apps with none and with all of CDK's feature flags."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ecs as ecs

from constructs_lib.guardrails.check import check
from constructs_lib.observability.evidence.evidence_log import EvidenceLog
from tests.observability.evidence.event_bridge import matches, transformed
from tests.observability.sample_events import sample, samples
from tests.support import FLAG_SETS, TOKEN, Template, listed, of_type, only, refused, stack, synthesize, vpc

NAME = "/aws/events/shop"
RULES = {
    "Tasks": "ECS Task State Change",
    "Services": "ECS Service Action",
    "Images": "ECR Image Action",
    "Builds": "CodeBuild Build State Change",
    "Health": "AWS Health Event",
}


def evidence(scope: Stack, **changes: Any) -> EvidenceLog:
    """A log of everything."""
    settings: dict[str, Any] = {
        "name": NAME,
        "clusters": ["shop--staging--services-*"],
        "repositories": ["shop/staging/*"],
        "build_projects": ["shop--staging--*"],
    }
    return EvidenceLog(scope, "Evidence", **{**settings, **changes})


def made(flags: dict[str, Any] | None = None, **changes: Any) -> Template:
    """The template of a plain stack with a log."""
    scope = stack(App(context=flags or {}))
    evidence(scope, **changes)
    return synthesize(scope)


@pytest.fixture(scope="module", params=FLAG_SETS)
def template(request: pytest.FixtureRequest) -> Template:
    """A log of everything, with none and with all of CDK's feature flags."""
    return made(request.param)


def rules(template: Template) -> dict[str, dict[str, Any]]:
    """The rules by the kind of event that each lets through."""
    by_kind = {kind: what for what, kind in RULES.items()}
    return {
        by_kind[rule["EventPattern"]["detail-type"][-1]]: rule
        for rule in of_type(template, "AWS::Events::Rule").values()
    }


def known(value: Any) -> Any:
    """Region, account and partition filled in."""
    names = {"AWS::Partition": "aws", "AWS::Region": "eu-west-1", "AWS::AccountId": "111122223333"}
    if isinstance(value, list):
        return [known(item) for item in value]
    if isinstance(value, dict) and set(value) == {"Fn::Join"}:
        return "".join(known(part) for part in value["Fn::Join"][1])
    if isinstance(value, dict) and set(value) == {"Ref"}:
        return names.get(value["Ref"], value["Ref"])
    return {key: known(item) for key, item in value.items()} if isinstance(value, dict) else value


# ------------------------------------------------------------ before and after


def plain_service(scope: Stack) -> ecs.Cluster:
    """A service as plain CDK makes it."""
    cluster = ecs.Cluster(scope, "Cluster", vpc=vpc(scope))
    task = ecs.FargateTaskDefinition(scope, "Task")
    task.add_container("web", image=ecs.ContainerImage.from_registry("public.ecr.aws/nginx/nginx:1.29"))
    ecs.FargateService(scope, "Service", cluster=cluster, task_definition=task)
    return cluster


def kept(template: Template, name: str) -> bool:
    """Whether a rule of the template passes a sample on to a log group that is kept for three weeks at least."""
    groups = of_type(template, "AWS::Logs::LogGroup")
    long = {key for key, group in groups.items() if group.get("RetentionInDays", 10**6) >= 21}
    return any(
        matches(known(rule["EventPattern"]), sample(name)) and long & set(json.dumps(rule["Targets"]).split('"'))
        for rule in of_type(template, "AWS::Events::Rule").values()
    )


def test_before_nothing_is_left_of_a_stopped_task_after_an_hour() -> None:
    """Plain CDK makes no rule at all: three weeks later nobody can look why tasks stopped, or ask AWS about a task."""
    scope = stack()
    plain_service(scope)
    template = synthesize(scope)
    assert of_type(template, "AWS::Events::Rule") == {}
    assert not any(kept(template, name) for name in samples("task", "health"))


@pytest.mark.parametrize("name", ["task-stopped-container-check", "service-start-impaired", "health-fargate-issue"])
def test_after_it_can_still_be_looked_up(template: Template, name: str) -> None:
    """What WebORCA had to ask support for is in a log: checks that failed, impaired starts, and AWS's own word."""
    assert kept(template, name)


def test_alone_with_any_cluster_of_a_plain_stack() -> None:
    """Two arguments; the cluster's name is a Token, and both patterns refer to it."""
    scope = stack()
    cluster = plain_service(scope)
    EvidenceLog(scope, "Evidence", name=NAME, clusters=[cluster.cluster_name])
    template = synthesize(scope)
    found = rules(template)
    assert set(found) == {"Tasks", "Services", "Health"}
    (logical_id,) = of_type(template, "AWS::ECS::Cluster")
    (arn,) = known(found["Tasks"]["EventPattern"]["detail"]["clusterArn"])
    assert arn == f"arn:aws:ecs:eu-west-1:111122223333:cluster/{logical_id}"
    (resource,) = known(found["Services"]["EventPattern"]["resources"])
    assert resource == {"prefix": f"arn:aws:ecs:eu-west-1:111122223333:service/{logical_id}/"}


def test_our_own_rule_on_evidence_lets_it_pass(tmp_path: Any) -> None:
    """MOOR-W5a finds a fault in the plain stack, and none beside the log."""
    faults = []
    for log in (False, True):
        scope = stack()
        cluster = plain_service(scope)
        if log:
            EvidenceLog(scope, "Evidence", name=NAME, clusters=[cluster.cluster_name])
        path = tmp_path / f"{log}.json"
        path.write_text(json.dumps(synthesize(scope)))
        report = check([path])
        faults.append([finding.rule for finding in report.findings].count("MOOR-W5a"))
    assert faults == [1, 0]


# ------------------------------------------------------------ the template


def test_the_log_is_kept_for_thirteen_months_and_outlives_the_stack(template: Template) -> None:
    """400 days: a post-mortem, and the same season of last year. A stack that is deleted leaves it."""
    assert only(template, "AWS::Logs::LogGroup") == {"LogGroupName": NAME, "RetentionInDays": 400}
    (group,) = (one for one in template["Resources"].values() if one["Type"] == "AWS::Logs::LogGroup")
    assert group["DeletionPolicy"] == "RetainExceptOnCreate"
    assert group["UpdateReplacePolicy"] == "Retain"


def test_a_key_of_one_s_own_encrypts_it() -> None:
    """CloudWatch Logs encrypts with its own key unless told otherwise."""
    arn = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555"
    assert only(made(kms_key_arn=arn, retention_days=90), "AWS::Logs::LogGroup") == {
        "LogGroupName": NAME,
        "RetentionInDays": 90,
        "KmsKeyId": arn,
    }


def test_events_go_to_the_log_itself(template: Template) -> None:
    """Five rules, one target each, without a role and without any code of ours in between."""
    found = rules(template)
    assert set(found) == set(RULES)
    (group,) = of_type(template, "AWS::Logs::LogGroup")
    for rule in found.values():
        (target,) = rule["Targets"]
        assert known(target["Arn"]) == f"arn:aws:logs:eu-west-1:111122223333:log-group:{group}"
        assert set(target) <= {"Arn", "Id", "InputTransformer"}
        assert len(json.dumps(known(rule["EventPattern"]))) <= 2048
    kinds = {resource["Type"] for resource in template["Resources"].values()}
    assert kinds == {
        "AWS::Logs::LogGroup",
        "AWS::Events::Rule",
        "AWS::Logs::ResourcePolicy",
        "AWS::Logs::QueryDefinition",
    }


def test_only_builds_are_not_kept_whole(template: Template) -> None:
    """Everything else is stored as AWS sent it."""
    assert [what for what, rule in rules(template).items() if "InputTransformer" in rule["Targets"][0]] == ["Builds"]


def statements(policy: dict[str, Any]) -> list[dict[str, Any]]:
    """Of a policy whose text CloudFormation joins: a reference reads ``<logical id>.Arn``."""
    parts = policy["PolicyDocument"]["Fn::Join"][1]
    flat = "".join(part if isinstance(part, str) else ".".join(listed(*part.values())) for part in parts)
    found: list[dict[str, Any]] = json.loads(flat)["Statement"]
    return found


def test_only_these_rules_may_write(template: Template) -> None:
    """EventBridge makes streams in this log group only, and writes for these five rules only."""
    policy = only(template, "AWS::Logs::ResourcePolicy")
    assert policy["PolicyName"] == "aws-events-shop"
    (group,) = of_type(template, "AWS::Logs::LogGroup")
    streams, writes = statements(policy)
    principals = {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]}
    assert streams == {
        "Sid": "EventBridgeMakesStreams",
        "Effect": "Allow",
        "Principal": principals,
        "Action": "logs:CreateLogStream",
        "Resource": f"{group}.Arn",
    }
    allowed = writes.pop("Condition")
    assert writes == {
        "Sid": "RulesWriteEvents",
        "Effect": "Allow",
        "Principal": principals,
        "Action": "logs:PutLogEvents",
        "Resource": f"{group}.Arn",
    }
    (names_of_rules,) = allowed.pop("ArnEquals").values()
    assert allowed == {}
    assert sorted(names_of_rules) == sorted(f"{key}.Arn" for key in of_type(template, "AWS::Events::Rule"))


def test_a_policy_of_one_s_own_takes_the_place_of_ours() -> None:
    """An account has ten at most in a Region, so nobody is made to spend one."""
    assert of_type(made(resource_policy=False), "AWS::Logs::ResourcePolicy") == {}


def test_the_policy_to_write_by_hand_allows_what_ours_does(template: Template) -> None:
    """The lesson's command, run without AWS: the same statements, for the logs and the rules of all environments."""
    lesson = (Path(__file__).parents[3] / "docs" / "lessons" / "W5-evidence-kept.md").read_text()
    (command,) = [
        block for block in re.findall(r"```sh\n(.*?)```", lesson, re.DOTALL) if "put-resource-policy" in block
    ]
    done = subprocess.run(
        ["/bin/bash", "-euc", f'aws() {{ printf %s "${{!#}}"; }}\n{command}'],
        env={"REGION": "eu-west-1", "ACCOUNT": "111122223333"},
        capture_output=True,
        text=True,
        check=True,
    )
    written = json.loads(done.stdout)["Statement"]
    ours = statements(only(template, "AWS::Logs::ResourcePolicy"))
    assert [(one["Effect"], one["Principal"], one["Action"]) for one in written] == [
        (one["Effect"], one["Principal"], one["Action"]) for one in ours
    ]
    assert {one["Resource"] for one in written} == {
        "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/events/moorings/*:*"
    }
    assert [one.get("Condition") for one in written] == [
        None,
        {"ArnLike": {"aws:SourceArn": "arn:aws:events:eu-west-1:111122223333:rule/*"}},
    ]


def test_queries_are_saved_in_a_folder_of_the_log(template: Template) -> None:
    """Each reads this log alone, and is found under its name."""
    queries = of_type(template, "AWS::Logs::QueryDefinition").values()
    assert len(queries) == 11
    assert {query["Name"].split("/")[0] for query in queries} == {"shop"}
    assert all(query["LogGroupNames"] == [NAME] for query in queries)


def test_what_could_not_be_written_is_told() -> None:
    """One notice over all rules: evidence that is missing is seen by nobody."""
    (alarm,) = evidence(stack()).alarms
    assert (alarm.component, alarm.what, alarm.severity) == ("evidence", "evidence-lost", "notice")
    assert (alarm.metric.namespace, alarm.metric.name, alarm.metric.statistic) == (
        "AWS/Events",
        "FailedInvocations",
        "Sum",
    )
    assert [set(each) for each in (alarm.metric.dimensions, *alarm.metric.also)] == [{"RuleName"}] * 5
    assert (alarm.threshold.value, alarm.threshold.missing) == (1, "notBreaching")
    assert alarm.threshold.missing_because


# ------------------------------------------------------------ builds without their variables


def stored(template: Template, name: str) -> dict[str, Any]:
    """What the log gets of a build's event."""
    (target,) = rules(template)["Builds"]["Targets"]
    transformer = target["InputTransformer"]
    written = json.loads(transformed(transformer["InputPathsMap"], transformer["InputTemplate"], sample(name)))
    assert set(written) == {"timestamp", "message"}
    assert written["timestamp"] == sample(name)["time"]
    assert isinstance(written["message"], str)
    message: dict[str, Any] = json.loads(written["message"])
    return message


@pytest.mark.parametrize("name", ["build-failed", "build-succeeded", "build-in-progress"])
def test_before_a_whole_event_has_the_build_s_secrets(name: str) -> None:
    """CodeBuild puts plain variables, and the command that failed, into its event."""
    assert "correct-horse-battery-staple" in json.dumps(sample(name))


@pytest.mark.parametrize("name", ["build-failed", "build-succeeded", "build-in-progress"])
def test_after_the_log_has_the_event_without_variables_and_texts(template: Template, name: str) -> None:
    """Fields are where CodeBuild has them, so that a query reads both; no variable, command, branch or address."""
    event, message = sample(name), stored(template, name)
    for field in ("id", "detail-type", "source", "account", "time", "region"):
        assert message[field] == event[field]
    more = event["detail"]["additional-information"]
    logs = {key: more["logs"][key] for key in ("group-name", "stream-name")}
    assert message["detail"] == {
        "build-status": event["detail"]["build-status"],
        "project-name": "shop--staging--web",
        "build-id": event["detail"]["build-id"],
        "current-phase": event["detail"]["current-phase"],
        "additional-information": {"initiator": "deployer", "logs": logs},
    }
    text = json.dumps(message)
    for word in ("correct-horse", "DATABASE_PASSWORD", "dockerhub", "docker build", "evil", "github.com"):
        assert word not in text


def test_the_transformer_is_within_eventbridge_s_limits(template: Template) -> None:
    """At most 100 paths of 256 characters with dots only, and 8,192 characters of template; each path is used."""
    transformer = rules(template)["Builds"]["Targets"][0]["InputTransformer"]
    paths, text = transformer["InputPathsMap"], transformer["InputTemplate"]
    assert len(paths) <= 100
    assert len(text) <= 8192
    for key, path in paths.items():
        assert key.isalpha()
        assert path.startswith("$.")
        assert "[" not in path
        assert f"<{key}>" in text


def test_a_hostile_initiator_brings_no_variable_in(template: Template) -> None:
    """IAM's names have no quotation mark; had one, the line would be broken, and still have no secret."""
    (target,) = rules(template)["Builds"]["Targets"]
    transformer = target["InputTransformer"]
    event = sample("hostile-build-initiator")
    assert "correct-horse" not in transformed(transformer["InputPathsMap"], transformer["InputTemplate"], event)


# ------------------------------------------------------------ wrong values


@pytest.mark.parametrize(
    "wrong",
    [
        "shop",
        "/aws/event/shop",
        "/aws/events",
        "/aws/events/",
        "/aws/events//x",
        "/aws/events/a b",
        "/aws/events/" + "x" * 501,
    ],
)
def test_a_name_that_eventbridge_s_console_cannot_find_is_refused(wrong: str) -> None:
    """Log groups for EventBridge begin with ``/aws/events/``."""
    refused(lambda: evidence(stack(), name=wrong), "name", wrong, "begins with '/aws/events/'")


def test_a_name_that_is_not_known_is_refused() -> None:
    """The queries' folder and the policy are named after it."""
    refused(lambda: evidence(stack(), name=TOKEN), "name", TOKEN, "known before deployment")


@pytest.mark.parametrize("wrong", [0, 399, True, None])
def test_a_retention_that_cloudwatch_does_not_know_is_refused(wrong: Any) -> None:
    """CloudWatch Logs knows some numbers of days only."""
    refused(lambda: evidence(stack(), retention_days=wrong), "retention_days", wrong, "one of 1, 3, 5")


def test_a_refused_log_leaves_nothing_behind() -> None:
    """The stack is as it was."""
    scope = stack()
    with pytest.raises(ValueError, match="at least one name"):
        evidence(scope, clusters=[])
    assert scope.node.children == []
