"""Each environment has a dashboard of what is its own, and event buses get what was asked (lessons W3, W5)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.observability.notification.targets import EmailTarget, EventBusTarget
from stacks.application import application
from stacks.environments import ENVIRONMENTS
from tests.conftest import Templates
from tests.observability.dashboard.body_structure import problems
from tests.support import of_type, only

BUS = "arn:aws:events:eu-west-1:444455556666:event-bus/operations"


def body(templates: Templates, environment: str) -> Any:
    """An environment's dashboard, with the names of variables for what CloudFormation puts in."""
    made = only(templates[f"shop--{environment}--services"], "AWS::CloudWatch::Dashboard")
    text, variables = made["DashboardBody"]["Fn::Sub"]
    for name in variables:
        text = text.replace(f"${{{name}}}", name)
    return json.loads(text)


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_its_dashboard_is_what_aws_documents(environment: str, templates: Templates) -> None:
    """Every metric on it exists, and nothing lies over another."""
    assert problems(body(templates, environment)) == []
    made = only(templates[f"shop--{environment}--services"], "AWS::CloudWatch::Dashboard")
    assert made["DashboardName"] == f"shop--{environment}"


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_it_shows_every_alarm_of_the_environment_and_none_of_another(environment: str, templates: Templates) -> None:
    """Whatever stack made it. Only the status page's own, which may be in another Region, are not here."""
    made = {
        alarm["AlarmName"]
        for stack in ("services", "network", "retention", "observability")
        for alarm in of_type(templates[f"shop--{environment}--{stack}"], "AWS::CloudWatch::Alarm").values()
        if "AlarmName" in alarm
    }
    shown = {
        arn.split(":alarm:")[1]
        for widget in body(templates, environment)["widgets"]
        if widget["type"] == "alarm" and "states" in widget["properties"]
        for arn in widget["properties"]["alarms"]
    }
    assert shown == made


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_the_first_row_has_every_alarm_that_pages(environment: str, templates: Templates) -> None:
    """Those whose action is the page topic, in whichever stack, and composites beside them."""
    pages = set()
    for stack in ("services", "network", "retention", "observability"):
        template = templates[f"shop--{environment}--{stack}"]
        for kind in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
            for alarm in of_type(template, kind).values():
                if "Page" in json.dumps(alarm.get("AlarmActions", "")):
                    pages.add(alarm["AlarmName"])
    first = next(each for each in body(templates, environment)["widgets"] if each["type"] == "alarm")
    shown = {arn.split(":alarm:")[1] for arn in first["properties"]["alarms"]}
    assert pages
    assert pages <= shown
    assert all(name.endswith("/outage") for name in shown - pages)


def test_it_asks_no_other_stack_for_a_name(templates: Templates) -> None:
    """What is exported for a dashboard could not be changed any more."""
    for environment in ("staging", "production"):
        made = only(templates[f"shop--{environment}--services"], "AWS::CloudWatch::Dashboard")
        assert "Fn::ImportValue" not in json.dumps(made)


def test_the_line_of_latency_is_that_of_its_alarm(templates: Templates) -> None:
    """A dashboard's limits are the alarms' own thresholds."""
    alarms = of_type(templates["shop--production--services"], "AWS::CloudWatch::Alarm").values()
    (wanted,) = (alarm["Threshold"]["Fn::If"][1] for alarm in alarms if alarm.get("ExtendedStatistic") == "p99")
    latency = next(
        each["properties"]
        for each in body(templates, "production")["widgets"]
        if each["properties"].get("title") == "Latency"
    )
    assert [line["value"] for line in latency["annotations"]["horizontal"]] == [wanted]


def test_healthy_tasks_are_shown_by_the_environments_zones(templates: Templates) -> None:
    """Two in staging, three in production."""
    for environment, zones in (("staging", 2), ("production", 3)):
        shown = next(
            each["properties"]
            for each in body(templates, environment)["widgets"]
            if each["properties"].get("title") == "Healthy tasks by zone"
        )
        named = [line[-1]["label"] for line in shown["metrics"]]
        assert named == [f"eu-west-1{letter}" for letter in "abc"[:zones]]


def test_without_a_dashboard_and_with_an_event_bus(tmp_path: Path) -> None:
    """``dashboard=False`` makes none; a bus is told by rules, and by no subscription."""
    told = (EmailTarget(address="ops@example.com"), EventBusTarget(bus_arn=BUS))
    config = replace(ENVIRONMENTS[0], dashboard=False, notify=told)
    application((config,), checked=False, outdir=str(tmp_path)).synth()
    made = {path.name: json.loads(path.read_text()) for path in tmp_path.rglob("*.template.json")}
    assert len(made) >= 6
    found = [each for one in made.values() for each in of_type(one, "AWS::CloudWatch::Dashboard")]
    assert found == []
    (told_by,) = (template for name, template in made.items() if "observability" in name)
    assert {each["Protocol"] for each in of_type(told_by, "AWS::SNS::Subscription").values()} == {"email"}
    buses = [
        target["Arn"]
        for rule in of_type(told_by, "AWS::Events::Rule").values()
        for target in rule["Targets"]
        if "event-bus" in str(target["Arn"])
    ]
    assert buses == [BUS] * 5
    names = [alarm["AlarmName"] for alarm in of_type(told_by, "AWS::CloudWatch::Alarm").values()]
    assert "shop/staging/notification/events-not-forwarded" in names
