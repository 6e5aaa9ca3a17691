"""What users notice pages once for each component, and nothing is red before it acts (lessons W3, T5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import App, CfnCondition, CfnResource, Fn, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns

from constructs_lib.alarm_spec import AlarmSpec, Comparison, Metric, Threshold
from constructs_lib.observability.alarms import Alarms
from constructs_lib.observability.judging import NEVER_BELOW, NEVER_REACHED
from constructs_lib.observability.notification.topics import ExistingTopics
from constructs_lib.observability.runbooks import Runbooks
from tests import alarm_math
from tests.support import FLAG_SETS, Template, of_type, stack, synthesize

PAGE = "arn:aws:sns:eu-west-1:111122223333:page"
NOTICE = "arn:aws:sns:eu-west-1:111122223333:notice"
BASE = "https://example.com/runbooks/"
NOWHERE = Runbooks()
ERRORS = AlarmSpec(
    component="web",
    what="errors",
    meaning="The application answers 5xx.",
    severity="page",
    metric=Metric(
        namespace="AWS/ApplicationELB", name="Errors", dimensions={"LoadBalancer": "app/shop/1"}, statistic="Sum"
    ),
    threshold=Threshold(value=5, missing_because="no errors are no fault"),
    felt="degraded",
    slower_because="nothing tells sooner",
    acts_if="Released",
)
GONE = replace(
    ERRORS,
    what="gone",
    felt="outage",
    threshold=Threshold(
        value=1,
        comparison="LessThanThreshold",
        missing="breaching",
        missing_because="silence is the fault",
        warm_up_minutes=7,
    ),
    after="Scaling",
)
LATER = replace(ERRORS, what="missing-image", felt=None)
FULL = replace(LATER, what="at-maximum", severity="notice")
CALLS = replace(ERRORS, what="calls", acts_if=None)
SILENT = replace(GONE, component="mailer", acts_if=None, after=None)


def alarms_in(scope: Stack, specs: list[AlarmSpec], runbooks: Runbooks = NOWHERE) -> Alarms:
    """Some alarms, alone in a plain stack of somebody else."""
    CfnCondition(scope, "Released", expression=Fn.condition_equals("a", "b"))
    CfnResource(scope, "Scaling", type="AWS::SNS::Topic")
    topics = ExistingTopics(
        page=sns.Topic.from_topic_arn(scope, "Page", PAGE), notice=sns.Topic.from_topic_arn(scope, "Notice", NOTICE)
    )
    names = {"application": "shop", "environment": "staging"}
    return Alarms(scope, "Alarms", **names, specs=specs, topics=topics, runbooks=runbooks)


def made(specs: list[AlarmSpec], flags: dict[str, Any] | None = None, runbooks: Runbooks = NOWHERE) -> Template:
    """The template of some alarms."""
    scope = stack(App(context=flags or {}))
    alarms_in(scope, specs, runbooks)
    return synthesize(scope)


@pytest.fixture(scope="module", params=FLAG_SETS)
def template(request: pytest.FixtureRequest) -> Template:
    """A component of which two things are felt and two are not, and another one."""
    return made([ERRORS, GONE, LATER, FULL, CALLS, SILENT], request.param)


def composites(template: Template) -> dict[str, dict[str, Any]]:
    """The composite alarms by name."""
    return {one["AlarmName"]: one for one in of_type(template, "AWS::CloudWatch::CompositeAlarm").values()}


def resource(template: Template, name: str) -> dict[str, Any]:
    """The whole resource of an alarm."""
    found = template["Resources"].values()
    (one,) = (one for one in found if one.get("Properties", {}).get("AlarmName") == f"shop/staging/{name}")
    return dict(one)


def nothing(_name: str, _dimensions: Any) -> None:
    """No data at all."""


def test_before_each_alarm_of_one_cause_pages_by_itself() -> None:
    """With CDK's own alarms and actions one cause is as many pages as it has symptoms (W3)."""
    scope = stack()
    for name in ("Errors", "Gone"):
        metric = cloudwatch.Metric(namespace="AWS/ApplicationELB", metric_name=name)
        alarm = cloudwatch.Alarm(scope, name, metric=metric, threshold=1, evaluation_periods=1)
        topic = sns.Topic.from_topic_arn(scope, f"{name}Page", PAGE)
        alarm.add_alarm_action(cloudwatch_action(topic))
    template = synthesize(scope)
    assert [one["AlarmActions"] for one in of_type(template, "AWS::CloudWatch::Alarm").values()] == [[PAGE]] * 2
    assert composites(template) == {}


