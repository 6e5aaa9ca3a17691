"""What holds for every environment of the app, read from the templates."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from stacks import gate
from stacks.application import application
from stacks.config import SERVICES_AT_MOST
from stacks.environments import ENVIRONMENTS
from tests.conftest import Templates
from tests.delivery.support import of_type
from tests.stacks.variants import variants
from tests.support import listed

ENVIRONMENT_NAMES = [environment.name for environment in ENVIRONMENTS]
UPLOAD = {"ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"}
PUT = {"ecr:PutImage", *UPLOAD}

PINNED_IDS = {
    "images": {"AWS::ECR::Repository": {"webC55AEA92"}},
    "network": {"AWS::Logs::LogGroup": {"NetworkFlowLogs2BEC3212"}},
    "services": {
        "AWS::Logs::LogGroup": {"webwebLogs0D0848CC"},
        "AWS::ElasticLoadBalancingV2::LoadBalancer": {"webLoadBalancer50866541"},
        "AWS::S3::Bucket": {"AccessLogs247031D9"},
    },
}
"""Renaming one of these replaces it: the images, the logs or the address that visitors use would be gone."""


@pytest.mark.parametrize("environment", ENVIRONMENT_NAMES)
@pytest.mark.parametrize("stack", PINNED_IDS)
def test_logical_ids_of_what_must_not_be_replaced(environment: str, stack: str, templates: Templates) -> None:
    """Repositories, log groups, load balancers and their logs keep their logical ids."""
    template = templates[f"shop--{environment}--{stack}"]
    for kind, ids in PINNED_IDS[stack].items():
        assert set(of_type(template, kind)) == ids


@pytest.mark.parametrize("environment", ENVIRONMENT_NAMES)
def test_repositories_outlive_their_stack(environment: str, templates: Templates) -> None:
    """A repository is kept when its stack is deleted or its definition is replaced (lesson Q2)."""
    for repository in of_type(templates[f"shop--{environment}--images"], "AWS::ECR::Repository").values():
        assert repository["DeletionPolicy"] == repository["UpdateReplacePolicy"] == "Retain"


def repositories_by_role(templates: Templates, actions: set[str]) -> dict[str, set[str]]:
    """The repositories of each role of all environments that has one of the actions, as ``<stack>/<role>``."""
    found: dict[str, set[str]] = {}
    for name, template in templates.items():
        for logical_id, statement in gate.identity_statements(template):
            if actions & set(listed(statement["Action"])):
                text = json.dumps(statement["Resource"])
                found.setdefault(f"{name}/{logical_id}", set()).update(re.findall(r"repository/([\w/-]+)", text))
    return found


def test_no_role_can_push_to_two_repositories(templates: Templates) -> None:
    """Of all roles of all environments, each that may upload may do so to one repository of one environment (Q1)."""
    uploads = repositories_by_role(templates, UPLOAD)
    assert len(uploads) == len(ENVIRONMENTS)
    for role, repositories in uploads.items():
        environment = role.split("--")[1]
        assert repositories == {f"shop/{environment}/web"}


def test_besides_the_builds_only_the_guard_may_tag_images(templates: Templates) -> None:
    """One more role an environment may put an image, without uploading one: in its own repositories only (Q1, Q2)."""
    uploads, puts = repositories_by_role(templates, UPLOAD), repositories_by_role(templates, PUT)
    guards = {role: repositories for role, repositories in puts.items() if role not in uploads}
    assert {role.split("/")[0] for role in guards} == {f"shop--{name}--retention" for name in ENVIRONMENT_NAMES}
    for role, repositories in guards.items():
        assert repositories == {f"shop/{role.split('--')[1]}/web"}


@pytest.mark.parametrize("environment", ENVIRONMENT_NAMES)
def test_the_guard_looks_after_every_repository_and_release(environment: str, templates: Templates) -> None:
    """No repository of an environment is left out, and none of another is touched (Q2)."""
    template = templates[f"shop--{environment}--retention"]
    (function,) = of_type(template, "AWS::Lambda::Function").values()
    settings = json.dumps(function["Properties"]["Environment"]["Variables"]["MOORINGS_GUARD"])
    made = of_type(templates[f"shop--{environment}--images"], "AWS::ECR::Repository").values()
    names = [repository["Properties"]["RepositoryName"] for repository in made]
    assert re.findall(r"repository\W+([\w/-]+)", settings) == names
    parameters = re.findall(r"/moorings/[\w/-]+", settings)
    assert parameters == [f"/moorings/shop/{environment}/web/digest"]


@pytest.mark.parametrize("environment", ENVIRONMENT_NAMES)
def test_a_missing_image_pages(environment: str, templates: Templates) -> None:
    """The guard's alarms go to the environment's topic; one of them pages (Q4)."""
    alarms = of_type(templates[f"shop--{environment}--retention"], "AWS::CloudWatch::Alarm").values()
    named = {alarm["Properties"]["AlarmName"]: alarm["Properties"] for alarm in alarms}
    start = f"shop/{environment}/images"
    assert set(named) == {
        f"{start}/{what}" for what in ("missing-image", "image-at-risk", "scan-incomplete", "guard-silent")
    }
    assert [name for name, alarm in named.items() if alarm["AlarmDescription"].startswith("[page]")] == [
        f"{start}/missing-image"
    ]
    assert named[f"{start}/missing-image"]["TreatMissingData"] == "ignore"
    assert all(alarm["AlarmActions"] for alarm in named.values())


@pytest.mark.parametrize(("environment", "gateways"), [("staging", 1), ("production", 3)])
def test_a_gateway_without_a_port_pages(environment: str, gateways: int, templates: Templates) -> None:
    """Each NAT gateway has an alarm in its own stack, which goes to the environment's topic (W1)."""
    template = templates[f"shop--{environment}--network"]
    alarms = [alarm["Properties"] for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()]
    start = f"shop/{environment}/network/nat-ports-"
    assert {alarm["AlarmName"] for alarm in alarms} == {f"{start}{number + 1}" for number in range(gateways)}
    watched = {alarm["Dimensions"][0]["Value"]["Ref"] for alarm in alarms}
    assert watched == set(of_type(template, "AWS::EC2::NatGateway"))
    for alarm in alarms:
        (topic,) = alarm["AlarmActions"]
        assert topic["Fn::GetStackOutput"]["StackName"] == f"shop--{environment}--observability"


