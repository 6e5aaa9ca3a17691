"""A VPC whose zones stand alone, and whose traffic to AWS stays off the NAT gateway (lessons W1, T4)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_sns as sns
from constructs import Construct

from constructs_lib.network.policy import Endpoints, Feature, NatGateways, NetworkPolicy
from constructs_lib.network.vpc import ServiceNetwork
from constructs_lib.observability.alarms import Alarms
from constructs_lib.observability.notification.topics import ExistingTopics
from tests.support import FLAG_SETS, Template, listed, of_type, only, references, refused, synthesize

ENDPOINT = "AWS::EC2::VPCEndpoint"
ALARM = "AWS::CloudWatch::Alarm"
TOPIC = "arn:aws:sns:eu-west-1:111122223333:alarms"
ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")


class ZonedStack(Stack):
    """A stack that names its zones, so that nothing is looked up."""

    def __init__(self, scope: Construct, id: str, zones: tuple[str, ...]) -> None:
        self._zones = list(zones)
        super().__init__(scope, id, env=Environment(region="eu-west-1"))

    @property
    def availability_zones(self) -> list[str]:
        """The zones by name."""
        return self._zones


@pytest.fixture(scope="module", params=FLAG_SETS)
def templates(request: pytest.FixtureRequest) -> dict[str, Template]:
    """Three of our networks with their alarms, and a plain one, from one app."""
    app = App(context=request.param)
    policies: dict[str, tuple[tuple[str, ...], tuple[Feature, ...], NetworkPolicy]] = {
        "Production": (ZONES, ("images", "logs", "secrets"), NetworkPolicy(cidr="10.1.0.0/16")),
        "Staging": (
            ZONES[:2],
            ("images", "logs"),
            NetworkPolicy(nat_gateways=NatGateways.ONE, endpoints=Endpoints.GATEWAY_ONLY),
        ),
        "Closed": (ZONES[:2], ("images", "logs"), NetworkPolicy(nat_gateways=NatGateways.NONE, cidr="10.2.0.0/22")),
    }
    for name, (zones, features, policy) in policies.items():
        stack = ZonedStack(app, name, zones)
        network = ServiceNetwork(stack, "Network", features=features, policy=policy)
        topic = sns.Topic.from_topic_arn(stack, "Topic", TOPIC)
        topics = ExistingTopics(page=topic, notice=topic)
        Alarms(stack, "Alarms", application="shop", environment=name.lower(), specs=network.alarms, topics=topics)
    ec2.Vpc(ZonedStack(app, "Plain", ZONES), "Vpc", max_azs=3)
    assembly = app.synth()
    manifest = json.loads((Path(assembly.directory) / "manifest.json").read_text())
    assert not manifest.get("missing"), "a look-up would need credentials"
    return {made.stack_name: made.template for made in assembly.stacks}


def subnets(template: Template, kind: str) -> dict[str, str]:
    """The zones of the subnets whose CDK type is ``kind``, by logical id."""
    return {
        key: value["AvailabilityZone"]
        for key, value in of_type(template, "AWS::EC2::Subnet").items()
        if {"Key": "aws-cdk:subnet-type", "Value": kind} in value["Tags"]
    }


def way_out(template: Template) -> dict[str, set[str]]:
    """For each private subnet's zone, the zones of the NAT gateways that it depends on."""
    tables = {
        row["RouteTableId"]["Ref"]: row["SubnetId"]["Ref"]
        for row in of_type(template, "AWS::EC2::SubnetRouteTableAssociation").values()
    }
    gateways = {key: value["SubnetId"]["Ref"] for key, value in of_type(template, "AWS::EC2::NatGateway").items()}
    zones = {key: value["AvailabilityZone"] for key, value in of_type(template, "AWS::EC2::Subnet").items()}
    found: dict[str, set[str]] = {zones[subnet]: set() for subnet in subnets(template, "Private")}
    for route in of_type(template, "AWS::EC2::Route").values():
        if "NatGatewayId" in route:
            gateway = route["NatGatewayId"]["Ref"]
            found[zones[tables[route["RouteTableId"]["Ref"]]]].add(zones[gateways[gateway]])
    return found


@pytest.mark.parametrize(("name", "zones"), [("Production", ZONES), ("Staging", ZONES[:2]), ("Closed", ZONES[:2])])
def test_every_zone_has_a_public_and_a_private_subnet(
    templates: dict[str, Template], name: str, zones: tuple[str, ...]
) -> None:
    """Tasks and load balancers can stand in all zones that the stack names (T4)."""
    private = "Isolated" if name == "Closed" else "Private"
    assert sorted(subnets(templates[name], private).values()) == list(zones)
    assert sorted(subnets(templates[name], "Public").values()) == list(zones)


