"""Conditions, parameters and maps give each combination that can be, and no other."""

from __future__ import annotations

import pytest

from constructs_lib.guardrails.templates.world import MOST_WORLDS, more, worlds
from tests.guardrails.templates.support import assembly, resource, values

IS_PROD = "Parameters: {Env: {Type: String, Default: dev}}\nConditions: {IsProd: !Equals [!Ref Env, prod]}"


def test_both_branches_are_seen_whatever_the_default() -> None:
    """Somebody deploys the other one some day."""
    assert values(resource("{P: !If [IsProd, 1, 2]}", more=IS_PROD)) == [2, 1]


def test_a_condition_is_the_same_throughout_a_world() -> None:
    """Two uses of one condition, and its negation, do not contradict each other, and the parameter goes with it."""
    more_ = f"{IS_PROD.rstrip('}')}, NotProd: !Not [!Condition IsProd]}}"
    properties = "{P: [!If [IsProd, yes, no], !If [NotProd, dev, prod], !Ref Env]}"
    assert values(resource(properties, more=more_)) == [[False, "dev", "dev"], [True, "prod", "prod"]]


def test_one_parameter_has_one_value() -> None:
    """``Env`` is not two things at once, and with ``AllowedValues`` it is no third."""
    text = (
        "Parameters: {Env: {Type: String, AllowedValues: [dev, prod]}}\n"
        "Conditions: {D: !Equals [!Ref Env, dev], P: !Equals [!Ref Env, prod]}"
    )
    properties = "{P: [!If [D, d, x], !If [P, p, x]]}"
    assert values(resource(properties, more=text)) == [["d", "x"], ["x", "p"]]
    open_ = text.replace(", AllowedValues: [dev, prod]", "")
    assert sorted(map(str, values(resource(properties, more=open_)))) == ["['d', 'x']", "['x', 'p']", "['x', 'x']"]


def test_the_usual_has_a_value_condition() -> None:
    """``Default: ""`` and "not equal to empty": where it is given, its value is unknown."""
    text = 'Parameters: {Cert: {Type: String, Default: ""}}\nConditions: {Has: !Not [!Equals [!Ref Cert, ""]]}'
    assert values(resource("{P: !If [Has, !Ref Cert, none]}", more=text)) == ["none", "?"]


def test_a_parameter_without_default_is_each_of_its_allowed_values() -> None:
    """It can be no other; with a default, that is what counts."""
    text = "Parameters: {Size: {Type: Number, AllowedValues: [2, 3]}}"
    assert values(resource("{P: !Ref Size}", more=text)) == ["2", "3"]
    assert values(resource("{P: !Ref Size}", more=text.replace("Number", "Number, Default: 3"))) == ["3"]


def test_a_given_parameter_decides_the_condition() -> None:
    """Then there is one world."""
    assert values(resource("{P: !If [IsProd, 1, 2]}", more=IS_PROD), Env="prod") == [1]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("!Equals [a, a]", [1]),
        ("!Equals [a, b]", [2]),
        ("!Equals ['1', 1]", [1]),
        ("!Equals ['true', true]", [1]),
        ("!And [!Equals [a, a], !Equals [a, b]]", [2]),
        ("!Or [!Equals [a, a], !Equals [a, b]]", [1]),
        ("!Not [!Equals [a, b]]", [1]),
        ("!Equals [!Ref AWS::Region, us-east-1]", [1, 2]),
        ("!Equals [!Ref AWS::Region, !Ref AWS::Region]", [1]),
        ("{'Fn::Nonsense': 1}", [1, 2]),
        ("{}", [1, 2]),
        ("nonsense", [1, 2]),
    ],
)
def test_a_condition_is_decided_where_it_can_be(condition: str, expected: list[object]) -> None:
    """What the template decides has one branch; what it leaves open has two."""
    assert values(resource("{P: !If [C, 1, 2]}", more=f"Conditions: {{C: {condition}}}")) == expected


def test_a_condition_on_a_text_made_of_a_parameter_is_judged_both_ways() -> None:
    """A list that is empty by default is compared joined; somebody fills it some day."""
    text = (
        'Parameters: {Paths: {Type: CommaDelimitedList, Default: ""}}\n'
        'Conditions: {Has: !Not [!Equals [!Join ["", !Ref Paths], ""]]}'
    )
    assert values(resource("{P: !If [Has, 1, 2]}", more=text)) == [2, 1]
    assert values(resource("{P: !If [Has, 1, 2]}", more=text), Paths="/a") == [1]


def test_a_condition_that_is_not_there_has_two_branches() -> None:
    """CloudFormation would refuse it."""
    assert values(resource("{P: !If [C, 1, 2]}")) == [1, 2]


def test_a_resource_is_judged_only_where_it_exists() -> None:
    """A condition that never holds makes no resource, and one that may be goes with its own branch."""
    text = f"Resources:\n  R: {{Type: A, Condition: IsProd, Properties: {{P: !If [IsProd, 1, 2]}}}}\n{IS_PROD}"
    assert values(text) == [1]
    never = text.replace("!Equals [!Ref Env, prod]", "!Equals [a, b]")
    assert values(never) == []