def cloudwatch_action(topic: sns.ITopic) -> cloudwatch.IAlarmAction:
    """CDK's own action."""
    from aws_cdk import aws_cloudwatch_actions as actions

    return actions.SnsAction(topic)


def test_after_one_cause_pages_once(template: Template) -> None:
    """What is felt has no actions of its own; the component's alarm pages, and its end is a notice (W3)."""
    for fault in ("errors", "gone", "calls"):
        assert not {"AlarmActions", "OKActions"} & set(resource(template, f"web/{fault}")["Properties"])
    told = composites(template)["shop/staging/web/degraded"]
    assert (told["AlarmActions"], told["OKActions"]) == ([PAGE], [NOTICE])
    for component in ("web", "mailer"):
        outage = composites(template)[f"shop/staging/{component}/outage"]
        assert not {"AlarmActions", "OKActions", "InsufficientDataActions"} & set(outage)


def test_what_nobody_feels_yet_is_told_by_itself(template: Template) -> None:
    """A page about tomorrow's fault, and a notice, go to their own topics (Q4, T1)."""
    for what, topic in (("missing-image", PAGE), ("at-maximum", NOTICE)):
        alarm = resource(template, f"web/{what}")["Properties"]
        assert (alarm["AlarmActions"], alarm["OKActions"]) == ([topic], [NOTICE])


def test_a_rule_names_what_is_felt_and_nothing_else(template: Template) -> None:
    """Alarms of several conditions stand side by side: one that waits is not red (T5)."""
    assert {name: one["AlarmRule"] for name, one in composites(template).items()} == {
        "shop/staging/web/degraded": 'ALARM("shop/staging/web/errors") OR ALARM("shop/staging/web/gone") '
        'OR ALARM("shop/staging/web/calls")',
        "shop/staging/web/outage": 'ALARM("shop/staging/web/gone")',
        "shop/staging/mailer/degraded": 'ALARM("shop/staging/mailer/gone")',
        "shop/staging/mailer/outage": 'ALARM("shop/staging/mailer/gone")',
    }


def test_a_composite_waits_for_its_alarms_and_no_condition(template: Template) -> None:
    """CloudWatch refuses a rule about alarms that are not there; a release must not have to change it (Q5)."""
    by_name = {
        one["Properties"]["AlarmName"]: key
        for key, one in template["Resources"].items()
        if one["Type"] == "AWS::CloudWatch::Alarm"
    }
    one = resource(template, "web/degraded")
    assert sorted(one["DependsOn"]) == sorted(
        by_name[f"shop/staging/web/{what}"] for what in ("errors", "gone", "calls")
    )
    assert "Fn::If" not in str(one)
    assert "Condition" not in one


@pytest.mark.parametrize("value", [None, 0, 5, 10**9])
def test_nothing_is_red_before_it_acts(template: Template, value: float | None) -> None:
    """Neither data nor their absence: visitors of a service without a release see errors, and that is no fault (W3)."""
    for what in ("errors", "gone", "missing-image", "at-maximum"):
        alarm = resource(template, f"web/{what}")["Properties"]
        assert not alarm_math.red(alarm, lambda *_: value, released=False)


def test_after_the_release_each_is_red_when_it_should(template: Template) -> None:
    """The condition's other side is what was described."""
    errors, gone = (resource(template, f"web/{what}")["Properties"] for what in ("errors", "gone"))
    assert alarm_math.red(errors, lambda *_: 5)
    assert not alarm_math.red(errors, lambda *_: 4)
    assert not alarm_math.red(errors, nothing)
    assert alarm_math.red(gone, lambda *_: 0)
    assert alarm_math.red(gone, nothing)
    assert not alarm_math.red(gone, lambda *_: 1)
    always = resource(template, "web/calls")["Properties"]
    assert (always["Threshold"], always["ActionsEnabled"]) == (5, True)


