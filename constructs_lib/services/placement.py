"""What a service is called, and where its tasks run (lesson T4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_ec2 as ec2

from constructs_lib.checks import invalid
from constructs_lib.checks import name as check_name

_ONE_ZONE: Final = "the loss of one zone must not end the service (lesson T4)"


def component_name(id: str) -> str:
    """The component that a construct's id names: ``Web`` and ``web`` both give ``web``."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*", id):
        raise invalid("id", id, "letters, digits and single hyphens", "it names the component; pass such as 'Web'")
    return check_name("id", "-".join(re.findall(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])", id)).lower())


def private_subnets(vpc: ec2.IVpc, availability_zones: Sequence[str]) -> ec2.SubnetSelection:
    """The VPC's private subnets, refused when they are in fewer than two availability zones."""
    subnets = vpc.private_subnets or vpc.isolated_subnets
    zones = set(availability_zones)
    if not subnets:
        raise invalid("cluster.vpc", "no private subnet", "a VPC with private subnets", "tasks get no public address")
    if len(zones) < 2 and not any(zone.startswith("#{Token[") for zone in zones):  # a list that is not known yet
        raise invalid("cluster.vpc", sorted(zones), "in at least two availability zones", _ONE_ZONE)
    return ec2.SubnetSelection(subnets=subnets)