def test_a_map_with_an_unknown_key_gives_each_entry_and_the_same_for_the_same_key() -> None:
    """As with ``Fn::If``, each may be deployed."""
    text = "Mappings: {M: {us: {a: 1, b: 2}, eu: {a: 3, b: 4}}}"
    properties = "{P: [!FindInMap [M, !Ref AWS::Region, a], !FindInMap [M, !Ref AWS::Region, b]]}"
    assert values(resource(properties, more=text)) == [[1, 2], [3, 4]]


def test_what_is_not_looked_at_makes_no_world() -> None:
    """A rule that looks at one property is not asked once more for the conditions of another."""
    many = ", ".join(f"K{number}: !If [C{number}, 1, 2]" for number in range(20))
    assert values(resource(f"{{P: 1, {many}}}"), "P") == [1]


def test_too_many_worlds_are_told() -> None:
    """The search ends, and says that it is not through."""
    many = ", ".join(f"!If [C{number}, 1, 2]" for number in range(20))
    found = assembly(resource(f"{{P: [{many}]}}"))
    seen = []
    for world in worlds(found):
        for number in range(20):
            world.holds(found.templates[0], f"C{number}")
        seen.append(world)
    assert len(seen) == MOST_WORLDS
    assert more(seen[-1])


def test_two_parameters_that_are_compared_may_differ_or_not() -> None:
    """Both have defaults, and neither is fixed."""
    text = "Parameters: {A: {Type: String, Default: x}, B: {Type: String, Default: y}}\n"
    assert values(resource("{P: !If [C, 1, 2]}", more=f"{text}Conditions: {{C: !Equals [!Ref A, !Ref B]}}")) == [2, 1]


CHILD = """
Parameters: {Env: {Type: String}}
Conditions: {IsProd: !Equals [!Ref Env, prod]}
Resources:
  R: {Type: A, Properties: {P: !If [IsProd, 1, 2]}}
"""


@pytest.mark.parametrize(
    ("passed", "expected"), [("!Ref Env", [2, 1]), ('!Sub "${Env}"', [2, 1]), ("prod", [1]), ("dev", [2])]
)
def test_a_condition_on_what_a_parents_default_passes_is_judged_both_ways(passed: str, expected: list[object]) -> None:
    """The default is the parent's; a value that the parent fixes is fixed."""
    parent = (
        "Parameters: {Env: {Type: String, Default: dev}}\nResources:\n  N:\n    Type: AWS::CloudFormation::Stack\n"
        f"    Properties: {{TemplateURL: child.yaml, Parameters: {{Env: {passed}}}}}"
    )
    assert values({"parent.yaml": parent, "child.yaml": CHILD}) == expected
    if len(expected) > 1:
        assert values({"parent.yaml": parent, "child.yaml": CHILD}, Env="prod") == [1]


def test_what_a_nested_stack_has_exists_only_where_the_stack_does() -> None:
    """A condition on the stack is one on all that it holds."""
    parent = f"""
{IS_PROD}
Resources:
  N:
    Type: AWS::CloudFormation::Stack
    Condition: IsProd
    Properties: {{TemplateURL: child.yaml, Parameters: {{Mode: !If [IsProd, safe, unsafe]}}}}
"""
    child = "Parameters: {Mode: {Type: String}}\nResources: {R: {Type: A, Properties: {P: !Ref Mode}}}"
    assert values({"parent.yaml": parent, "child.yaml": child}) == ["safe"]
    never = parent.replace("!Equals [!Ref Env, prod]", "!Equals [a, b]")
    assert values({"parent.yaml": never, "child.yaml": child}) == []


def test_two_maps_with_the_same_unknown_key_agree() -> None:
    """No region is two regions."""
    text = "Mappings: {M: {us: {a: 1}, eu: {a: 3}}, N: {us: {a: 10}, eu: {a: 30}}}"
    properties = "{P: [!FindInMap [M, !Ref AWS::Region, a], !FindInMap [N, !Ref AWS::Region, a]]}"
    assert values(resource(properties, more=text)) == [[1, 10], [3, 30]]


def test_a_map_is_not_asked_for_what_the_key_is_not() -> None:
    """Where the parameter has another value than ``prod``, the entry of ``prod`` is not what it gives."""
    text = (
        "Parameters: {Env: {Type: String}}\nConditions: {IsProd: !Equals [!Ref Env, prod]}\n"
        "Mappings: {M: {prod: {a: 1}, dev: {a: 2}}}"
    )
    assert values(resource("{P: [!If [IsProd, p, d], !FindInMap [M, !Ref Env, a]]}", more=text)) == [["p", 1], ["d", 2]]


def test_the_default_value_of_a_map_is_judged_too() -> None:
    """A key that the map may not have gives it."""
    text = "Mappings: {M: {us: {a: 1}, eu: {a: 1}}}"
    properties = "{P: !FindInMap [M, !Ref AWS::Region, a, {DefaultValue: 2}]}"
    assert set(map(str, values(resource(properties, more=text)))) == {"1", "2"}


def test_conditions_on_conditions_end_soon() -> None:
    """Twenty-five conditions that each ask the one before twice are asked twenty-five times."""
    chain = ", ".join(f"C{n}: !And [!Condition C{n - 1}, !Condition C{n - 1}]" for n in range(1, 26))
    text = f"Conditions: {{C0: !Equals [!Ref AWS::Region, eu-west-1], {chain}}}"
    assert values(resource("{P: !If [C25, 1, 2]}", more=text)) == [1, 2]
