"""Each environment keeps the events of its own resources, and no other's (lesson W5)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stacks.acknowledged import accepted
from stacks.application import application
from stacks.config import EnvironmentConfig
from stacks.environments import ENVIRONMENTS
from stacks.landscape import neighbours
from tests.conftest import Templates
from tests.delivery.support import of_type, only
from tests.observability.evidence.event_bridge import matches
from tests.observability.evidence.test_evidence_log import known
from tests.observability.evidence.test_patterns import KEPT_BY
from tests.observability.sample_events import sample, samples


def kept(templates: Templates, environment: str, event: Any) -> int:
    """How many rules of an environment's log keep an event."""
    rules = of_type(templates[f"shop--{environment}--observability"], "AWS::Events::Rule").values()
    logs = [rule for rule in rules if "Keeps as evidence" in str(rule)]
    assert len(logs) == 5
    return sum(matches(known(rule["Properties"]["EventPattern"]), event) for rule in logs)


@pytest.mark.parametrize("name", [name for name in samples() if not name.startswith("health")])
def test_staging_keeps_its_own_events_once(name: str, templates: Templates) -> None:
    """The samples are of staging: each that is evidence is kept by one rule, the others by none."""
    event = sample(name)
    in_region = name not in ("hostile-health", "malformed-health-without-text")
    assert kept(templates, "staging", event) == (name in KEPT_BY)
    if in_region and name != "foreign-image-of-production":
        assert kept(templates, "production", event) == 0


def test_what_generated_names_begin_with(templates: Templates) -> None:
    """Cluster and service have no name of their own, so it begins with the stack's: the rules lean on it."""
    template = templates["shop--staging--services"]
    assert "ClusterName" not in only(template, "AWS::ECS::Cluster").get("Properties", {})
    assert all("ServiceName" not in each["Properties"] for each in of_type(template, "AWS::ECS::Service").values())
    event = sample("task-stopped-exit")
    assert event["detail"]["clusterArn"].split("cluster/")[1].startswith("shop--staging--services-ClusterEB0386A7-")


def test_repositories_and_projects_are_those_of_the_patterns(templates: Templates) -> None:
    """Their names are chosen, and begin with what the rules match."""
    repository = only(templates["shop--staging--images"], "AWS::ECR::Repository")["Properties"]["RepositoryName"]
    event = sample("image-deleted")
    event["detail"]["repository-name"] = repository
    assert kept(templates, "staging", event) == 1
    for stack in ("delivery", "release"):
        for project in of_type(templates[f"shop--staging--{stack}"], "AWS::CodeBuild::Project").values():
            event = sample("build-failed")
            event["detail"]["project-name"] = project["Properties"]["Name"]
            assert kept(templates, "staging", event) == 1


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_the_log_is_never_replaced(environment: str, templates: Templates) -> None:
    """Its logical id stays: another one would be another log, of the same name, and the deployment would fail."""
    groups = of_type(templates[f"shop--{environment}--observability"], "AWS::Logs::LogGroup")
    log = groups["Evidence1F48D0F2"]
    assert log["Properties"]["LogGroupName"] == f"/aws/events/moorings/shop/{environment}"
    assert log["DeletionPolicy"] == "RetainExceptOnCreate"


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_the_log_s_own_alarm_is_a_notice(environment: str, templates: Templates) -> None:
    """What could not be written is told; nobody is woken by it."""
    alarms = of_type(templates[f"shop--{environment}--observability"], "AWS::CloudWatch::Alarm").values()
    (alarm,) = [each["Properties"] for each in alarms if each["Properties"]["AlarmName"].endswith("/evidence-lost")]
    assert alarm["AlarmName"] == f"shop/{environment}/evidence/evidence-lost"
    assert alarm["AlarmDescription"].startswith("[notice]")
    assert len(alarm["Metrics"]) == 6


def stacks_of(config: EnvironmentConfig, folder: Path) -> Templates:
    """Two templates of one environment, by the stack's own name."""
    application((config,), checked=False, outdir=str(folder)).synth()
    return {
        word: json.loads(next(folder.rglob(f"*{word}*.template.json")).read_text())
        for word in ("services", "observability")
    }


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_container_insights_is_off_unless_asked_for(environment: str, templates: Templates) -> None:
    """It is charged by metric, and no alarm, no panel and no target of scaling reads one of its metrics."""
    cluster = only(templates[f"shop--{environment}--services"], "AWS::ECS::Cluster")["Properties"]
    assert cluster["ClusterSettings"] == [{"Name": "containerInsights", "Value": "disabled"}]
    for name, template in templates.items():
        assert "ContainerInsights" not in json.dumps(template), name


def test_what_is_asked_for_is_made(tmp_path: Path) -> None:
    """Container Insights where its price is worth it; and no policy of ours in an account that has ten (W5)."""
    asked = replace(ENVIRONMENTS[0], container_insights=True, log_resource_policy=False)
    made = stacks_of(asked, tmp_path)
    cluster = only(made["services"], "AWS::ECS::Cluster")["Properties"]
    assert cluster["ClusterSettings"] == [{"Name": "containerInsights", "Value": "enabled"}]
    assert of_type(made["observability"], "AWS::Logs::ResourcePolicy") == {}
    rules = of_type(made["observability"], "AWS::Events::Rule").values()
    assert len([rule for rule in rules if "Keeps as evidence" in str(rule)]) == 5


def test_each_environment_makes_its_policy_by_default(templates: Templates) -> None:
    """Ten environments fit into an account and Region without a word."""
    for environment in ("staging", "production"):
        assert len(of_type(templates[f"shop--{environment}--observability"], "AWS::Logs::ResourcePolicy")) == 1


@pytest.mark.parametrize("asked", [False, True])
def test_only_what_is_off_is_accepted(asked: bool) -> None:
    """AwsSolutions-ECS4 has a reason where Container Insights is off, and none where there is nothing to accept."""
    config = replace(ENVIRONMENTS[0], container_insights=asked)
    found = accepted(config, neighbours(config, (config,)))
    assert any(one.id.endswith("ECS4") for one in found) is not asked
