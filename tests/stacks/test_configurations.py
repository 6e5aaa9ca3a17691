"""Services of the app with a configuration that goes on when AppConfig is down (lesson T2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.network.policy import NetworkPolicy
from constructs_lib.services.configuration.policy import ConfigurationDeployment
from constructs_lib.services.task.health_check import ContainerCheck, HealthCheck
from stacks.accepted_configurations import configuration_findings
from stacks.application import application
from stacks.config import EnvironmentConfig, ServiceConfig
from stacks.environments import ENVIRONMENTS
from stacks.service_config import ServiceConfiguration
from tests.support import DIGEST, Template, of_type, references, refused

STAGING = replace(ENVIRONMENTS[0], network=NetworkPolicy())
(WEB,) = STAGING.services
CONFIGURATION = ServiceConfiguration(
    schema='{"type": "object", "required": ["limit"]}',
    content='{"limit": 5}',
    agent_image=f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/aws-appconfig-agent@{DIGEST}",
    deployment=ConfigurationDeployment(minutes=5, growth_percent=50, bake_minutes=15),
)
WORKER = ServiceConfig(name="mailer", health_check=ContainerCheck.of("true"), configuration=CONFIGURATION)
CONFIG: EnvironmentConfig = replace(STAGING, services=(replace(WEB, configuration=CONFIGURATION), WORKER))


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Template]:
    """The environment's stacks by the end of their names, judged by all checks."""
    assembly = application([CONFIG], checked=True, outdir=str(tmp_path_factory.mktemp("out"))).synth()
    (stage,) = (nested.nested_assembly for nested in assembly.nested_assemblies)
    return {one.stack_name.rsplit("--", 1)[-1]: one.template for one in stage.stacks}


@pytest.fixture(scope="module")
def services(stacks: Mapping[str, Template]) -> Template:
    """The services' stack."""
    return stacks["services"]


def environment_of(services: Template, service: str) -> tuple[str, dict[str, Any]]:
    """AppConfig's environment of a service: its logical id, and the whole of it."""
    ((key, made),) = [
        (key, one)
        for key, one in services["Resources"].items()
        if one["Type"] == "AWS::AppConfig::Environment" and key.startswith(f"{service}configuration")
    ]
    return key, made


def test_each_service_has_its_own_application_in_appconfig(services: Template, stacks: Mapping[str, Template]) -> None:
    """So no two of them deploy to one environment of AppConfig at once, which it refuses."""
    names = {one["Name"] for one in of_type(services, "AWS::AppConfig::Application").values()}
    assert names == {"shop-staging-web", "shop-staging-mailer"}
    strategies = of_type(stacks["configuration"], "AWS::AppConfig::DeploymentStrategy").values()
    assert {
        (one["DeploymentDurationInMinutes"], one["GrowthFactor"], one["FinalBakeTimeInMinutes"]) for one in strategies
    } == {(5, 50, 15)}


def test_the_page_on_errors_takes_a_configuration_back(services: Template) -> None:
    """By the alarm's name, which is a text, after the alarm is made.

    Before the first release its actions are disabled, so AppConfig leaves the first deployment alone.
    """
    _, made = environment_of(services, "web")
    (monitor,) = made["Properties"]["Monitors"]
    assert json.dumps(monitor["AlarmArn"]).endswith(':alarm:shop/staging/web/application-errors"]]}')
    (alarm,) = made["DependsOn"]
    page = services["Resources"][alarm]["Properties"]
    assert page["AlarmName"] == "shop/staging/web/application-errors"
    assert alarm not in references(made["Properties"])
    (condition, acts, otherwise) = page["ActionsEnabled"]["Fn::If"]
    assert (acts, otherwise) == (True, False)
    assert condition in services["Conditions"]


def test_a_deployment_of_a_configuration_does_not_hold_a_rollback_up(stacks: Mapping[str, Template]) -> None:
    """CloudFormation may be busy with it for 20 minutes, and a busy stack takes no release of an image (W4).

    So contents and deployments are in a stack of their own, and the services' stack reads nothing of it.
    """
    rollouts = stacks["configuration"]
    kinds = {one["Type"] for one in rollouts["Resources"].values()}
    assert kinds == {
        f"AWS::AppConfig::{kind}" for kind in ("HostedConfigurationVersion", "DeploymentStrategy", "Deployment")
    }
    for name, template in stacks.items():
        there = {one["Type"] for one in template["Resources"].values()}
        assert name == "configuration" or "AWS::AppConfig::Deployment" not in there
        assert "shop--staging--configuration" not in json.dumps(template)


def test_without_a_configuration_there_is_no_such_stack(tmp_path: Path) -> None:
    """Nothing to deploy is no stack."""
    (stage,) = application([STAGING], outdir=str(tmp_path)).synth().nested_assemblies
    assert not [one for one in stage.nested_assembly.stacks if one.stack_name.endswith("--configuration")]


def test_a_worker_has_a_configuration_without_an_alarm(services: Template) -> None:
    """All its alarms name its ECS service, which waits for the configuration."""
    _, made = environment_of(services, "mailer")
    assert "Monitors" not in made["Properties"]


