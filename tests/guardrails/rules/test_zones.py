"""T4d: in how many zones something stands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.guardrails.rules.test_failover import NOTHING, judged, service
from tests.guardrails.support import said


class TestT4d:
    """Zones."""

    @staticmethod
    def zones(*zones: object) -> dict[str, Any]:
        """Subnets S0, S1 and so on in these zones."""
        return {
            f"S{number}": {"Type": "AWS::EC2::Subnet", "Properties": {} if zone is None else {"AvailabilityZone": zone}}
            for number, zone in enumerate(zones)
        }

    @staticmethod
    def at(subnets: object) -> dict[str, Any]:
        """A service in these subnets."""
        return service(NetworkConfiguration={"AwsvpcConfiguration": {"Subnets": subnets}})

    @staticmethod
    def first(number: int) -> dict[str, Any]:
        """One of the region's zones."""
        return {"Fn::Select": [number, {"Fn::GetAZs": ""}]}

    @pytest.mark.parametrize(
        ("subnets", "status"),
        [
            (["subnet-1"], "fail"),
            (["subnet-1", "subnet-1"], "fail"),
            (["subnet-1", "subnet-2"], None),
            ([{"Ref": "Open"}], "fail"),
            ([{"Ref": "Open"}, {"Ref": "Open"}], "fail"),
            ([{"Ref": "Open"}, {"Ref": "One"}], None),
            (["subnet-1", {"Fn::If": ["Released", "subnet-2", NOTHING]}], "fail"),
            ({"Ref": "Subnets"}, "unknown"),
            ([""], "unknown"),
            ([["subnet-1", "subnet-2"]], "unknown"),
            ([{"Fn::Select": [0, {"Ref": "Subnets"}]}, {"Fn::Select": [1, {"Ref": "Subnets"}]}], None),
            ([{"Fn::Select": [0, {"Ref": "Subnets"}]}, {"Fn::Select": [0, {"Ref": "Subnets"}]}], "fail"),
            ([], None),
            (NOTHING, None),
        ],
    )
    def test_how_many_subnets(self, subnets: object, status: str | None) -> None:
        """One subnet is one zone; two that are named apart are taken as two."""
        found = judged("T4d", Service=self.at(subnets))
        assert [status for status, _, _ in found] == ([status] if status else [])

    @pytest.mark.parametrize(
        ("zones", "fails"),
        [
            (("eu-west-1a", "eu-west-1b"), False),
            (("eu-west-1a", "eu-west-1a"), True),
            ((0, 1), False),
            ((0, 0), True),
            (({"Fn::Sub": "${AWS::Region}a"}, {"Fn::Sub": "${AWS::Region}b"}), False),
            (({"Fn::Sub": "${AWS::Region}a"}, {"Fn::Sub": "${AWS::Region}a"}), True),
            (({"Ref": "Open"}, {"Ref": "Open"}), True),
            (({"Ref": "Open"}, {"Ref": "One"}), False),
            (("eu-west-1a", None), False),
            ((None, None), False),
        ],
    )
    def test_where_the_subnets_are(self, zones: tuple[object, object], fails: bool) -> None:
        """Subnets of the assembly tell their zones, which are one when they are surely the same."""
        subnets = self.zones(*(self.first(zone) if isinstance(zone, int) else zone for zone in zones))
        place = "Properties/NetworkConfiguration/AwsvpcConfiguration/Subnets"
        expected = [("fail", "Service", place)] if fails else []
        assert judged("T4d", Service=self.at([{"Ref": "S0"}, {"Ref": "S1"}]), **subnets) == expected

    def test_across_templates(self) -> None:
        """Subnets that another template exports are in the zones that it gives them."""
        subnets = self.zones("eu-west-1a", "eu-west-1a")
        outputs = {name: {"Value": {"Ref": name}, "Export": {"Name": f"net-{name}"}} for name in subnets}
        imports = [{"Fn::ImportValue": f"net-{name}"} for name in subnets]
        templates = {
            "network.json": json.dumps({"Resources": subnets, "Outputs": outputs}),
            "service.json": json.dumps({"Resources": {"Service": self.at(imports)}}),
        }
        assert [status for status, _, _ in said(templates, "MOOR-T4d")] == ["fail"]

    @pytest.mark.parametrize(
        ("properties", "path"),
        [
            ({"Type": "network", "Subnets": ["subnet-1"]}, "Subnets"),
            ({"Type": "network", "Subnets": ["subnet-1", "subnet-2"]}, None),
            ({"SubnetMappings": [{"SubnetId": "subnet-1"}]}, "SubnetMappings"),
            ({"SubnetMappings": [{"SubnetId": "subnet-1"}, {"SubnetId": "subnet-2"}]}, None),
            ({"SubnetMappings": [{"AllocationId": "eipalloc-1"}]}, None),
            ({"Subnets": {"Ref": "Subnets"}}, None),
            ({"Type": "network", "Subnets": {"Ref": "Subnets"}}, "unknown"),
            ({}, None),
        ],
    )
    def test_load_balancers(self, properties: dict[str, object], path: str | None) -> None:
        """They are judged by their subnets; one of type application cannot be made in a single zone."""
        balancer = {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer", "Properties": properties}
        status, name = ("unknown", "Subnets") if path == "unknown" else ("fail", path)
        assert judged("T4d", Balancer=balancer) == ([(status, "Balancer", f"Properties/{name}")] if path else [])

    @pytest.mark.parametrize(
        ("kind", "front", "own", "target_group", "expected"),
        [
            ("application", {"Ref": "Subnets"}, {"Ref": "Subnets"}, "Targets", []),
            ("network", {"Ref": "Subnets"}, {"Ref": "Subnets"}, "Targets", ["unknown", "unknown"]),
            ("application", ["subnet-1", "subnet-2"], {"Ref": "Subnets"}, "Targets", ["unknown"]),
            ("application", {"Ref": "Subnets"}, {"Ref": "Subnets"}, "Open", ["unknown"]),
            ("application", ["subnet-1"], ["subnet-1"], "Targets", ["fail", "fail"]),
        ],
    )
    def test_the_same_subnets_as_its_load_balancer(
        self, kind: str, front: object, own: object, target_group: str, expected: list[str]
    ) -> None:
        """A list that an Application Load Balancer has too is one of two zones, or could not be deployed."""
        listener = {"LoadBalancerArn": {"Ref": "Balancer"}, "DefaultActions": [{"TargetGroupArn": {"Ref": "Targets"}}]}
        runner = self.at(own)
        runner["Properties"]["LoadBalancers"] = [{"TargetGroupArn": {"Ref": target_group}}]
        prefix = "AWS::ElasticLoadBalancingV2"
        found = judged(
            "T4d",
            Balancer={"Type": f"{prefix}::LoadBalancer", "Properties": {"Type": kind, "Subnets": front}},
            Listener={"Type": f"{prefix}::Listener", "Properties": listener},
            Targets={"Type": f"{prefix}::TargetGroup"},
            Service=runner,
        )
        assert [status for status, _, _ in found] == expected


def test_subnets_that_a_custom_resource_gives_are_unknown() -> None:
    """An attribute may be a list of any length."""
    template = service(NetworkConfiguration={"AwsvpcConfiguration": {"Subnets": {"Fn::GetAtt": ["Made", "Subnets"]}}})
    assert [status for status, _, _ in judged("T4d", Web=template, Made={"Type": "Custom::Made"})] == ["unknown"]
