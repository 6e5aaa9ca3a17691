"""Loops, nested stacks, and what names what."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from constructs_lib.guardrails.templates.assembly import Assembly, template_document
from constructs_lib.guardrails.templates.errors import UnusableInput
from constructs_lib.guardrails.templates.foreach import MOST
from constructs_lib.guardrails.templates.references import named_in, referring
from tests.guardrails.templates.support import assembly, resource, values

LOOP = """
Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList, Default: "web,api-2"}}
Resources:
  Fn::ForEach::Services:
    - Name
    - %s
    - Task&{Name}:
        Type: A::B::C
        Properties: {P: !Ref Name, Q: !Sub "x-${Name}", Fn::ForEach::Tags: [T, [a, b], {"K${T}": !Ref T}]}
      Log${Name}:
        Type: A::B::D
"""


@pytest.mark.parametrize("items", ["[web, api-2]", "!Ref Names", "[web, !Ref One]"])
def test_a_loop_is_written_out(items: str) -> None:
    """Of a list and of a parameter's default, with names made of letters and digits where asked."""
    text = (LOOP % items).replace("Parameters: {", "Parameters: {One: {Type: CommaDelimitedList, Default: api-2}, ")
    found = assembly(text)
    assert set(found.templates[0].resources) == {"Taskweb", "Logweb", "Taskapi2", "Logapi-2"}
    assert values(text, of="Taskapi2") == ["api-2"]
    assert values(text, "Q", of="Taskweb") == ["x-web"]
    assert values(text, "Kb", of="Taskweb") == ["b"]
    place = found.templates[0].resources["Taskapi2"].place
    assert place == ("Resources", "Fn::ForEach::Services", 2, "Task&{Name}")
    assert found.templates[0].document.lines([place])[place] == 8


def test_a_loop_over_what_is_not_known_is_judged_once() -> None:
    """Its resources are not skipped, and what depends on the variable is unknown."""
    text = LOOP % "!Ref Nobody"
    assert set(assembly(text).templates[0].resources) == {"Task&{Name}", "Log${Name}"}
    assert values(text, of="Task&{Name}") == ["?"]
    assert values(text.replace("!Ref Name,", '"${Name}",'), of="Task&{Name}") == ["?"]
    assert values(text, "Q", of="Task&{Name}") == ["x-?"]


def test_loops_in_loops_end() -> None:
    """Six lines can ask for billions of resources."""
    items = json.dumps([f"i{number}" for number in range(700)])
    inner = f'{{"Fn::ForEach::B": ["J", {items}, {{"R${{I}}${{J}}": {{"Type": "A"}}}}]}}'
    text = f'{{"Resources": {{"Fn::ForEach::A": ["I", {items}, {inner}]}}}}'
    found = assembly(text)
    assert found.templates == []
    assert [str(problem) for problem in found.problems] == [
        f"template.yaml must make at most {MOST} values with Fn::ForEach; shorten it"
    ]


def test_a_broken_nested_template_does_not_stop_its_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, and what it would give is unknown."""
    monkeypatch.chdir(tmp_path)
    Path("child.yaml").write_text("Resources: [")
    assert values({"parent.yaml": PARENT}) == ["<Nested.Outputs.Answer>"]
    assert ["child.yaml is neither" in str(problem) for problem in assembly({"parent.yaml": PARENT}).problems] == [True]


@pytest.mark.parametrize("loop", ["3", "[a, [b]]", "[[], [b], {}]", "[a, [b], 3]", "[a, {Ref: [b]}, {}]"])
def test_a_malformed_loop_makes_nothing(loop: str) -> None:
    """CloudFormation would refuse it."""
    assert assembly(f"Resources:\n  Fn::ForEach::X: {loop}").templates[0].resources == {}


PARENT = """
Resources:
  Vpc: {Type: V::V::V}
  Nested:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: ./child.yaml, Parameters: {Vpc: !Ref Vpc, Size: 3}}
  R: {Type: A, Properties: {P: !GetAtt Nested.Outputs.Answer}}
"""
CHILD = """
Parameters: {Vpc: {Type: String}, Size: {Type: Number, Default: 1}, Own: {Type: Number, Default: 9}}
Resources:
  C: {Type: A, Properties: {P: [!Ref Vpc, !Ref Size, !Ref Own]}}
