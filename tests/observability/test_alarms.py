"""Descriptions become alarms that page, once something is released (lesson W3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import App, CfnCondition, Fn
from aws_cdk import aws_sns as sns

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold
from constructs_lib.observability.alarms import Alarms
from constructs_lib.observability.notification.topics import ExistingTopics, NotificationTopics
from tests.support import FLAG_SETS, Template, of_type, refused, stack, synthesize

PAGE = "arn:aws:sns:eu-west-1:111122223333:page"
NOTICE = "arn:aws:sns:eu-west-1:111122223333:notice"
ERRORS = AlarmSpec(
    component="web",
    what="errors",
    meaning="The application answers 5xx. Look at its logs.",
    severity="page",
    metric=Metric(
        namespace="AWS/ApplicationELB",
        name="HTTPCode_Target_5XX_Count",
        dimensions={"LoadBalancer": "app/shop/1", "TargetGroup": "targetgroup/web/1"},
        statistic="Sum",
        period_seconds=30,
    ),
    threshold=Threshold(value=7, periods=2, out_of=3, missing_because="no request, no error"),
    slower_because="nothing sooner",
)
SILENCE = replace(
    ERRORS,
    what="silence",
    severity="notice",
    threshold=Threshold(
        value=2, comparison="LessThanThreshold", missing="breaching", missing_because="silence is a fault"
    ),
)


@pytest.fixture(scope="module", params=FLAG_SETS)
def alarms(request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    """The alarms of one environment by name: two that always act, two that wait for a release."""
    return by_name(synthesized(request.param))


def synthesized(flags: dict[str, Any]) -> Template:
    """A template with four alarms."""
    scope = stack(App(context=flags))
    CfnCondition(scope, "Released", expression=Fn.condition_equals("a", "b"))
    specs = [
        ERRORS,
        SILENCE,
        replace(ERRORS, component="api", acts_if="Released"),
        replace(SILENCE, component="api", acts_if="Released"),
    ]
    Alarms(
        scope,
        "Alarms",
        application="shop",
        environment="staging",
        specs=specs,
        topics=ExistingTopics(
            page=sns.Topic.from_topic_arn(scope, "Page", PAGE), notice=sns.Topic.from_topic_arn(scope, "Notice", NOTICE)
        ),
    )
    return synthesize(scope)


def by_name(template: Template) -> dict[str, dict[str, Any]]:
    """The alarms of a template by name."""
    return {alarm["AlarmName"]: alarm for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()}


def test_an_alarm_has_a_name_that_a_paged_person_understands(alarms: dict[str, dict[str, Any]]) -> None:
    """Application, environment, component and fault, in that order."""
    assert set(alarms) == {f"shop/staging/{part}/{fault}" for part in ("web", "api") for fault in ("errors", "silence")}


def test_an_alarm_watches_what_was_described(alarms: dict[str, dict[str, Any]]) -> None:
    """Every part of the description reaches CloudWatch under its own name for it."""
    alarm = alarms["shop/staging/web/errors"]
    assert {key: value for key, value in alarm.items() if not key.endswith(("Actions", "Enabled"))} == {
        "AlarmName": "shop/staging/web/errors",
        "AlarmDescription": "[page] The application answers 5xx. Look at its logs. Runbook: docs/runbooks/errors.md",
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "HTTPCode_Target_5XX_Count",
        "Dimensions": [
            {"Name": "LoadBalancer", "Value": "app/shop/1"},
            {"Name": "TargetGroup", "Value": "targetgroup/web/1"},
        ],
        "Statistic": "Sum",
        "Period": 30,
        "Threshold": 7,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "DatapointsToAlarm": 2,
        "EvaluationPeriods": 3,
        "TreatMissingData": "notBreaching",
    }


def test_an_alarm_and_its_end_are_told(alarms: dict[str, dict[str, Any]]) -> None:
    """A page goes to one topic, a notice to the other, and so does the end of both: nobody is woken by good news."""
    for alarm in alarms.values():
        severity = alarm["AlarmDescription"].split("]")[0]
        assert alarm["AlarmActions"] == [PAGE if severity == "[page" else NOTICE]
        assert alarm["OKActions"] == [NOTICE]


def test_an_alarm_always_acts_unless_it_waits(alarms: dict[str, dict[str, Any]]) -> None:
    """Without a condition an alarm acts from the start, and silence means what was described."""
    assert alarms["shop/staging/web/errors"]["ActionsEnabled"] is True
    assert alarms["shop/staging/web/silence"]["ActionsEnabled"] is True
    assert alarms["shop/staging/web/silence"]["TreatMissingData"] == "breaching"


def test_an_alarm_waits_for_the_release(alarms: dict[str, dict[str, Any]]) -> None:
    """While the condition is false it tells nobody."""
    for fault in ("errors", "silence"):
        assert alarms[f"shop/staging/api/{fault}"]["ActionsEnabled"] == {"Fn::If": ["Released", True, False]}


def test_an_alarm_is_not_red_before_it_acts(alarms: dict[str, dict[str, Any]]) -> None:
    """An alarm tells of changes only: red before the release, it would never page for tasks that do not start (Q4)."""
    assert alarms["shop/staging/api/silence"]["TreatMissingData"] == {
        "Fn::If": ["Released", "breaching", "notBreaching"]
    }
    assert alarms["shop/staging/api/errors"]["TreatMissingData"] == "notBreaching"


def test_an_alarm_may_keep_its_state_where_data_are_missing() -> None:
    """``ignore`` reaches CloudWatch; while an alarm waits for its condition, missing data are no fault all the same."""
    rare = replace(ERRORS, threshold=Threshold(value=1, missing="ignore", missing_because="data come now and then"))
    waiting = replace(rare, component="api", acts_if="Released")
    scope = stack()
    CfnCondition(scope, "Released", expression=Fn.condition_equals("a", "b"))
    topics = NotificationTopics(scope, "Topics")
    Alarms(scope, "Alarms", application="shop", environment="staging", specs=[rare, waiting], topics=topics)
    made = by_name(synthesize(scope))
    assert made["shop/staging/web/errors"]["TreatMissingData"] == "ignore"
    assert made["shop/staging/api/errors"]["TreatMissingData"] == {"Fn::If": ["Released", "ignore", "notBreaching"]}


def render(specs: list[AlarmSpec], application: str = "shop") -> Template:
    """The template of some alarms."""
    scope = stack()
    topics = NotificationTopics(scope, "Topics")
    Alarms(scope, "Alarms", application=application, environment="staging", specs=specs, topics=topics)
    return synthesize(scope)


def test_one_fault_described_twice_is_refused() -> None:
    """Two alarms of one name would overwrite each other; the sentence names it."""
    with pytest.raises(ValueError, match="alarm 'shop/staging/web/errors' is described twice; give one"):
        render([ERRORS, ERRORS])


def test_components_and_faults_are_told_apart_however_they_are_cut() -> None:
    """``a-b`` + ``c`` and ``a`` + ``b-c`` are two alarms."""
    specs = [replace(ERRORS, component="a-b", what="c"), replace(ERRORS, component="a", what="b-c")]
    assert set(by_name(render(specs))) == {"shop/staging/a-b/c", "shop/staging/a/b-c"}


def test_a_wrong_name_is_refused() -> None:
    """Names follow the one rule for names."""
    refused(lambda: render([ERRORS], application="Shop"), "application", "Shop", "lower-case")
    refused(lambda: render([replace(ERRORS, what="5xx!")]), "what", "5xx!", "lower-case")


def test_a_page_that_comes_late_without_a_reason_is_refused() -> None:
    """Two periods of 30 s, publication and evaluation are 135 s at worst; what stands in until then must be said."""
    sentence = refused(
        lambda: render([replace(ERRORS, slower_because=None)]), "slower_because of web/errors", None, "later than 120 s"
    )
    assert "or make it a notice" in sentence
