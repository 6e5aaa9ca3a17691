"""Reading JSON and YAML, and where each part stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.guardrails.templates.documents import DEEPEST, Place, parse, read
from constructs_lib.guardrails.templates.errors import UnusableInput

YAML = """\
# a comment
Top:
  list:
    - one
    - key: !Sub
        - ${a}
        - a: 1
  text: |
    many
    lines
  ref: !GetAtt A.B.C
  date: 2012-10-17
  octal: 010
  yes: on
  80: port
"""


def test_yaml_is_read_as_cloudformation_does() -> None:
    """Short forms become long ones, dates stay text, keys are texts."""
    assert parse(YAML, "t").value == {
        "Top": {
            "list": ["one", {"key": {"Fn::Sub": ["${a}", {"a": 1}]}}],
            "text": "many\nlines\n",
            "ref": {"Fn::GetAtt": ["A", "B.C"]},
            "date": "2012-10-17",
            "octal": 8,
            "yes": True,
            "80": "port",
        }
    }


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ((), 2),
        (("Top",), 2),
        (("Top", "list", 0), 4),
        (("Top", "list", 1, "key"), 5),
        (("Top", "list", 1, "key", "Fn::Sub", 1, "a"), 7),
        (("Top", "ref"), 11),
        (("Top", "ref", "Fn::GetAtt", 0), 11),
        (("Top", "80"), 15),
        (("Top", "list", 1, "missing", "deeper"), 5),
        (("Top", "missing"), 2),
    ],
)
def test_yaml_lines(place: Place, line: int) -> None:
    """Of a part, or of the nearest that holds what is missing."""
    assert parse(YAML, "t").lines([place])[place] == line


_LETTERS = 'ab:{}[],"\\\n\t é'


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(_LETTERS, max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(_LETTERS, max_size=4), inner, max_size=3),
        max_leaves=12,
    ),
    indent=st.sampled_from([0, 2]),
)
def test_json_lines_agree_with_a_parser_that_knows_them(value: object, indent: int) -> None:
    """Every part of any document is on the line on which PyYAML's own marks put it."""
    text = json.dumps(value, indent=indent)
    document = parse(text, "t.json")
    assert document.value == value
    places: list[Place] = []

    def visit(part: object, place: Place) -> None:
        places.append(place)
        if isinstance(part, dict):
            for key, item in part.items():
                visit(item, (*place, key))
        elif isinstance(part, list):
            for number, item in enumerate(part):
                visit(item, (*place, number))

    visit(value, ())
    found = document.lines(places)
    for place in places:
        assert found[place] == marked(yaml.compose(text, Loader=yaml.SafeLoader), place)
    beyond = (*places[-1], "missing")
    assert document.lines([beyond])[beyond] == found[places[-1]]


def marked(node: yaml.Node | None, place: Place) -> int:
    """The line by PyYAML's marks."""
    assert node is not None
    mark = node.start_mark
    for step in place:
        if isinstance(node, yaml.MappingNode):
            key, node = next(pair for pair in node.value if pair[0].value == step)
            mark = key.start_mark
        else:
            assert isinstance(step, int)
            node = node.value[step]
            mark = node.start_mark
    return mark.line + 1


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.json", '{"a": 1, "a": 2}', "t.json must have each key once, got 'a' twice; rename or remove one"),
        (
            "t.yaml",
            "b:\n  a: 1\n  a: 2",
            "t.yaml, line 3: each key must be there once, got 'a' twice; ",
        ),
        ("t.json", "{", "t.json is not valid JSON: "),
        ("t.yaml", "a: [", "t.yaml is neither JSON nor YAML: "),
        ("t.yaml", "? [a]\n: b", "t.yaml, line 1: a key must be a text"),
        ("t.yaml", "a: &x [*x]", "t.yaml, line 1: an alias must not hold itself"),
        ("t.yaml", "a: 1\n---\nb: 2", "t.yaml is neither JSON nor YAML: "),
        ("t.yaml", "a: \0", "t.yaml is neither JSON nor YAML: "),
        ("t.json", "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "must not be nested more than 100 levels deep"),
        ("t.json", "[" * 100_000 + "]" * 100_000, "t.json is not valid JSON: |nested"),
        ("t.yaml", "[" * 3_000 + "]" * 3_000, "t.yaml is neither JSON nor YAML: |nested"),
        ("t.yaml", "[" * 40_000, "nested too deeply"),
        ("t.yaml", "- " * 100_000, "nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence(name: str, text: str, message: str) -> None:
    """With the name, and the line where there is one."""
    with pytest.raises(UnusableInput, match=message):
        parse(text, name)


def test_aliases_that_stand_for_billions_are_refused() -> None:
    """Nine lines of YAML must not take the memory of the machine."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(UnusableInput, match="must stand for at most 1000000 values"):
        parse("\n".join(lines), "t")


def test_aliases_and_merges_are_written_out() -> None:
    """CloudFormation's own tools write them out before they send a template."""
    text = "base: &b {x: 1, y: 2}\none: {<<: *b, y: 3}\ntwo: *b"
    assert parse(text, "t").value == {"base": {"x": 1, "y": 2}, "one": {"x": 1, "y": 3}, "two": {"x": 1, "y": 2}}
    assert parse("a: &x {<<: *x, b: 1}", "t").value == {"a": {"b": 1}}


@pytest.mark.parametrize(("content", "reason"), [(b"\xff\xfe", "it is not UTF-8"), (None, "No such file")])
def test_a_file_that_cannot_be_read_is_named(content: bytes | None, reason: str, tmp_path: Path) -> None:
    """Whatever the reason."""
    path = tmp_path / "t.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnusableInput, match=f"t.yaml cannot be read: {reason}"):
        read(path)


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    """Windows editors write it."""
    path = tmp_path / "t.json"
    path.write_text('{"a": 1}', encoding="utf-8-sig")
    assert read(path).value == {"a": 1}