Outputs: {Answer: {Value: !Sub "${Size}-${C.Arn}"}}
"""


@pytest.mark.parametrize("given", [("parent.yaml",), ("parent.yaml", "child.yaml"), ("child.yaml", "parent.yaml")])
def test_a_nested_stack_is_followed_both_ways(
    given: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its parameters come from its parent and its outputs go there, also when only the parent is named."""
    monkeypatch.chdir(tmp_path)
    Path("parent.yaml").write_text(PARENT)
    Path("child.yaml").write_text(CHILD)
    texts = {name: Path(name).read_text() for name in given}
    assert values(texts, of="C") == [["<Vpc.Ref>", 3, "9"]]
    assert values(texts, of="R") == ["3-?"]
    assert {template.file for template in assembly(texts).templates} == {"parent.yaml", "child.yaml"}


@pytest.mark.parametrize(
    "url",
    ["https://b.s3.amazonaws.com/x/child.yaml", '!Sub "https://${Bucket}/child.yaml"',
     '!Join ["", ["https://", !Ref Bucket, "/x/child.yaml"]]', "!If [C, https://a/child.yaml, https://b/child.yaml]"],
)  # fmt: skip
def test_a_nested_stack_is_found_by_the_name_in_its_url(url: str) -> None:
    """If a template that was given has that name, and no other has it."""
    parent = PARENT.replace("./child.yaml", url)
    assert values({"parent.yaml": parent, "t/child.yaml": CHILD}, of="R") == ["3-?"]
    two = {"parent.yaml": parent, "t/child.yaml": CHILD, "u/child.yaml": CHILD}
    assert values(two, of="R") == ["<Nested.Outputs.Answer>"]
    other = PARENT.replace("./child.yaml", "!If [C, https://a/child.yaml, https://b/other.yaml]")
    assert values({"parent.yaml": other, "t/child.yaml": CHILD}, of="R") == ["<Nested.Outputs.Answer>"]


def test_a_nested_stack_of_cdk_is_found_by_its_assets_hash(tmp_path: Path) -> None:
    """Without the metadata that only CDK's command line adds."""
    (tmp_path / "S.assets.json").write_text('{"files": {"abc": {"source": {"path": "N.nested.template.json"}}}}')
    child = {
        "Resources": {"C": {"Type": "A", "Properties": {"P": {"Ref": "V"}}}},
        "Parameters": {"V": {"Type": "String"}},
    }
    (tmp_path / "N.nested.template.json").write_text(json.dumps(child))
    url = {"Fn::Join": ["", ["https://s3.", {"Ref": "AWS::Region"}, "/abc.json"]]}
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url, "Parameters": {"V": "given"}}}
    parent = {"Resources": {"N": nested}}
    assert values({str(tmp_path / "S.template.json"): json.dumps(parent)}, of="C") == ["given"]


def test_a_template_that_two_stacks_nest_is_judged_for_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each gives it other parameters."""
    monkeypatch.chdir(tmp_path)
    second = PARENT.replace("  Nested:", "  Second:").replace("Size: 3", "Size: 4").replace("Nested.Out", "Second.Out")
    texts = {"a.yaml": PARENT, "b.yaml": second, "child.yaml": CHILD}
    assert values(texts, of="C") == [["<Vpc.Ref>", 3, "9"], ["<Vpc.Ref>", 4, "9"]]
    assert values(texts, of="R") == ["3-?", "4-?"]


@pytest.mark.parametrize(
    ("kind", "passed", "expected"),
    [
        ("List<AWS::EC2::Subnet::Id>", "!Join [',', [a, b]]", ["a", "b"]),
        ("CommaDelimitedList", "'a,b'", ["a", "b"]),
        ("CommaDelimitedList", "!Join [',', [!Ref Vpc, b]]", ["<Vpc.Ref>", "b"]),
        ("CommaDelimitedList", "!Join [',', [!Ref AWS::StackName, b]]", "?"),
        ("AWS::SSM::Parameter::Value<String>", "/images/web", "?"),
    ],
)
def test_a_parent_passes_lists_as_texts_and_names_of_values(
    kind: str, passed: str, expected: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As CloudFormation takes them."""
    monkeypatch.chdir(tmp_path)
    child = f"Parameters: {{L: {{Type: '{kind}'}}}}\nResources: {{C: {{Type: A, Properties: {{P: !Ref L}}}}}}"
    parent = PARENT.replace("{Vpc: !Ref Vpc, Size: 3}", f"{{L: {passed}}}")
    assert values({"parent.yaml": parent, "child.yaml": child}, of="C") == [expected]


