"""What each rule's page shows is so: its examples are judged, and its CDK code is run."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from aws_cdk import App, Stack

from constructs_lib.guardrails.catalog import RULES
from constructs_lib.guardrails.rule import Rule
from constructs_lib.incidents import LESSONS
from tests.guardrails.support import findings

KEYS = {"failing", "passing", "cdk", "cloudformation", "terraform"}


def explained(rule: Rule) -> dict[str, str]:
    """What stands in the rule's file."""
    path = files("constructs_lib.guardrails").joinpath("explanations", f"{rule.id}.yaml")
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


@pytest.fixture(scope="module")
def in_cdk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The template that the CDK code of each rule makes; one synthesis for all."""
    folder = tmp_path_factory.mktemp("cdk")
    app = App(outdir=str(folder))
    for rule in RULES:
        stack = Stack(app, rule.id)
        exec(compile(explained(rule)["cdk"], rule.id, "exec"), {"stack": stack})  # noqa: S102  (code of this repository)
    app.synth()
    return {rule.id: (Path(folder) / f"{rule.id}.template.json").read_text() for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
class TestARule:
    """Of one rule."""

    def test_its_file_is_whole(self, rule: Rule) -> None:
        """Every part of the page is there, and nothing that no page shows."""
        content = explained(rule)
        assert set(content) == KEYS
        assert all(isinstance(text, str) and text.strip() for text in content.values())

    def test_its_failing_example_fails(self, rule: Rule) -> None:
        """With a certain finding of this rule, on a line that is there."""
        found = findings(explained(rule)["failing"], rule.id)
        assert "fail" in {one.status for one in found}

    def test_its_passing_example_passes(self, rule: Rule) -> None:
        """Without any finding of this rule, be it unknown; and it has something to judge."""
        text = explained(rule)["passing"]
        assert findings(text, rule.id) == []
        types = {body["Type"] for body in _resources(text)}
        assert types & set(rule.types)

    def test_its_cdk_code_passes(self, rule: Rule, in_cdk: dict[str, str]) -> None:
        """What it makes has something that the rule judges, and nothing that it finds."""
        text = in_cdk[rule.id]
        assert findings(text, rule.id) == []
        assert {body["Type"] for body in _resources(text)} & set(rule.types)

    def test_it_belongs_to_a_lesson(self, rule: Rule) -> None:
        """Its id, its words and the table of lessons agree."""
        lesson = next(one for one in LESSONS if one.id == rule.lesson)
        assert rule.id in lesson.rules
        assert rule.why.endswith(".")
        assert rule.fix.endswith(".")
        assert rule.title[:1].islower()
        assert not rule.title.endswith(".")


def _resources(text: str) -> list[dict[str, object]]:
    from constructs_lib.guardrails.templates.documents import parse

    value = parse(text, "t").value
    assert isinstance(value, dict)
    return list(value["Resources"].values())


def test_every_explanation_belongs_to_a_rule() -> None:
    """No page is left over from a rule that is gone, and no id is there twice."""
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
    names = {path.name for path in files("constructs_lib.guardrails").joinpath("explanations").iterdir()}
    assert names == {f"{name}.yaml" for name in ids}


def test_the_lessons_name_rules_that_exist() -> None:
    """And no other."""
    assert {name for lesson in LESSONS for name in lesson.rules} == {rule.id for rule in RULES}
