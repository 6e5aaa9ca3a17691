"""An environment whose web services' sockets are counted: they are compared with those before a release (W1)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from constructs_lib.services.deployments.deployment_policy import DeploymentPolicy, DeploymentStrategy
from constructs_lib.services.sockets.comparison_alarms import SocketChange
from constructs_lib.services.sockets.socket_metrics import SocketMetrics
from constructs_lib.services.task.health_check import ContainerCheck
from stacks.application import application
from stacks.config import EnvironmentConfig, ServiceConfig
from stacks.environments import ENVIRONMENTS
from stacks.releases import ReleasePolicy
from tests.support import DIGEST, Template, of_type, references, refused

STAGING = ENVIRONMENTS[0]
WEB = STAGING.services[0]
AGENT = SocketMetrics(image=f"public.ecr.aws/cloudwatch-agent/cloudwatch-agent@{DIGEST}")
SHIFTING = DeploymentPolicy(strategy=DeploymentStrategy.BLUE_GREEN)
COUNTED = replace(
    STAGING,
    services=(
        replace(WEB, socket_metrics=AGENT),
        replace(WEB, name="shop-api", subdomain="api", socket_metrics=AGENT, deployment=SHIFTING),
        replace(WEB, name="plain", subdomain="plain"),
        ServiceConfig(name="mailer", health_check=ContainerCheck.of("true"), socket_metrics=AGENT),
    ),
    release=ReleasePolicy(sockets=SocketChange(times=2)),
)


def template_of(config: EnvironmentConfig, folder: Path) -> Template:
    """The services' stack."""
    application((config,), checked=False, outdir=str(folder)).synth()
    (path,) = folder.rglob("*services*.template.json")
    found: Template = json.loads(path.read_text())
    return found


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Two web services that are counted, one that is not, and a worker that is."""
    return template_of(COUNTED, tmp_path_factory.mktemp("counted"))


def test_before_without_socket_metrics_there_is_no_comparison(tmp_path: Path) -> None:
    """It costs, and would have nothing to compare."""
    template = template_of(STAGING, tmp_path)
    assert not [one for one in template["Resources"] if one.startswith("SocketComparison")]


def test_after_one_function_compares_the_web_services_that_are_counted(counted: Template) -> None:
    """By the names that CloudFormation makes; of a service that shifts requests both target groups."""
    ((function, properties),) = (
        (key, one)
        for key, one in of_type(counted, "AWS::Lambda::Function").items()
        if key.startswith("SocketComparison")
    )
    parts = properties["Environment"]["Variables"]["MOORINGS_SOCKETS"]["Fn::Join"][1]
    settings = json.loads("".join(part if isinstance(part, str) else "x" for part in parts))
    assert [(one[0], one[3], len(one[4])) for one in settings["services"]] == [
        ("web", "web", 1),
        ("shop-api", "shop-api", 2),
    ]
    assert settings["threshold"] == 2
    named = references(properties["Environment"])
    services = {key for key in of_type(counted, "AWS::ECS::Service") if key.startswith(("web", "shopapi"))}
    assert services < named
    assert len(named & set(of_type(counted, "AWS::ElasticLoadBalancingV2::TargetGroup"))) == 3
    assert len(named & set(of_type(counted, "AWS::ElasticLoadBalancingV2::LoadBalancer"))) == 2
    assert all(len(one) == 6 for one in settings["services"])
    assert function


def test_after_each_has_a_page_of_its_own_and_the_environment_a_notice(counted: Template) -> None:
    """They go where all alarms go, before a first release too: there is nothing to compare then."""
    alarms = {
        one["AlarmName"]: one for one in of_type(counted, "AWS::CloudWatch::Alarm").values() if "AlarmName" in one
    }
    pages = [name for name in alarms if name.endswith("/more-sockets-than-before")]
    assert sorted(pages) == [f"shop/staging/{name}/more-sockets-than-before" for name in ("shop-api", "web")]
    for name in pages:
        place = name.removesuffix("/more-sockets-than-before")
        assert f"`moorings rollback {place}`" in alarms[name]["AlarmDescription"]
        assert (alarms[name]["Threshold"], alarms[name]["TreatMissingData"]) == (2, "notBreaching")
        assert alarms[name]["AlarmActions"]
    assert "shop/staging/ports/sockets-not-compared" in alarms


def test_a_wrong_threshold_is_refused() -> None:
    """A bare number could be anything."""
    refused(lambda: ReleasePolicy(sockets=1.5), "sockets", 1.5, "a SocketChange")  # type: ignore[arg-type]