def test_a_stack_that_nests_itself_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its parameter goes in a circle."""
    monkeypatch.chdir(tmp_path)
    text = """
Parameters: {P: {Type: String}}
Resources:
  R: {Type: A, Properties: {P: !Ref P}}
  N: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: self.yaml, Parameters: {P: !Ref P}}}
"""
    Path("self.yaml").write_text(text)
    assert values({"self.yaml": text}) == ["?"]


def test_who_names_a_resource_is_known_across_templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a nested stack's parameter, an export, and every way to write a reference."""
    monkeypatch.chdir(tmp_path)
    exporting = "Resources: {Vpc: {Type: V}}\nOutputs: {V: {Value: !Ref Vpc, Export: {Name: vpc}}}"
    importing = "Resources: {I: {Type: A, Properties: {P: !ImportValue vpc}}, No: {Type: A, Properties: {P: Vpc}}}"
    found = assembly({"a.yaml": exporting, "b.yaml": importing})
    weak = importing.replace("!ImportValue vpc", "{'Fn::GetStackOutput': {StackName: s, OutputName: V}}")
    asked = assembly({"a.yaml": exporting, "b.yaml": weak})
    assert [one.logical_id for one in referring(asked, asked.templates[0].resources["Vpc"], "A")] == ["I"]
    assert [one.logical_id for one in referring(found, found.templates[0].resources["Vpc"], "A")] == ["I"]
    nested = assembly({"parent.yaml": PARENT, "child.yaml": CHILD})
    vpc = nested.templates[0].resources["Vpc"]
    assert [one.logical_id for one in referring(nested, vpc, "A")] == ["C"]
    outer = nested.templates[0].resources["R"]
    assert [one.logical_id for one in named_in(nested, outer.template, outer.body["Properties"])] == ["C"]


def test_outputs_of_outputs_are_followed_once() -> None:
    """Each output imports the one before eight times."""
    texts = {}
    for n in range(1, 12):
        eight = ", ".join([f"!ImportValue e{n - 1}"] * 8)
        outputs = f"O: {{Value: !Join ['', [{eight}]], Export: {{Name: e{n}}}}}"
        resources = f"A{n}: {{Type: X, Properties: {{P: !ImportValue e{n - 1}}}}}"
        texts[f"{n}.yaml"] = f"Resources: {{{resources}}}\nOutputs:\n  {outputs}"
    found = assembly(texts | {"0.yaml": "Resources: {V: {Type: V}}\nOutputs: {O: {Value: !Ref V, Export: {Name: e0}}}"})
    top = next(template for template in found.templates if template.file == "0.yaml").resources["V"]
    assert len(referring(found, top, "X")) == 11


@pytest.mark.parametrize(
    "expression",
    ["!Ref Other", '{Ref: !Sub "Other"}', '{"Fn::GetAtt": [!Sub "Other", Arn]}', "!GetAtt Other.Arn",
     "!GetAtt [Other, Arn]", '!Sub "x${Other}"', '!Sub "${ Other.Arn }"',
     '!Sub ["${A}", {A: !Ref Other}]', '!Join ["", [x, [!Ref Other]]]', "!If [C, x, !Ref Other]"],
)  # fmt: skip
def test_every_way_to_name_a_resource_counts(expression: str) -> None:
    """In any branch and any function."""
    found = assembly(resource(f"{{P: [{{Q: {expression}}}]}}"))
    other = found.templates[0].resources["Other"]
    assert [one.logical_id for one in referring(found, other, "A::B::C")] == ["R"]


@pytest.mark.parametrize("text", ["[]", "3", "{}", "Resources: 3", "a: b", "", "Resources:\n"])
def test_what_is_no_template_is_refused(text: str) -> None:
    """In one sentence that says what it must be."""
    with pytest.raises(UnusableInput, match="t must be a CloudFormation template with "):
        template_document(text, "t")


def test_malformed_resources_are_left_out() -> None:
    """They have no type to judge them by."""
    text = "Resources: {A: 3, B: {}, C: {Type: 3}, D: {Type: X, Properties: 3}}"
    assert set(Assembly({"t": template_document(text, "t")}).templates[0].resources) == {"D"}
