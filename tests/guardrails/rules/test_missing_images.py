"""Something watches for images that disappear (lesson Q4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.guardrails.support import findings, said

TARGETS = [{"Id": "a", "Arn": {"Ref": "Topic"}}]
IMAGES = {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": "shop"}}


def template(**resources: Any) -> str:
    """Two repositories."""
    return json.dumps(
        {
            "Parameters": {"Name": {"Type": "String"}},
            "Resources": {
                "Images": IMAGES,
                "Other": {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": "other"}},
                "Topic": {"Type": "AWS::SNS::Topic"},
                **resources,
            },
        }
    )


def rule(targets: Any = TARGETS, **detail: Any) -> dict[str, Any]:
    """An EventBridge rule on ECR's image actions."""
    pattern = {"source": ["aws.ecr"], "detail-type": ["ECR Image Action"], **({"detail": detail} if detail else {})}
    return {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern, "Targets": targets}}


def alarm(metric: Any = "ImagesMissing", **more: Any) -> dict[str, Any]:
    """An alarm on the guard's metric."""
    properties = {"Namespace": "Moorings", "MetricName": metric, "AlarmActions": [{"Ref": "Topic"}], **more}
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


@pytest.mark.parametrize(
    ("watcher", "unwatched"),
    [
        (None, ["Images", "Other"]),
        (rule(), []),
        (rule([]), ["Images", "Other"]),
        (rule(**{"action-type": ["DELETE"]}), []),
        (rule(**{"action-type": ["PUSH"]}), ["Images", "Other"]),
        (rule(**{"repository-name": ["shop"]}), ["Other"]),
        (rule(**{"repository-name": [{"Ref": "Other"}]}), ["Images"]),
        ({**rule(), "Condition": "Production"}, []),
        (alarm(), []),
        (alarm({"Fn::If": ["X", "ImagesMissing", "Other"]}), []),
        (alarm(None, Metrics=[{"Id": "m", "MetricStat": {"Metric": {"MetricName": "ImagesMissing"}}}]), []),
        (alarm("ImagesAtRisk"), ["Images", "Other"]),
        (alarm(AlarmActions=[]), ["Images", "Other"]),
        (alarm(ActionsEnabled=False), ["Images", "Other"]),
    ],
    ids=lambda value: json.dumps(value)[:80],
)
def test_what_watches_a_repository(watcher: Any, unwatched: list[str]) -> None:
    """A rule on deletions with a target, or an alarm that tells somebody, be it under a condition."""
    text = template(**({} if watcher is None else {"Watcher": watcher}))
    found = [one for one in said(text, "MOOR-Q4a") if one[0] == "fail"]
    assert [logical_id for _, logical_id, _ in found] == unwatched


@pytest.mark.parametrize("watcher", [rule(), alarm()], ids=["rule", "alarm"])
@pytest.mark.parametrize(
    ("parameter", "expected"),
    [({}, "unknown"), ({"Default": "prod"}, None), ({"Default": "dev"}, "fail")],
    ids=["open", "prod", "dev"],
)
def test_a_watcher_under_a_condition(watcher: Any, parameter: dict[str, str], expected: str | None) -> None:
    """It watches where the defaults make it exist; where nothing decides, nobody can tell."""
    content = json.loads(template(Watcher={**watcher, "Condition": "IsProd"}))
    content["Parameters"]["Env"] = {"Type": "String", **parameter}
    content["Conditions"] = {"IsProd": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}}
    found = findings(json.dumps(content), "MOOR-Q4a")
    assert [one.status for one in found] == ([expected] * 2 if expected else [])
    assert all("'Watcher' exists only under a condition" in one.message for one in found if expected == "unknown")
    content["Resources"]["Images"]["Condition"] = content["Resources"]["Other"]["Condition"] = "IsProd"
    assert findings(json.dumps(content), "MOOR-Q4a") == []


def test_a_rule_for_a_repository_that_is_not_known() -> None:
    """It may be this one."""
    text = template(Watcher=rule(**{"repository-name": [{"Ref": "Name"}]}))
    assert ("unknown", "Images") in [one[:2] for one in said(text, "MOOR-Q4a")]


def test_a_rule_or_alarm_of_another_template_counts() -> None:
    """The assembly is judged as a whole."""
    other = json.dumps({"Resources": {"Watcher": alarm()}})
    assert said({"a.json": template(), "b.json": other}, "MOOR-Q4a") == []


def test_the_message_says_that_an_alarm_is_silent() -> None:
    """An alarm without actions is named."""
    found = findings(template(Watcher=alarm(AlarmActions=[])), "MOOR-Q4a")[0]
    assert "alarm 'Watcher' is on ImagesMissing, but it has no AlarmActions" in found.message
    assert found.severity == "notice"
