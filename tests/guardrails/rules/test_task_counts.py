"""T4e: how many tasks a service keeps."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.guardrails.rules.test_failover import HEAD, NOTHING, judged, service
from tests.guardrails.support import findings, said

COUNT, MINIMUM = ("Service", "Properties/DesiredCount"), ("Target", "Properties/MinCapacity")


def target(minimum: object, maximum: object = 6, **more: object) -> dict[str, Any]:
    """A scalable target of the service."""
    resource_id = {"Fn::Join": ["", ["service/", {"Ref": "Cluster"}, "/", {"Fn::GetAtt": ["Service", "Name"]}]]}
    properties = {
        "ServiceNamespace": "ecs",
        "ResourceId": resource_id,
        "MinCapacity": minimum,
        "MaxCapacity": maximum,
    }
    return {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": properties | more}


def counted(count: object = None, scaling: dict[str, Any] | None = None, **properties: object) -> list[tuple[str, ...]]:
    """What T4e says of a service, as (status, resource, path)."""
    given = {} if count is None else {"DesiredCount": count}
    resources = {"Service": service(**given, **properties), "Cluster": {"Type": "AWS::ECS::Cluster"}}
    return list(judged("T4e", **resources, **({"Target": scaling} if scaling else {})))


@pytest.mark.parametrize(
    ("count", "status"),
    [
        (2, None),
        ("2", None),
        (1, "fail"),
        (0, "fail"),
        (None, "fail"),
        ({"Ref": "One"}, "fail"),
        ({"Ref": "Open"}, "unknown"),
        ({"Ref": "Zero"}, "fail"),
        ({"Fn::If": ["Released", 2, 0]}, None),
        ({"Fn::If": ["Released", 2, 1]}, "fail"),
        ({"Fn::If": ["Released", NOTHING, 0]}, "fail"),
        ({"Fn::FindInMap": ["Counts", {"Ref": "Stage"}, "Tasks"]}, None),
        ({"Fn::FindInMap": ["Counts", {"Ref": "Open"}, "Tasks"]}, None),
        ({"Fn::FindInMap": ["Counts", {"Ref": "Open"}, "Few"]}, "fail"),
    ],
)
def test_t4e_counts(count: object, status: str | None) -> None:
    """Two tasks or more; a zero that is chosen among other counts turns the service off, a plain zero does not."""
    assert [status for status, _, _ in counted(count)] == ([status] if status else [])


def test_t4e_not_of_daemons() -> None:
    """A daemon runs once on each host, whatever is written."""
    assert counted(None, SchedulingStrategy="DAEMON") == []


@pytest.mark.parametrize(
    ("count", "scaling", "expected"),
    [
        (None, target(2), []),
        (None, target(1), [("fail", *MINIMUM)]),
        (None, target(0, 0), [("fail", *MINIMUM)]),
        (2, target(1), [("fail", *MINIMUM)]),
        (1, target(2), [("fail", *COUNT)]),
        (None, target({"Ref": "Open"}), [("unknown", *MINIMUM)]),
        (1, target(1), [("fail", *COUNT), ("fail", *MINIMUM)]),
        (None, target(2) | {"Condition": "Never"}, [("fail", *COUNT)]),
        (None, target(2) | {"Condition": "Released"}, [("fail", *COUNT)]),
        (2, target(0), [("fail", *MINIMUM)]),
        (2, target(0, 0), [("fail", *MINIMUM)]),
        (2, target({"Fn::If": ["Released", 2, 1]}, 0), [("fail", f"{MINIMUM[0]}", f"{MINIMUM[1]}/Fn::If/2")]),
        (None, target(None), [("fail", *COUNT)]),
        (2, target(1, ServiceNamespace="dynamodb"), []),
    ],
)
def test_t4e_scaling(count: object, scaling: dict[str, Any], expected: list[tuple[str, ...]]) -> None:
    """A scalable target that exists sets the count of a service that has none, and one fault is told once."""
    assert sorted(counted(count, scaling)) == sorted(expected)


def test_t4e_before_a_first_release() -> None:
    """A service that a condition holds at zero, by its count and by its scaling, is off; two or more follow it."""

    def released(then: object, otherwise: object) -> dict[str, Any]:
        return {"Fn::If": ["Released", then, otherwise]}

    count = released(NOTHING, 0)
    assert counted(count, target(released(3, 0), released(12, 0))) == []
    assert counted(count, target(released(3, 0), 12)) == [("fail", "Target", "Properties/MinCapacity/Fn::If/2")]
    few = [("fail", "Target", "Properties/MinCapacity/Fn::If/1")]
    assert counted(count, target(released(1, 0), released(12, 0))) == few
    assert counted(None, target(released(3, 0), released(12, 0))) == [("fail", *COUNT)]


@pytest.mark.parametrize(
    ("name", "resource_id", "expected"),
    [
        ("web", "service/shop/web", []),
        ("web", "service/shop/other", ["fail"]),
        ({"Ref": "Open"}, {"Fn::Join": ["/", ["service", {"Ref": "Cluster"}, {"Ref": "Open"}]]}, []),
        ({"Fn::Sub": "${AWS::StackName}-web"}, {"Fn::Sub": "service/shop/${AWS::StackName}-web"}, []),
        ({"Fn::Sub": "${AWS::StackName}-web"}, {"Fn::Sub": "service/shop/${AWS::StackName}-worker"}, ["unknown"]),
        ("web", {"Fn::Sub": "service/shop/${Open}"}, ["unknown"]),
        ({"Ref": "Open"}, "service/shop/web", ["unknown"]),
        (None, "service/shop/web", ["fail"]),
        (None, {"Ref": "Open"}, ["unknown"]),
        ({"Ref": "Cluster"}, {"Fn::Sub": "service/shop/${Cluster}"}, []),
        ({"Ref": "Cluster"}, {"Fn::Sub": "service/shop/${Cluster.Arn}"}, ["unknown"]),
    ],
)
def test_t4e_scaling_by_name(name: object, resource_id: object, expected: list[str]) -> None:
    """A scalable target may name its service instead of referring to it; what may be its own is unknown."""
    names = {} if name is None else {"ServiceName": name}
    found = counted(None, target(2, ResourceId=resource_id), **names)
    assert [status for status, _, _ in found] == expected


def test_t4e_scaling_of_something_else() -> None:
    """A table's scaling under an unknown name is not a service's, nor is another service's; what may be is unknown."""
    table = target(2, ServiceNamespace="dynamodb", ResourceId={"Ref": "Open"})
    assert counted(None, table) == [("fail", *COUNT)]
    unclear = target(2, ServiceNamespace={"Ref": "Open"}, ResourceId={"Ref": "Open"})
    assert ("unknown", *COUNT) in counted(None, unclear)
    found = judged("T4e", Service=service(DesiredCount=2), Target=target(2), Other=service())
    assert found == [("fail", "Other", "Properties/DesiredCount")]


def test_t4e_scaling_in_another_template() -> None:
    """By an export of the service's name."""
    outputs = {"Name": {"Value": {"Fn::GetAtt": ["Service", "Name"]}, "Export": {"Name": "web-name"}}}
    scaling = target(2, ResourceId={"Fn::Join": ["/", ["service", "shop", {"Fn::ImportValue": "web-name"}]]})
    templates = {
        "service.json": json.dumps({"Resources": {"Service": service()}, "Outputs": outputs}),
        "scaling.json": json.dumps({"Resources": {"Target": scaling}}),
    }
    assert said(templates, "MOOR-T4e") == []
    templates["scaling.json"] = json.dumps({"Resources": {"Target": target(2, ResourceId="service/shop/web")}})
    assert said(templates, "MOOR-T4e") == [("fail", *COUNT)]


def test_says_in_which_case() -> None:
    """A fault of one branch names the case."""
    count = {"Fn::If": ["Released", 2, 1]}
    (finding,) = findings(json.dumps(HEAD | {"Resources": {"Service": service(DesiredCount=count)}}), "MOOR-T4e")
    assert "a DesiredCount of 1" in finding.message
    assert "where Switch is" in finding.message