def test_no_zone_depends_on_another_in_production(templates: dict[str, Template]) -> None:
    """Each zone leaves through a NAT gateway of its own, so the loss of one cuts off no other (T4)."""
    assert way_out(templates["Production"]) == {zone: {zone} for zone in ZONES}


def test_one_gateway_is_the_cheaper_choice(templates: dict[str, Template]) -> None:
    """In staging both zones leave through the one gateway that is paid for."""
    assert len(of_type(templates["Staging"], "AWS::EC2::NatGateway")) == 1
    assert set(way_out(templates["Staging"])) == set(ZONES[:2])
    assert all(len(zones) == 1 for zones in way_out(templates["Staging"]).values())


def test_a_closed_network_has_no_way_out(templates: dict[str, Template]) -> None:
    """Without a gateway no route of a private subnet leads anywhere but to endpoints."""
    assert not of_type(templates["Closed"], "AWS::EC2::NatGateway")
    assert way_out(templates["Closed"]) == {}
    assert all("GatewayId" in route for route in of_type(templates["Closed"], "AWS::EC2::Route").values())


def test_before_nobody_hears_that_ports_ran_out(templates: dict[str, Template]) -> None:
    """A plain VPC has three NAT gateways and no alarm (W1)."""
    assert len(of_type(templates["Plain"], "AWS::EC2::NatGateway")) == 3
    assert not of_type(templates["Plain"], ALARM)


@pytest.mark.parametrize(("name", "gateways"), [("Production", 3), ("Staging", 1), ("Closed", 0)])
def test_after_every_gateway_pages_when_it_has_no_port_left(
    templates: dict[str, Template], name: str, gateways: int
) -> None:
    """Each NAT gateway has one page that names it and tells the topic; without gateways there is none (W1)."""
    alarms = [one for one in of_type(templates[name], ALARM).values() if one["AlarmDescription"].startswith("[page]")]
    watched = [alarm["Dimensions"] for alarm in alarms]
    made = of_type(templates[name], "AWS::EC2::NatGateway")
    assert len(watched) == len(made) == gateways
    assert all([{"Name": "NatGatewayId", "Value": {"Ref": gateway}}] in watched for gateway in made)
    assert all((alarm["MetricName"], alarm["AlarmActions"]) == ("ErrorPortAllocation", [TOPIC]) for alarm in alarms)


@pytest.mark.parametrize(("name", "gateways"), [("Production", 3), ("Staging", 1), ("Closed", 0)])
def test_after_every_gateway_tells_that_it_drops_packets(
    templates: dict[str, Template], name: str, gateways: int
) -> None:
    """The share that AWS names, of each gateway's own traffic: dropped packets by those that came in on both sides."""
    made = of_type(templates[name], "AWS::EC2::NatGateway")
    sums = [one for one in of_type(templates[name], ALARM).values() if "Metrics" in one]
    assert len(sums) == len(made) == gateways
    for gateway in made:
        (alarm,) = (
            one
            for one in sums
            if one["Metrics"][0]["MetricStat"]["Metric"]["Dimensions"][0]["Value"] == {"Ref": gateway}
        )
        *queries, total = alarm["Metrics"]
        assert [query["MetricStat"]["Metric"]["MetricName"] for query in queries] == [
            "PacketsDropCount",
            "PacketsInFromSource",
            "PacketsInFromDestination",
        ]
        assert {query["ReturnData"] for query in queries} == {False}
        own = [{"Name": "NatGatewayId", "Value": {"Ref": gateway}}]
        assert all(query["MetricStat"]["Metric"]["Dimensions"] == own for query in queries)
        assert {(query["MetricStat"]["Stat"], query["MetricStat"]["Period"]) for query in queries} == {("Sum", 300)}
        assert total["Expression"] == "(m0)/(m1+m2)"
        assert alarm["AlarmActions"] == [TOPIC]


def service_names(template: Template, kind: str) -> set[str]:
    """The services that a network has endpoints of a kind for."""
    names = set()
    for endpoint in of_type(template, ENDPOINT).values():
        if endpoint.get("VpcEndpointType", "Gateway") == kind:
            name = endpoint["ServiceName"]
            text = name if isinstance(name, str) else "".join(map(str, name["Fn::Join"][1]))
            names.add(text.split("eu-west-1.")[-1].split("}.")[-1].lstrip("."))
    return names


def test_before_all_traffic_to_aws_takes_the_gateway(templates: dict[str, Template]) -> None:
    """A plain VPC has no endpoint, so image layers and log lines use up the NAT gateway's ports (W1)."""
    assert not of_type(templates["Plain"], ENDPOINT)