@pytest.mark.parametrize(
    ("comparison", "never"),
    [("GreaterThanOrEqualToThreshold", NEVER_REACHED), ("LessThanThreshold", NEVER_BELOW)],
)
def test_a_threshold_that_nothing_passes(comparison: Comparison, never: float) -> None:
    """No metric of ours is negative, and none is as large as a thousand million million."""
    (alarm,) = alarm_math.by_name(
        made([replace(LATER, threshold=replace(LATER.threshold, comparison=comparison))])
    ).values()
    assert alarm["Threshold"] == {"Fn::If": ["Released", 5, never]}
    assert (NEVER_REACHED, NEVER_BELOW) == (1_000_000_000_000_000, -1)


def test_what_starts_is_no_fault(template: Template) -> None:
    """An alarm on what is missing is made after what starts it, and judges nothing while that may take (W3)."""
    gone = resource(template, "web/gone")
    warm = {"WarmUpPeriodDurationInMinutes": 7, "OnlyStartEvaluatingAfterWarmUpPeriodEnds": True}
    assert gone["DependsOn"] == ["Scaling"]
    assert gone["Properties"]["WarmUpConfiguration"] == {"Fn::If": ["Released", warm, {"Ref": "AWS::NoValue"}]}
    assert resource(template, "mailer/gone")["Properties"]["WarmUpConfiguration"] == warm
    errors = resource(template, "web/errors")
    assert "DependsOn" not in errors
    assert "WarmUpConfiguration" not in errors["Properties"]


def test_what_waits_for_another_is_told_of_all_that_it_waits_for() -> None:
    """``after`` is written by id, in the place of what CDK knows; whoever has more to wait for names both."""
    scope = stack()
    alarms = alarms_in(scope, [ERRORS, GONE])
    alarms.node.add_dependency(CfnResource(scope, "Mine", type="AWS::SNS::Topic"))
    template = synthesize(scope)
    assert resource(template, "web/errors")["DependsOn"] == ["Mine"]
    assert resource(template, "web/gone")["DependsOn"] == ["Scaling"]
    assert all("Mine" in one["DependsOn"] for one in template["Resources"].values() if "Composite" in one["Type"])

    scope = stack()
    alarms_in(scope, [ERRORS, GONE]).alarms[1].add_override("DependsOn", ["Scaling", "Mine"])
    CfnResource(scope, "Mine", type="AWS::SNS::Topic")
    assert resource(synthesize(scope), "web/gone")["DependsOn"] == ["Scaling", "Mine"]


@pytest.mark.parametrize("what", ["degraded", "outage"])
def test_an_alarm_that_is_named_like_its_component_s_is_refused(what: str) -> None:
    """Two alarms of one name would overwrite each other."""
    with pytest.raises(ValueError, match=f"alarm 'shop/staging/web/{what}' is described twice"):
        made([GONE, replace(LATER, what=what)])


def test_nobody_feels_it_so_there_is_no_component_alarm() -> None:
    """A composite costs 0.50 USD a month, and would say nothing."""
    assert composites(made([LATER, FULL])) == {}


@pytest.mark.parametrize(("base", "place"), [(BASE, BASE), (None, "docs/runbooks/")])
def test_each_alarm_ends_with_its_runbook(base: str | None, place: str) -> None:
    """Whoever is woken opens one link (W5); a component's alarms have runbooks too."""
    shared = replace(ERRORS, what="errors-1", runbook="errors")
    template = made([shared, GONE], runbooks=Runbooks(base=base))
    said = {name: one["AlarmDescription"] for name, one in composites(template).items()}
    said |= {name: one["AlarmDescription"] for name, one in alarm_math.by_name(template).items()}
    ends = {"errors-1": "errors", "gone": "gone", "degraded": "degraded", "outage": "outage"}
    assert {name.rpartition("/")[2]: text.rpartition(" ")[2] for name, text in said.items()} == {
        what: f"{place}{runbook}.md" for what, runbook in ends.items()
    }
    assert said["shop/staging/web/degraded"].startswith("[page] Those who use web notice a fault.")
    assert not said["shop/staging/web/outage"].startswith("[")