@pytest.mark.parametrize("environment", ENVIRONMENT_NAMES)
def test_scaling_that_cannot_keep_up_is_told_and_wakes_nobody(environment: str, templates: Templates) -> None:
    """The service has four pages, and a notice when it needs more than it may have (T1)."""
    alarms = of_type(templates[f"shop--{environment}--services"], "AWS::CloudWatch::Alarm").values()
    told = [alarm["Properties"] for alarm in alarms if "AlarmActions" in alarm["Properties"]]
    notices = [alarm["AlarmName"] for alarm in told if alarm["AlarmDescription"].startswith("[notice]")]
    assert (len(told), notices) == (5, [f"shop/{environment}/web/scaling-cannot-keep-up"])


def test_the_alarm_topic_is_there_before_what_is_watched(assembly: Path) -> None:
    """The network waits for the topic and for nothing else, and the services wait for the network."""
    for environment in ENVIRONMENT_NAMES:
        manifest = json.loads((assembly / f"assembly-{environment}" / "manifest.json").read_text())
        waits = {
            artifact["properties"]["stackName"].rsplit("--", 1)[1]: {
                name for name in artifact["dependencies"] if not name.endswith(".assets")
            }
            for artifact in manifest["artifacts"].values()
            if artifact["type"] == "aws:cloudformation:stack"
        }
        ids = {key.removeprefix(environment)[:-8]: key for names in waits.values() for key in names}
        assert waits["observability"] == set()
        assert waits["network"] == {ids["observability"]}
        assert ids["network"] in waits["services"]


def test_the_most_services_that_are_accepted_fit_a_stack(tmp_path: Path) -> None:
    """CDK refuses a stack of more than 500 resources, so the limit must hold with all that a service may have."""
    (public, *_) = variants()
    web = public.services[0]
    services = tuple(replace(web, name=f"s-{number}", subdomain=f"s-{number}") for number in range(SERVICES_AT_MOST))
    application([replace(public, services=services)], checked=False, outdir=str(tmp_path)).synth()


@pytest.mark.parametrize("environment", ENVIRONMENT_NAMES)
def test_the_digest_is_read_from_the_release_parameter(environment: str, templates: Templates) -> None:
    """The services' stack has the parameter's name as default and no digest of its own."""
    parameters = templates[f"shop--{environment}--services"]["Parameters"]
    defaults = [
        value["Default"] for value in parameters.values() if value["Type"] == "AWS::SSM::Parameter::Value<String>"
    ]
    assert f"/moorings/shop/{environment}/web/digest" in defaults
    assert "sha256:" not in str(parameters)


def test_production_spreads_over_three_zones_with_a_nat_gateway_each(templates: Templates) -> None:
    """Production has three zones that do not depend on each other; staging saves two of the NAT gateways."""
    for environment, zones, gateways in (("staging", 2, 1), ("production", 3, 3)):
        network = templates[f"shop--{environment}--network"]
        subnets = of_type(network, "AWS::EC2::Subnet").values()
        assert len({subnet["Properties"]["AvailabilityZone"] for subnet in subnets}) == zones
        assert len(of_type(network, "AWS::EC2::NatGateway")) == gateways


def test_nothing_is_open_to_the_internet(templates: Templates) -> None:
    """No security group of the app admits everybody, and every load balancer is internal, unless asked."""
    for template in templates.values():
        for group in of_type(template, "AWS::EC2::SecurityGroup").values():
            assert "0.0.0.0/0" not in str(group["Properties"].get("SecurityGroupIngress", []))
        for balancer in of_type(template, "AWS::ElasticLoadBalancingV2::LoadBalancer").values():
            assert balancer["Properties"]["Scheme"] == "internal"
