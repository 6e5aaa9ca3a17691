"""CloudFormation types of EC2 that MiniStack lacks. Its own EC2 API does the work."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from local_cloud.server.emulator import Created, Properties, alb, amend, cfn, ec2, register


def install() -> None:
    """Register the missing types and the missing attributes."""
    register("AWS::EC2::EIP", _create_address, _update_address, _delete_address)
    register("AWS::EC2::NatGateway", _create_gateway, _update_gateway, _delete_gateway)
    register("AWS::EC2::FlowLog", _create_flow_log, _update_flow_log, _delete_flow_log)
    for direction in ("Ingress", "Egress"):
        register(f"AWS::EC2::SecurityGroup{direction}", *_rule(direction))
    amend("AWS::EC2::VPC", lambda made, _: (made[0], {**made[1], "CidrBlock": ec2._vpcs[made[0]]["CidrBlock"]}))
    amend("AWS::ElasticLoadBalancingV2::TargetGroup", _complete_target_group)


def _complete_target_group(made: Created, _new: Properties) -> Created:
    """The full name, as metrics want it, starts with `targetgroup/`; the list of load balancers is a live one."""
    full_name = made[0].split(":", 5)[5]
    load_balancers = alb._tgs[made[0]]["LoadBalancerArns"]
    return made[0], {**made[1], "TargetGroupFullName": full_name, "LoadBalancerArns": load_balancers}


def _call(action: str, **parameters: Any) -> Callable[[str], str]:
    """Call MiniStack's EC2 API in process; the result finds the text of an element of the answer."""
    ec2._ensure_defaults_initialized()
    status, _, body = ec2._ACTION_MAP[action]({k: [str(v)] for k, v in parameters.items() if v not in (None, "")})
    text = body.decode() if isinstance(body, bytes) else str(body)
    if status >= 400:
        raise ValueError(f"{action}: {text}")

    def element(tag: str) -> str:
        match = re.search(rf"<{tag}>([^<]*)</{tag}>|<{tag}><item>([^<]*)</item>", text)
        return (match[1] or match[2]) if match else ""

    return element


def _address_id(public_ip: str) -> str | None:
    return next((a["AllocationId"] for a in ec2._addresses.values() if a["PublicIp"] == public_ip), None)


def _create_address(_logical_id: str, new: Properties, stack: str) -> Created:
    made = _call("AllocateAddress", Domain=new.get("Domain", "vpc"))
    return _update_address(made("publicIp"), {}, new, stack)


def _update_address(physical_id: str, old: Properties, new: Properties, _stack: str) -> Created:
    allocation = _address_id(physical_id)
    cfn._ec2_apply_tags(allocation, new, old)
    return physical_id, {"AllocationId": allocation, "PublicIp": physical_id}


def _delete_address(physical_id: str, _properties: Properties) -> None:
    if allocation := _address_id(physical_id):
        _call("ReleaseAddress", AllocationId=allocation)


def _create_gateway(_logical_id: str, new: Properties, stack: str) -> Created:
    wanted = {name: new.get(name) for name in ("SubnetId", "AllocationId", "ConnectivityType")}
    return _update_gateway(_call("CreateNatGateway", **wanted)("natGatewayId"), {}, new, stack)


def _update_gateway(physical_id: str, old: Properties, new: Properties, stack: str) -> Created:
    if old and any(old.get(name) != new.get(name) for name in ("SubnetId", "AllocationId", "ConnectivityType")):
        return _create_gateway("", new, stack)
    cfn._ec2_apply_tags(physical_id, new, old)
    return physical_id, {"NatGatewayId": physical_id}


def _delete_gateway(physical_id: str, _properties: Properties) -> None:
    if physical_id in ec2._nat_gateways:
        _call("DeleteNatGateway", NatGatewayId=physical_id)


def _create_flow_log(_logical_id: str, new: Properties, stack: str) -> Created:
    same = ("ResourceType", "TrafficType", "LogDestinationType", "LogDestination", "LogGroupName")
    made = _call("CreateFlowLogs", **{"ResourceId.1": new["ResourceId"]}, **{name: new.get(name) for name in same})
    return _update_flow_log(made("flowLogIdSet"), {}, new, stack)


def _update_flow_log(physical_id: str, old: Properties, new: Properties, stack: str) -> Created:
    """Only the tags of a flow log can change; anything else makes another one."""
    if old and {**old, "Tags": None} != {**new, "Tags": None}:
        return _create_flow_log("", new, stack)
    cfn._ec2_apply_tags(physical_id, new, old)
    return physical_id, {"Id": physical_id}


def _delete_flow_log(physical_id: str, _properties: Properties) -> None:
    _call("DeleteFlowLogs", **{"FlowLogId.1": physical_id})


_RULE_SOURCES = {
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "SourceSecurityGroupId": ("Groups", "GroupId"),
    "DestinationSecurityGroupId": ("Groups", "GroupId"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId"),
}


def _rule_parameters(rule: Properties) -> Properties:
    wire = {"GroupId": rule["GroupId"], "IpPermissions.1.IpProtocol": rule.get("IpProtocol", "-1")}
    wire |= {f"IpPermissions.1.{name}": rule.get(name) for name in ("FromPort", "ToPort")}
    for name, (group, member) in _RULE_SOURCES.items():
        if rule.get(name):
            wire[f"IpPermissions.1.{group}.1.{member}"] = rule[name]
            wire[f"IpPermissions.1.{group}.1.Description"] = rule.get("Description")
    return wire


def _rule(direction: str) -> tuple[Callable[..., Created], Callable[..., Created], Callable[..., None]]:
    def create(_logical_id: str, new: Properties, _stack: str) -> Created:
        made = _call(f"AuthorizeSecurityGroup{direction}", **_rule_parameters(new))("securityGroupRuleId")
        return made, {"Id": made}

    def delete(_physical_id: str, properties: Properties) -> None:
        if properties.get("GroupId") in ec2._security_groups:
            _call(f"RevokeSecurityGroup{direction}", **_rule_parameters(properties))

    def update(physical_id: str, old: Properties, new: Properties, stack: str) -> Created:
        if {**old, "Description": None} == {**new, "Description": None}:
            return physical_id, {"Id": physical_id}
        # CloudFormation deletes the old rule afterwards, because the new one has another id.
        return create("", new, stack)

    return create, update, delete
