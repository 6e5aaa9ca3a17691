"""What holds for every environment of the app, read from the templates."""

from __future__ import annotations

import re

import pytest

from stacks import gate
from stacks.environments import ENVIRONMENTS
from tests.conftest import Templates
from tests.delivery.support import of_type

ENVIRONMENT_NAMES = [environment.name for environment in ENVIRONMENTS]
PUSH = {"ecr:PutImage", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"}

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


def test_no_role_can_push_to_two_repositories(templates: Templates) -> None:
    """Of all roles of all environments, each that may push may do so to one repository of one environment (Q1)."""
    pushes: dict[str, set[str]] = {}
    for name, template in templates.items():
        for logical_id, statement in gate.identity_statements(template):
            actions = statement["Action"]
            if PUSH & set(actions if isinstance(actions, list) else [actions]):
                pushes.setdefault(f"{name}/{logical_id}", set()).add(str(statement["Resource"]))
    assert len(pushes) == len(ENVIRONMENTS)
    for role, resources in pushes.items():
        environment = role.split("--")[1]
        (resource,) = resources
        assert re.findall(r"repository/([\w/-]+)", resource) == [f"shop/{environment}/web"]


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
