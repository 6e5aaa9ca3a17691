"""What a service refuses when it is made, and the surface that it promises."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Environment, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_sqs as sqs

from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import FixedDigest
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.log_delivery import LogDelivery
from tests.services.conftest import CHECK, parts
from tests.support import DIGEST, REGION, Template, of_type, only, refused, stack, statements, synthesize

ZONES = "in at least two availability zones"


def service(scope: Stack, network: ec2.IVpc | None = None, id: str = "Web", **changes: Any) -> FargateWebService:
    """A service with defaults, but for ``changes``."""
    if network is None:
        cluster, repository = parts(scope)
    else:
        cluster, repository = ecs.Cluster(scope, "Cluster", vpc=network), ecr.Repository(scope, "Images")
    values: dict[str, Any] = {"image": FixedDigest(DIGEST), "health_check": CHECK, **changes}
    return FargateWebService(scope, id, cluster=cluster, repository=repository, **values)


def imported(scope: Stack, zones: list[str]) -> ec2.IVpc:
    """A VPC of somebody else over these zones."""
    return ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=zones,
        private_subnet_ids=[f"subnet-{number}" for number in range(len(zones))],
    )


def test_a_vpc_of_one_zone_is_refused() -> None:
    """The loss of one zone must not end the service (T4)."""
    scope = stack()
    refused(lambda: service(scope, imported(scope, ["eu-west-1a"])), "cluster.vpc", ["eu-west-1a"], ZONES)


def test_one_zone_named_twice_is_refused() -> None:
    """Two subnets of one zone are no two zones (T4)."""
    scope = stack()
    refused(lambda: service(scope, imported(scope, ["eu-west-1a"] * 2)), "cluster.vpc", ["eu-west-1a"], ZONES)


@pytest.mark.parametrize("account", [None, "111122223333"])
def test_a_new_vpc_of_one_zone_is_refused(account: str | None) -> None:
    """Also when the zone's name is a Token, as it is in a stack without an account (T4)."""
    scope = Stack(App(), "Stack", env=Environment(account=account, region=REGION))
    network = ec2.Vpc(scope, "Vpc", max_azs=1, nat_gateways=0)
    with pytest.raises(ValueError, match=rf"^cluster\.vpc must be {ZONES}, got \[.+\]; .+"):
        service(scope, network)


def test_a_list_of_zones_that_is_not_known_yet_is_accepted() -> None:
    """A VPC whose zones come from another stack's output cannot be counted, and is trusted."""
    scope = stack()
    network = ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=Fn.split(",", Fn.import_value("Zones")),
        private_subnet_ids=Fn.split(",", Fn.import_value("Subnets")),
    )
    assert service(scope, network).task.container.container_name == "web"


def test_a_vpc_without_private_subnets_is_refused() -> None:
    """Tasks have no public address, so public subnets alone would leave them without a way out."""
    scope = stack()
    network = ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        public_subnet_ids=["subnet-a", "subnet-b"],
    )
    refused(lambda: service(scope, network), "cluster.vpc", "no private subnet", "a VPC with private subnets")


@pytest.mark.parametrize("image", ["latest", DIGEST, None, ecs.ContainerImage.from_registry("busybox")])
def test_an_image_that_is_no_digest_value_is_refused(image: Any) -> None:
    """A text or CDK's own image could be a tag, so only the two digest values are taken (Q3)."""
    refused(lambda: service(stack(), image=image), "image", image, "a FixedDigest or a ReleasedDigest")


def test_a_buffer_over_a_quarter_of_the_task_is_refused() -> None:
    """The buffer is part of the task's memory (W2)."""
    delivery = LogDelivery(buffer_mib=257)
    refused(lambda: service(stack(), log_delivery=delivery), "buffer_mib", 257, "a quarter of the task's 1024 MiB")


def test_a_stack_without_a_region_is_refused_with_a_load_balancer_of_its_own() -> None:
    """Access logs need to know the region; the fix names the line to add (W5)."""
    scope = stack(region=None)
    fix = refused(lambda: service(scope), "the stack's region", "unknown", "known, because access logs need it")
    assert "env=Environment(region=" in fix


@pytest.mark.parametrize(
    ("id", "component"),
    [("Web", "web"), ("web", "web"), ("WebAPI", "web-api"), ("APIServer", "api-server"), ("web-two", "web-two")],
)
def test_a_component_is_named_after_the_id(id: str, component: str) -> None:
    """Alarms, containers and logs carry one readable name, whichever way the construct is written."""
    made = service(stack(), id=id)
    assert {alarm.component for alarm in made.alarms} == {component}
    assert made.task.container.container_name == component


@pytest.mark.parametrize("id", ["2web", "--", "A" * 31, "web_two", "we!b"])
def test_an_id_that_gives_no_name_is_refused(id: str) -> None:
    """An id that leaves no valid component name fails before anything is made."""
    with pytest.raises(ValueError, match=r"^id must be .+, got .+; .+"):
        service(stack(), id=id)


@pytest.fixture(scope="module")
def granted() -> Template:
    """A service that was used as its promised surface allows."""
    scope = stack()
    made = service(scope, settings=ContainerSettings(environment={"A": "1"}))
    queue = sqs.Queue(scope, "Queue")
    queue.grant_send_messages(made.task_role)
    made.connections.allow_to(ec2.Peer.ipv4("10.0.0.0/16"), ec2.Port.tcp(5432), "database")
    made.load_balancer.connections.allow_from(ec2.Peer.ipv4("10.2.0.0/16"), ec2.Port.tcp(80))
    made.target_group.set_attribute("slow_start.duration_seconds", "30")
    assert isinstance(made.service, ecs.FargateService)
    return synthesize(scope)


def test_the_task_role_gets_what_is_granted(granted: Template) -> None:
    """A grant lands on the role that the application runs with, and on it alone."""
    role = only(granted, "AWS::ECS::TaskDefinition")["TaskRoleArn"]["Fn::GetAtt"][0]
    (statement,) = statements(granted, role)
    assert "sqs:SendMessage" in statement["Action"]


def test_connections_open_what_is_asked_for(granted: Template) -> None:
    """`connections` are the tasks', `load_balancer.connections` who may come in."""
    groups = of_type(granted, "AWS::EC2::SecurityGroup").values()
    admitted = [rule["CidrIp"] for group in groups for rule in group.get("SecurityGroupIngress", [])]
    assert admitted == ["10.2.0.0/16"]


def test_the_target_group_can_be_tuned(granted: Template) -> None:
    """The target group is the real one, so an attribute that is set reaches the template."""
    attributes = only(granted, "AWS::ElasticLoadBalancingV2::TargetGroup")["TargetGroupAttributes"]
    assert {"Key": "slow_start.duration_seconds", "Value": "30"} in attributes
