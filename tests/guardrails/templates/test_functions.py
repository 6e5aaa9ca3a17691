"""What each intrinsic function comes to."""

from __future__ import annotations

import json

import pytest

from tests.guardrails.templates.support import resource, values

MORE = """
Parameters:
  Name: {Type: String, Default: web}
  Count: {Type: Number, Default: 2}
  Open: {Type: String}
  Names: {Type: CommaDelimitedList, Default: "a, b"}
  End: {Type: String, Default: er}
  Subnets: {Type: "List<AWS::EC2::Subnet::Id>"}
  Digest: {Type: "AWS::SSM::Parameter::Value<String>", Default: /a/digest}
Mappings:
  Sizes: {web: {cpu: 1, same: x}, worker: {cpu: 2, same: x}}
Conditions:
  Always: !Equals [a, a]
  Never: !Not [!Condition Always]
"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("!Ref Name", "web"),
        ("{Ref: Count}", "2"),
        ("!Ref Open", "?"),
        ("!Ref Digest", "?"),
        ("!Ref Names", ["a", "b"]),
        ("!Ref Subnets", "?"),
        ("!Ref Missing", "?"),
        ("!Ref Other", "<Other.Ref>"),
        ("!Ref AWS::NoValue", None),
        ("!Ref AWS::Region", "?"),
        ("!GetAtt Other.Arn", "<Other.Arn>"),
        ("!GetAtt [Other, A.B]", "<Other.A.B>"),
        ("!GetAtt Missing.Arn", "?"),
        ("!If [Always, 1, 2]", 1),
        ("!If [Never, 1, !Ref Name]", "web"),
        ("!If [Never, 1, !Ref AWS::NoValue]", None),
        ('!Sub "${Name}-${Count}"', "web-2"),
        ('!Sub "${!Name}-${ Name }"', "${Name}-web"),
        ('!Sub "${Other.Uri}:${Name}"', "?:web"),
        ('!Sub ["${A}/${Name}", {A: !Join ["-", [x, !Ref Name]]}]', "x-web/web"),
        ('!Sub "${Names}"', "?"),
        ('!Sub "${Other}"', "<Other.Ref>"),
        ('!Join ["", ["", !GetAtt Other.Arn]]', "<Other.Arn>"),
        ('!Join ["", [a, !Ref AWS::NoValue, 1, true]]', "a1true"),
        ('!Join [":", !Ref Names]', "a:b"),
        ('!Join [":", !Ref Subnets]', "?"),
        ('!Join ["", [!Ref AWS::AccountId, ".dkr.ecr/", !Ref Other, ":latest"]]', "?.dkr.ecr/?:latest"),
        ("!Select [1, !Ref Names]", "b"),
        ('!Select ["0", [x, y]]', "x"),
        ("!Select [5, !Ref Names]", "?"),
        ("!Select [-1, !Ref Names]", "?"),
        ("!Select [0, !GetAZs '']", "?"),
        ('!Select [1, !Split ["/", "a/b"]]', "b"),
        ('!Split ["/", !Ref Open]', "?"),
        ('!Split [",", !Join [",", [!Ref Other, b, !GetAtt Other.X]]]', ["<Other.Ref>", "b", "<Other.X>"]),
        ('!Split [",", !Join [",", [!Ref Other, !Ref Open]]]', "?"),
        ('!Split ["/", !Sub "a/${Other}/b"]', "?"),
        ('{"Fn::GetAtt": [!Sub "${Name}", Arn]}', "?"),
        ('{"Fn::GetAtt": [!Sub "Oth${End}", !Join ["", [A, rn]]]}', "<Other.Arn>"),
        ('{Ref: !Sub "Oth${End}"}', "<Other.Ref>"),
        ("!FindInMap [Sizes, !Ref Name, cpu]", 1),
        ("!FindInMap [Sizes, nobody, cpu]", "?"),
        ("!FindInMap [Sizes, nobody, cpu, {DefaultValue: 7}]", 7),
        ("!FindInMap [Nowhere, web, cpu]", "?"),
        ("{'Fn::ToJsonString': {a: [1]}}", '{"a": [1]}'),
        ("{'Fn::ToJsonString': {a: !Ref Open}}", "?"),
        ("{'Fn::Length': [a, b]}", 2),
        ("{'Fn::Transform': {Name: Mine}}", "?"),
        ("!Base64 text", "?"),
        ("'{{resolve:ssm:/a/b:1}}'", "?"),
        ("'repo:{{resolve:ssm:tag}}'", "repo:?"),
        ("!Sub 'repo:{{resolve:ssm:${Name}}}'", "repo:?"),
        ("[a, !Ref AWS::NoValue, !Ref Name]", ["a", "web"]),
        ("{K: !Ref Name, Gone: !Ref AWS::NoValue}", {"K": "web"}),
        ("{Ref: Name, Other: x}", {"Ref": "Name", "Other": "x"}),
    ],
)
def test_a_function_gives_what_the_template_tells(expression: str, expected: object) -> None:
    """Defaults are values, what only CloudFormation can tell is unknown, and what is absent is absent."""
    assert values(resource(f"{{P: {expression}}}", more=MORE)) == [expected]


@pytest.mark.parametrize(
    "expression",
    [
        *("{Ref: [a]}", "{'Fn::GetAtt': 3}", "{'Fn::GetAtt': [a]}", "{'Fn::If': [a]}", "{'Fn::If': 3}"),
        *("{'Fn::Sub': 3}", "{'Fn::Sub': [[], {}]}", "{'Fn::Join': [',']}", "{'Fn::Join': [',', 3]}"),
        *("{'Fn::Select': [x, [a]]}", "{'Fn::Select': [99999999999, [a]]}", "{'Fn::Split': ['', a]}"),
        *("{'Fn::FindInMap': [a]}", "{'Fn::FindInMap': [[], {}, []]}", "{'Fn::ImportValue': [a]}"),
        *("{'Fn::ImportValue': nowhere}", "{'Fn::Length': 3}", "{'Fn::Nonsense': 1}"),
    ],
)
def test_a_malformed_function_is_unknown(expression: str) -> None:
    """What CloudFormation would refuse is no reason to stop."""
    assert values(resource(f"{{P: {expression}}}")) == ["?"]


def test_a_given_parameter_takes_the_place_of_its_default() -> None:
    """As with ``--parameter``."""
    assert values(resource("{P: !Ref Name}", more=MORE), Name="api") == ["api"]
    assert values(resource("{P: !Ref Names}", more=MORE), Names="x,y") == [["x", "y"]]


@pytest.mark.parametrize("order", [("a.yaml", "b.yaml"), ("b.yaml", "a.yaml")])
@pytest.mark.parametrize(
    ("export", "wanted"),
    [
        ("net-vpc", "net-vpc"),
        ('!Sub "${AWS::StackName}-vpc"', '!Sub "${Net}-vpc"'),
        ('!Sub "${AWS::StackName}-vpc"', "production-vpc"),
    ],
)
def test_an_import_is_followed(order: tuple[str, str], export: str, wanted: str) -> None:
    """Also when the name of the stack is not known, and whichever file comes first."""
    texts = {
        "a.yaml": f"Resources:\n  R: {{Type: A::B::C, Properties: {{P: {{'Fn::ImportValue': {wanted}}}}}}}\n"
        "Parameters: {Net: {Type: String}}",
        "b.yaml": "Resources:\n  Vpc: {Type: V::V::V}\nOutputs:\n"
        f"  V: {{Value: !Ref Vpc, Export: {{Name: {export}}}}}\n  S: {{Value: x, Export: {{Name: net-subnet}}}}",
    }
    assert values({name: texts[name] for name in order}) == ["<Vpc.Ref>"]


def test_an_import_that_could_mean_two_exports_is_unknown() -> None:
    """Rather than a guess."""
    exporting = "Resources: {}\nOutputs:\n  V: {Value: x, Export: {Name: !Sub '${AWS::StackName}-vpc'}}"
    importing = resource(
        "{P: {'Fn::ImportValue': {'Fn::Sub': '${Net}-vpc'}}}", more="Parameters: {Net: {Type: String}}"
    )
    assert values({"a.yaml": importing, "b.yaml": exporting}) == ["x"]
    assert values({"a.yaml": importing, "b.yaml": exporting, "c.yaml": exporting}) == ["?"]


@pytest.mark.parametrize(
    "text",
    [
        "Resources:\n  R: {Type: A, Properties: {P: !ImportValue x}}\n"
        "Outputs: {O: {Value: !ImportValue x, Export: {Name: x}}}",
        "Resources:\n  R: {Type: A, Properties: {P: !If [C, 1, 1]}}\nConditions: {C: !Not [!Condition C]}",
    ],
    ids=["import", "condition"],
)
def test_a_circle_ends(text: str) -> None:
    """References that go round are unknown or either way, and end."""
    assert set(map(str, values(text))) <= {"?", "1"}


def test_an_output_of_another_stack_is_followed() -> None:
    """CDK's weak references name stack and output; the output must be in one template only."""
    asking = resource("{P: {'Fn::GetStackOutput': {StackName: net, OutputName: Vpc}}}")
    having = "Resources: {V: {Type: V}}\nOutputs: {Vpc: {Value: !Ref V}}"
    assert values({"a.yaml": asking, "b.yaml": having}) == ["<V.Ref>"]
    assert values({"a.yaml": asking, "b.yaml": having, "c.yaml": having}) == ["?"]
    assert values(asking) == ["?"]


