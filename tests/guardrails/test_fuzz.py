"""No template, however wrong, is an exception. ``python -m benchmarks.guardrails_fuzz`` asks for many more."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from constructs_lib.guardrails.catalog import RULES
from constructs_lib.guardrails.check import judged
from constructs_lib.guardrails.templates.assembly import Assembly, template_document
from constructs_lib.guardrails.templates.errors import UnusableInput
from tests.guardrails.arbitrary import arbitrary, examples, spoiled

SEVERITIES = {rule.id: rule.severity for rule in RULES}


def judge_it(template: dict[str, Any]) -> int:
    """Judges a template and checks the form of what is found; returns how much that is."""
    text = json.dumps(template, indent=1)
    try:
        assembly = Assembly({"t.json": template_document(text, "t.json")})
    except UnusableInput:
        return 0
    lines = text.count("\n") + 1
    found = judged(assembly, today=date(2026, 1, 1)).findings
    for one in found:
        assert one.status in ("fail", "unknown")
        assert one.lesson == one.rule[5:7]
        assert one.severity == SEVERITIES.get(one.rule, one.severity)
        assert 1 <= one.line <= lines
        assert one.message
        assert one.fix
    return len(found)


@pytest.mark.parametrize("kind", [arbitrary(), spoiled()], ids=["arbitrary", "spoiled"])
def test_nothing_is_an_exception(kind: st.SearchStrategy[dict[str, Any]]) -> None:
    """Anything that JSON can hold gives findings of the right form, or one sentence."""

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(kind)
    def ask(template: dict[str, Any]) -> None:
        judge_it(template)

    ask()


def test_the_examples_are_judged() -> None:
    """What is spoiled above does give findings when it is whole."""
    assert sum(map(judge_it, examples())) >= len(examples()) / 2