@pytest.mark.parametrize(
    ("name", "interface"),
    [
        ("Production", {"ecr.api", "ecr.dkr", "logs", "secretsmanager"}),
        ("Staging", set()),
        ("Closed", {"ecr.api", "ecr.dkr", "logs"}),
    ],
)
def test_after_endpoints_follow_the_features(templates: dict[str, Template], name: str, interface: set[str]) -> None:
    """S3, where image layers are, is always free; the other endpoints are those of what the services use (W1)."""
    assert service_names(templates[name], "Gateway") == {"s3"}
    assert service_names(templates[name], "Interface") == interface


def test_layers_take_the_gateway_endpoint_from_every_private_subnet(templates: dict[str, Template]) -> None:
    """The route to S3 is in the table of each subnet that tasks run in (W1)."""
    for name, kind in (("Production", "Private"), ("Staging", "Private"), ("Closed", "Isolated")):
        template = templates[name]
        (endpoint,) = (e for e in of_type(template, ENDPOINT).values() if e.get("VpcEndpointType") != "Interface")
        tables = references(endpoint["RouteTableIds"])
        associated = of_type(template, "AWS::EC2::SubnetRouteTableAssociation").values()
        reached = {row["SubnetId"]["Ref"] for row in associated if row["RouteTableId"]["Ref"] in tables}
        assert set(subnets(template, kind)) <= reached


def test_endpoints_admit_this_vpc_and_nobody_else(templates: dict[str, Template]) -> None:
    """Each interface endpoint stands in all private subnets, answers by its usual name, and only within the VPC."""
    for name, kind, cidr in (("Production", "Private", "10.1.0.0/16"), ("Closed", "Isolated", "10.2.0.0/22")):
        template = templates[name]
        group = only(template, "AWS::EC2::SecurityGroup")
        (rule,) = group["SecurityGroupIngress"]
        assert (rule["CidrIp"], rule["FromPort"], rule["ToPort"]) == (cidr, 443, 443)
        assert "0.0.0.0/0" not in {egress.get("CidrIp") for egress in group["SecurityGroupEgress"]}
        for endpoint in of_type(template, ENDPOINT).values():
            if endpoint.get("VpcEndpointType") == "Interface":
                assert endpoint["PrivateDnsEnabled"] is True
                assert references(endpoint["SubnetIds"]) == set(subnets(template, kind))
                assert len(endpoint["SecurityGroupIds"]) == 1


def test_nothing_gets_a_public_address_by_itself(templates: dict[str, Template]) -> None:
    """Also a public subnet gives no address to what is started in it."""
    for subnet in of_type(templates["Production"], "AWS::EC2::Subnet").values():
        assert subnet.get("MapPublicIpOnLaunch", False) is False


def test_rejected_traffic_is_logged(templates: dict[str, Template]) -> None:
    """What security groups refuse is kept for three months in a log group that stays."""
    template = templates["Staging"]
    flow: dict[str, Any] = only(template, "AWS::EC2::FlowLog")
    assert (flow["TrafficType"], flow["ResourceType"]) == ("REJECT", "VPC")
    (group,) = of_type(template, "AWS::Logs::LogGroup")
    assert flow["LogGroupName"] == {"Ref": group}
    assert template["Resources"][group]["Properties"]["RetentionInDays"] == 90
    assert template["Resources"][group]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_flow_logs_may_write_to_their_group_only(templates: dict[str, Template]) -> None:
    """The role of the flow log has no wildcard resource."""
    template = templates["Staging"]
    (group,) = of_type(template, "AWS::Logs::LogGroup")
    (role,) = of_type(template, "AWS::IAM::Role")
    for statement in only(template, "AWS::IAM::Policy")["PolicyDocument"]["Statement"]:
        assert "*" not in listed(statement["Resource"])
        assert references(statement["Resource"]) <= {group, role}


def test_no_function_is_made_for_the_default_group(templates: dict[str, Template]) -> None:
    """CDK's flag would add a Lambda; nothing of ours is in the default security group."""
    for name in ("Production", "Staging", "Closed"):
        assert not of_type(templates[name], "AWS::Lambda::Function")


def test_one_zone_is_refused() -> None:
    """One zone is no reserve (T4)."""
    stack = ZonedStack(App(), "Stack", ZONES[:1])
    refused(
        lambda: ServiceNetwork(stack, "Network", features=("images", "logs")),
        "the stack's availability zones",
        ["eu-west-1a"],
        "at least two",
    )


def test_an_ordinary_stack_will_do() -> None:
    """In somebody else's app, whose stack names no zones, the network is over the two that CDK assumes."""
    stack = Stack(App(), "Stack")
    ServiceNetwork(stack, "Network", features=iter(("images", "logs")))
    template = synthesize(stack)
    assert len(of_type(template, "AWS::EC2::NatGateway")) == 2
    assert len([e for e in of_type(template, ENDPOINT).values() if e.get("VpcEndpointType") == "Interface"]) == 3