def test_texts_in_texts_end_soon() -> None:
    """Thirty levels that each double the text are no text of a template."""
    raw: object = {"Ref": "AWS::Region"}
    for _ in range(30):
        raw = {"Fn::Sub": ["${A}${A}", {"A": raw}]}
    (text,) = values(json.dumps({"Resources": {"R": {"Type": "A", "Properties": {"P": raw}}}}))
    assert set(str(text)) == {"?"}


def test_a_number_of_thousands_of_digits_is_no_text() -> None:
    """Python would refuse to write it."""
    assert values(resource(f"{{P: !Sub ['${{A}}', {{A: 0x{'f' * 5000}}}]}}")) == ["?"]


@pytest.mark.parametrize(
    ("exports", "wanted", "expected"),
    [
        (["net-mode", '!Sub "${AWS::StackName}-mode"'], "net-mode", "0"),
        (['!Sub "${AWS::StackName}-log-mode"'], '!Sub "${S}-mode"', "?"),
        (['!Sub "${AWS::StackName}-mode"'], '!Sub "${S}-log-mode"', "?"),
        (['!Sub "${AWS::StackName}e"'], "other-mode", "?"),
        (['!Sub "a-${AWS::StackName}-mode"'], "b-x-mode", "?"),
        (['!Sub "a-${AWS::StackName}-mode"'], "a-x-mode", "0"),
        (['!Sub "${AWS::StackName}"'], '!Ref Open', "?"),
    ],
)  # fmt: skip
def test_an_export_is_meant_where_all_that_is_known_agrees(exports: list[str], wanted: str, expected: str) -> None:
    """The very name goes first; a common ending alone is not enough."""
    outputs = "".join(f"\n  O{n}: {{Value: '{n}', Export: {{Name: {name}}}}}" for n, name in enumerate(exports))
    importing = resource(
        f"{{P: {{'Fn::ImportValue': {wanted}}}}}", more="Parameters: {S: {Type: String}, Open: {Type: String}}"
    )
    assert values({"a.yaml": importing, "b.yaml": f"Resources: {{}}\nOutputs:{outputs}"}) == [expected]
