"""Arbitrary templates: such as nobody writes, and real ones with something wrong in them."""

from __future__ import annotations

import copy
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from hypothesis import strategies as st

from constructs_lib.guardrails.catalog import RULES
from constructs_lib.guardrails.templates.documents import parse
from constructs_lib.guardrails.templates.functions import FUNCTIONS

Template = dict[str, Any]

_TYPES = sorted({kind for rule in RULES for kind in rule.types})
_WORDS = [
    "", "a", "R0", "R1", "P0", "C0", "M0", "R0.Arn", "AWS::NoValue", "AWS::Region", "${R0}", "${P0", "{{resolve:a}}",
    "${R0.Arn}:latest", "*", "arn:aws:ecr:*:*:repository/*", "true", "1e400", "-1", "25m", "٣", "\0", "version: 0.2",
]  # fmt: skip


@cache
def examples() -> list[Template]:
    """The failing and passing templates of all explanations."""
    found: list[Template] = []
    for path in files("constructs_lib.guardrails").joinpath("explanations").iterdir():
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name in ("failing", "passing"):
            value = parse(content[name], path.name).value
            assert isinstance(value, dict)
            found.append(value)
    return found


@cache
def words() -> tuple[list[str], list[str]]:
    """The keys and the texts of all examples."""
    keys: set[str] = set()
    texts: set[str] = set(_WORDS)
    left: list[object] = list(examples())
    while left:
        value = left.pop()
        if isinstance(value, dict):
            keys |= set(value)
            left += value.values()
        elif isinstance(value, list):
            left += value
        elif isinstance(value, str):
            texts.add(value)
    return sorted(keys), sorted(texts)


def values() -> st.SearchStrategy[Any]:
    """Anything that JSON can hold, functions above all."""
    keys, texts = words()
    numbers = st.integers() | st.floats() | st.integers(-1, 400)
    plain = st.none() | st.booleans() | numbers | st.sampled_from(texts) | st.text(max_size=4)
    functions = st.sampled_from([*FUNCTIONS, "Fn::GetAZs", "Fn::Transform", "Fn::ForEach::L"])
    conditions = st.sampled_from(["Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not", "Condition"])

    def inside(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(keys) | st.text(max_size=3), inner, max_size=4)
            | st.builds(lambda name, argument: {name: argument}, functions | conditions, inner)
        )

    return st.recursive(plain, inside, max_leaves=8)


@st.composite
def arbitrary(draw: st.DrawFn) -> Template:
    """Sections of anything, with resources of the types that rules judge."""
    anything = values()
    bodies = st.fixed_dictionaries(
        {"Type": st.sampled_from(_TYPES) | anything},
        optional={
            "Properties": anything, "Condition": anything, "Metadata": anything, "DeletionPolicy": anything,
            "UpdateReplacePolicy": anything,
        },
    )  # fmt: skip
    names = st.sampled_from(["R0", "R1", "R2", "Fn::ForEach::L", "Fn::Transform"])
    others = ("Parameters", "Conditions", "Mappings", "Outputs", "Metadata", "Transform")
    sections = st.dictionaries(st.sampled_from(["P0", "C0", "M0", "Moorings"]), anything, max_size=2) | anything
    template = draw(st.fixed_dictionaries({}, optional=dict.fromkeys(others, sections)))
    template["Resources"] = draw(st.dictionaries(names, bodies | anything, max_size=3))
    return template


@st.composite
def spoiled(draw: st.DrawFn) -> Template:
    """A real template with some parts replaced by anything."""
    template = copy.deepcopy(draw(st.sampled_from(examples())))
    for _ in range(draw(st.integers(1, 3))):
        holder: Any = template["Resources"]
        while True:
            places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            if not places:
                break
            place = draw(st.sampled_from(places))
            inner = holder[place]
            if isinstance(inner, dict | list) and inner and draw(st.integers(0, 4)):
                holder = inner
                continue
            if isinstance(holder, dict) and draw(st.integers(0, 4)) == 0:
                del holder[place]
            else:
                holder[place] = draw(values())
            break
    return template
