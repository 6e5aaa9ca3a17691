"""What holds for every environment of the app, read from the templates."""

from __future__ import annotations

import json
import re

import pytest

from stacks import gate
from stacks.environments import ENVIRONMENTS
from tests.conftest import Templates
from tests.delivery.support import of_type
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
