"""A rule's page has what the rule and its examples say; what the examples do is tried in ``test_explanations``."""

from __future__ import annotations

import re
from datetime import date

import pytest

from constructs_lib.guardrails.acknowledgement_examples import EXAMPLES
from constructs_lib.guardrails.catalog import RULES
from constructs_lib.guardrails.check import judged
from constructs_lib.guardrails.described import Described, described, find
from constructs_lib.guardrails.explanation import examples, index, page
from constructs_lib.guardrails.rule import Finding
from constructs_lib.guardrails.templates.assembly import Assembly, template_document
from constructs_lib.incidents import INCIDENTS


def of(text: str, rule: str) -> list[Finding]:
    """A rule's findings, acknowledgements applied."""
    assembly = Assembly({"template.yaml": template_document(text, "template.yaml")})
    return [one for one in judged(assembly, today=date(2026, 4, 1)).findings if one.rule == rule]


@pytest.mark.parametrize("rule", described(), ids=lambda rule: rule.id)
def test_a_page_is_made_from_the_rule(rule: Described) -> None:
    """Id, title, lesson, severity, types, why and fix, and each of the examples, whole."""
    text = page(rule)
    for part in (f"# {rule.id}: {rule.title}\n", f"Lesson {rule.lesson}, {rule.severity}.", rule.why, rule.fix):
        assert part in text
    for part in (*rule.types, *examples(rule.id).values()):
        assert part in text
    assert text.count("```") % 2 == 0


@pytest.mark.parametrize("rule", described(), ids=lambda rule: rule.id)
def test_a_page_leads_to_the_public_report(rule: Described) -> None:
    """Of the incident that taught it, as far as its address is known."""
    urls = [incident.url for letter, incident in INCIDENTS.items() if letter == rule.lesson[0] and incident.url]
    assert re.findall(r"^The public report: <(.*)>$", page(rule), re.MULTILINE) == urls


def test_a_page_has_this_order() -> None:
    """First what and why, then how it is mended, then the examples."""
    rule = find("W2b")
    assert rule is not None
    assert re.findall(r"^## (.*)$", page(rule), re.MULTILINE) == [
        "Why",
        "Fix",
        "Fails",
        "Passes",
        "In CDK",
        "In CloudFormation",
        "In Terraform",
    ]


def test_a_snippet_is_fenced_and_a_sentence_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said of CloudFormation may be either; a sentence with a colon stays one."""
    rule = find("W2b")
    assert rule is not None
    for text, fenced in (
        ("HealthCheck:\n  Command: [CMD, true]", True),
        ("- Name: web", True),
        ("Give each container a HealthCheck: ECS ignores the image's.", False),
        ("Set `MaxCapacity` above `MinCapacity`.", False),
        ("Options: {mode: !Ref Mode}", True),
    ):
        monkeypatch.setattr(
            "constructs_lib.guardrails.explanation.examples", lambda _, told=text: {"cloudformation": told}
        )
        assert (f"```yaml\n{text}\n```" in page(rule)) is fenced
        assert text in page(rule)


def test_the_table_has_every_rule_once_by_lesson() -> None:
    """Each leads to its page."""
    text = index(described())
    assert re.findall(r"^\| \[(.*)\]\((.*)\.md\) ", text, re.MULTILINE) == [
        (rule.id, rule.id) for lesson in sorted_lessons() for rule in described() if rule.lesson == lesson
    ]
    assert len(described()) == len(RULES) + 3


def sorted_lessons() -> list[str]:
    """W, T, Q, each by number."""
    return sorted({rule.lesson for rule in described()}, key=lambda lesson: ("WTQ".index(lesson[0]), lesson))


@pytest.mark.parametrize("rule", EXAMPLES)
def test_examples_about_acknowledgements_are_so(rule: str) -> None:
    """The failing one has that fault, on the acknowledgement's line; the passing one has no finding of these rules."""
    (found,) = of(EXAMPLES[rule]["failing"], rule)
    assert EXAMPLES[rule]["failing"].splitlines()[found.line - 1].strip().startswith("- {id: MOOR-W2b")
    for other in (*EXAMPLES, "MOOR-W2b"):
        assert of(EXAMPLES[rule]["passing"], other) == []


def test_cdk_code_about_acknowledgements_runs() -> None:
    """It is written into the construct that it is given."""
    from aws_cdk import App, Stack

    for example in EXAMPLES.values():
        stack = Stack(App(), "Stack")
        exec(compile(example["cdk"], "example", "exec"), {"stack": stack})  # noqa: S102  (code of this repository)
        said = [entry.data for entry in stack.node.metadata if entry.type == "aws:cdk:acknowledged-rules"]
        assert "the sandbox may wait for its logs (until 2099-12-31)" in str(said)


def test_a_rule_is_found_as_people_type_it() -> None:
    """With and without the prefix, in any case; nothing else."""
    for name in ("MOOR-Q8a", "moor-q8A", "q8a"):
        found = find(name)
        assert found is not None
        assert found.id == "MOOR-Q8a"
    for name in ("", "MOOR-", "Q8", "MOOR-MOOR-Q8a", "../Q8a"):
        assert find(name) is None
