"""Our rules judge our own app, with what other code adds to it."""

from __future__ import annotations

import pytest
from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from constructs_lib.services.fargate_service import FargateWebService
from stacks.application import application
from stacks.environments import ENVIRONMENTS
from stacks.stage import EnvironmentStage
from tests.guardrails.cdk_apps import Reported, Synthesis, synthesized
from tests.services.conftest import SIDECAR

STAGING = ENVIRONMENTS[0]


def judged(done: Synthesis) -> Reported:
    """What CDK reported of our rules, beside those of cdk-nag."""
    (ours,) = (plugin for plugin in done.plugins if plugin.raw["pluginName"] == "Moorings")
    return ours


@pytest.fixture(scope="module")
def tampered(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """Staging, where other code added a container to our task, and a target group to our load balancer."""
    app = application([STAGING], outdir=str(tmp_path_factory.mktemp("assembly") / "cdk.out"))
    stage = app.node.find_child(STAGING.name)
    assert isinstance(stage, EnvironmentStage)
    assert stage.network is not None
    web = stage.services.node.find_child("web")
    assert isinstance(web, FargateWebService)
    task = web.task.definition.node.default_child
    assert isinstance(task, ecs.CfnTaskDefinition)
    task.add_property_override("ContainerDefinitions.1", {"Name": "agent", "Image": SIDECAR, "Essential": False})
    other = elbv2.ApplicationTargetGroup(
        stage.services, "Other", vpc=stage.network.vpc, port=80, deregistration_delay=Duration.seconds(1)
    )
    listener = elbv2.ApplicationListener(
        stage.services,
        "OtherListener",
        load_balancer=web.load_balancer,
        port=8081,
        protocol=elbv2.ApplicationProtocol.HTTP,
        default_target_groups=[other],
        open=False,
    )
    listener.connections.allow_default_port_from(ec2.Peer.ipv4("10.0.0.0/16"))
    return synthesized(app, rules=("MOOR-W2", "MOOR-T3"))


def test_a_container_of_other_code_without_logs_stops_the_synthesis(
    tampered: Synthesis, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The task refuses one that CDK knows of; one that an override wrote past it is found in the template (W2)."""
    app = application([STAGING], checked=False, outdir=str(tmp_path_factory.mktemp("known") / "cdk.out"))
    web = app.node.find_child(STAGING.name).node.find_child("services").node.find_child("web")
    assert isinstance(web, FargateWebService)
    web.service.task_definition.add_container("agent", image=ecs.ContainerImage.from_registry(SIDECAR))
    with pytest.raises(RuntimeError, match="the log driver of container 'agent' must be named"):
        app.synth()
    assert ("MOOR-W2a", "staging/services/web/Task/Resource") in judged(tampered).stands
    assert judged(tampered).severities["MOOR-W2a"] == "error"
    assert "MOOR-W2a" in tampered.error


def test_what_is_accepted_of_our_service_is_accepted_there_only(tampered: Synthesis) -> None:
    """Another target group of the stack, which nobody argued for, is found (T3)."""
    ours = judged(tampered)
    assert [where for rule, where in ours.stands if rule == "MOOR-T3a"] == ["staging/services/Other/Resource"]
    assert {(rule, where) for rule, where, _ in ours.left_out} == {
        ("MOOR-T3a", "staging/services/web/Targets/Resource"),
        ("MOOR-T3d", "staging/services/web/Task/Resource"),
    }