def test_a_release_changes_nothing_of_appconfig(services: Template) -> None:
    """No property depends on the digest: a release's narrow role needs no right in AppConfig, S3 or Lambda."""
    ours = [
        one
        for one in services["Resources"].values()
        if one["Type"].startswith("AWS::AppConfig") or one["Type"].startswith(("AWS::Lambda", "AWS::S3"))
    ]
    assert ours
    digests = set(services["Parameters"]) | {
        key for key, one in services["Resources"].items() if one["Type"] == "AWS::CloudWatch::Alarm"
    }
    for one in ours:
        assert "Fn::If" not in json.dumps(one["Properties"])
        assert not references(one["Properties"]) & digests


@pytest.mark.parametrize("service", ["web", "mailer"])
def test_the_agent_is_beside_each_application(services: Template, service: str) -> None:
    """Its image may be pulled from the private repository that is named, and from no other."""
    (task,) = [
        one
        for one in of_type(services, "AWS::ECS::TaskDefinition").values()
        if service in {container["Name"] for container in one["ContainerDefinitions"]}
    ]
    agent = next(one for one in task["ContainerDefinitions"] if one["Name"] == "configuration-agent")
    assert (agent["Essential"], agent["Image"]) == (False, CONFIGURATION.agent_image)
    role = task["ExecutionRoleArn"]["Fn::GetAtt"][0]
    allowed = [
        json.dumps(statement["Resource"])
        for policy in of_type(services, "AWS::IAM::Policy").values()
        if {"Ref": role} in policy["Roles"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "ecr:BatchGetImage" in statement["Action"]
    ]
    assert any(":ecr:eu-west-1:111122223333:repository/aws-appconfig-agent" in one for one in allowed)


def test_the_copies_are_watched(services: Template) -> None:
    """A notice for each service, named like all others."""
    alarms = {
        one["AlarmName"]: one
        for one in of_type(services, "AWS::CloudWatch::Alarm").values()
        if "configuration-copy" in one.get("AlarmName", "")
    }
    assert set(alarms) == {"shop/staging/web/configuration-copy", "shop/staging/mailer/configuration-copy"}
    made = alarms["shop/staging/web/configuration-copy"]
    assert (made["Threshold"], made["TreatMissingData"], made["Period"]) == (20, "breaching", 300)


def test_the_endpoint_comes_with_the_configuration(stacks: Mapping[str, Template]) -> None:
    """Private, so that the agents' polls take no port of the NAT gateway; and not without a configuration."""
    endpoints = json.dumps(of_type(stacks["network"], "AWS::EC2::VPCEndpoint"))
    assert "com.amazonaws.eu-west-1.appconfigdata" in endpoints
    assert "configuration" in CONFIG.features
    assert "configuration" not in STAGING.features


def test_what_is_accepted_is_no_more_than_what_a_configuration_brings() -> None:
    """Without one there is nothing to accept."""
    assert list(configuration_findings(STAGING)) == []
    assert {one.construct for one in configuration_findings(CONFIG)} == {"web-configuration", "mailer-configuration"}


@pytest.mark.parametrize(
    ("what", "value"), [("content", "limit: 5"), ("schema", "[]"), ("agent_image", "aws-appconfig-agent:2.x")]
)
def test_a_wrong_configuration_is_refused(what: str, value: str) -> None:
    """Before CDK starts."""
    allowed = "an image by digest" if what == "agent_image" else "the text of a JSON object"
    refused(lambda: replace(CONFIGURATION, **{what: value}), what, value, allowed)  # type: ignore[arg-type]


def test_what_is_no_configuration_is_refused() -> None:
    """Such as the text alone."""
    text: Any = '{"limit": 5}'
    refused(lambda: replace(WEB, configuration=text), "configuration", text, "a ServiceConfiguration or None")


def test_what_is_no_deployment_is_refused() -> None:
    """A word, such as AppConfig's own name of a strategy, would else fail when CDK asks for its minutes."""
    word: Any = "AppConfig.Linear50PercentEvery30Seconds"
    refused(lambda: replace(CONFIGURATION, deployment=word), "deployment", word, "a ConfigurationDeployment")


@pytest.mark.parametrize("setting", ["MOORINGS_CONFIG_URL", "MOORINGS_CONFIG_COPY", "MOORINGS_CONFIG_DIRECTORY"])
def test_a_setting_that_the_configuration_sets_is_refused(setting: str) -> None:
    """Plain or secret: one of the two would silently win."""
    plain, secret = replace(WEB, environment=((setting, "mine"),)), replace(WEB, secrets=(setting,))
    what, allowed = "environment and secrets", "without it"
    refused(lambda: replace(plain, configuration=CONFIGURATION), what, setting, allowed)
    refused(lambda: replace(secret, configuration=CONFIGURATION), what, setting, allowed)


def test_an_application_on_the_agents_port_is_refused() -> None:
    """Containers of a task share its ports: one of the two could not listen."""
    there = replace(WEB, health_check=HealthCheck.http("/healthz", port=2772, program="python3"))
    refused(lambda: replace(there, configuration=CONFIGURATION), "port of health_check", 2772, "another one")


def test_the_files_of_a_team_are_texts_here(tmp_path: Path) -> None:
    """A schema and a content that lie beside the code."""
    (tmp_path / "limits.json").write_text('{"limit": 7}')
    made = replace(CONFIGURATION, content=(tmp_path / "limits.json").read_text())
    assert json.loads(made.content) == {"limit": 7}
