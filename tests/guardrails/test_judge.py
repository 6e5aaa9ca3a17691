"""How verdicts become findings: branches, places, lines, words."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from constructs_lib.guardrails.judge import judge
from constructs_lib.guardrails.rule import Fault, Finding, Rule
from constructs_lib.guardrails.templates.node import Node
from tests.guardrails.templates.support import assembly

CONDITIONS = """
Parameters: {Env: {Type: String, Default: dev}, Size: {Type: Number}}
Conditions: {IsProd: !Equals [!Ref Env, prod]}
"""


def too_small(node: Node) -> Fault | None:
    """Sizes below ten are at fault."""
    size = node.get("Size")
    number = size.number()
    return Fault(size, f"size {number} is small") if number is None or number < 10 else None


def parts(resource: Node) -> Iterable[Node]:
    """The parts of a resource."""
    return resource.get("Properties", "Parts").items()


SMALL = Rule(
    id="MOOR-W1z", severity="warning", types=("A",), title="sizes are big", why="It broke.", fix="Enlarge it.",
    subjects=parts, judge=too_small,
)  # fmt: skip


def found(parts_: str, more: str = CONDITIONS, head: str = "") -> list[Finding]:
    """The findings for a list of parts, in YAML in one line."""
    return judge(
        assembly(f"Resources:\n  R:\n    Type: A\n{head}    Properties:\n      Parts: {parts_}\n{more}"), [SMALL]
    )


def test_a_finding_says_all_that_a_reader_needs() -> None:
    """Rule, lesson, severity, status, place with line, why and fix."""
    assert found("[{Size: 10}, {Size: 3}]") == [
        Finding(
            rule="MOOR-W1z",
            lesson="W1",
            severity="warning",
            status="fail",
            file="template.yaml",
            line=5,
            logical_id="R",
            path="Properties/Parts/1/Size",
            message="Size 3.0 is small. It broke.",
            fix="Enlarge it.",
        )
    ]


@pytest.mark.parametrize(
    ("parts_", "expected"),
    [
        ("[{Size: 10}]", []),
        ("[{}]", [("fail", "Properties/Parts/0/Size", "Size None is small")]),
        (
            "[{Size: !Ref Size}, {Size: 1}]",
            [
                (
                    "unknown",
                    "Properties/Parts/0/Size",
                    "This cannot be judged, for parameter Size has no default",
                ),
                ("fail", "Properties/Parts/1/Size", "Size 1.0 is small"),
            ],
        ),
        ("!Ref Size", [("unknown", "Properties/Parts", "This cannot be judged, for parameter Size has")]),
        ("[{Size: [a]}]", [("unknown", "Properties/Parts/0/Size", "This cannot be judged, for it is no text")]),
        (
            "[{Size: !If [IsProd, 10, 2]}]",
            [("fail", "Properties/Parts/0/Size/Fn::If/2", "Size 2.0 is small (where Env is dev)")],
        ),
        (
            "[{Size: !If [IsProd, !Ref Size, 2]}]",
            [("fail", "Properties/Parts/0/Size/Fn::If/2", "Size 2.0 is small (where Env is dev)")],
        ),
        ("!If [IsProd, [{Size: 12}], !Ref AWS::NoValue]", []),
        (
            "[{Size: 1, X: !If [IsProd, 1, 2]}]",
            [("fail", "Properties/Parts/0/Size", "Size 1.0 is small. It broke")],
        ),
    ],
)
def test_each_part_and_each_branch_is_judged(parts_: str, expected: list[tuple[str, str, str]]) -> None:
    """One part that is unknown hides no other, and a branch is named where others pass."""
    actual = found(parts_)
    assert [(one.status, one.path) for one in actual] == [(status, path) for status, path, _ in expected]
    for one, (_, _, message) in zip(actual, expected, strict=True):
        assert one.message.startswith(message)


def test_a_place_that_fails_in_one_world_is_not_unknown_in_another() -> None:
    """A fault is certain; that the other branch cannot be judged does not matter any more."""
    both = "[!If [IsProd, {Size: 1}, {Size: 1}], {Size: !Ref Size}]"
    assert [one.status for one in found(both)] == ["fail", "fail", "unknown"]


def test_a_default_that_is_at_fault_is_named() -> None:
    """Who reads it may give another value; a parameter without default names the option that gives one."""
    more = CONDITIONS.replace("Size: {Type: Number}", "Size: {Type: Number, Default: 4}, Open: {Type: Number}")
    (by_default,) = found("[{Size: !Ref Size}]", more=more)
    assert by_default.message == "Size 4.0 is small (by default of parameter Size). It broke."
    (open_,) = found("[{Size: !Ref Open}]", more=more)
    assert open_.fix == "Check with --parameter Open=VALUE, or give it a default. Enlarge it."
    assert "(by default" not in found("[{Size: 4}]", more=more)[0].message


def test_a_resource_of_a_condition_that_never_holds_is_not_judged() -> None:
    """It never exists."""
    never = "Conditions: {Never: !Equals [a, b]}"
    assert found("[{Size: 1}]", more=never, head="    Condition: Never\n") == []
    assert len(found("[{Size: 1}]", more=never)) == 1


def test_too_many_branches_are_told_as_unknown() -> None:
    """What was not looked at passes nothing."""
    parameters = ", ".join(f"P{n}: {{Type: String, AllowedValues: [a, b]}}" for n in range(9))
    conditions = ", ".join(f"C{n}: !Equals [!Ref P{n}, a]" for n in range(9))
    sizes = ", ".join(f"{{Size: !If [C{n}, 11, 12]}}" for n in range(9))
    more = f"Parameters: {{{parameters}}}\nConditions: {{{conditions}}}"
    (one,) = found(f"[{sizes}]", more=more)
    assert one.status == "unknown"
    assert "its conditions allow more than 128 combinations" in one.message


def test_findings_come_in_the_order_of_the_lines() -> None:
    """As a reader goes through the file."""
    lines = [one.line for one in found("\n        - Size: 1\n        - {}\n        - Size: 2")]
    assert lines == [6, 7, 8]
