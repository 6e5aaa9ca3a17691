"""JSON: exactly the shape that is promised."""

from __future__ import annotations

import json

from hypothesis import given

from constructs_lib.guardrails.reports.answer import Answer
from constructs_lib.guardrails.reports.as_json import render
from tests.guardrails.answers import EVERY_KIND, FAIL, answers


def test_json_has_exactly_this_shape() -> None:
    """The keys of a finding, their order, and the errors beside."""
    assert json.loads(render(Answer(findings=(FAIL,), errors=("x is broken.",)))) == {
        "findings": [
            {
                "rule": "MOOR-W2b",
                "lesson": "W2",
                "severity": "error",
                "status": "fail",
                "file": "stacks/web.yaml",
                "line": 12,
                "logical_id": "Task",
                "path": "Properties/ContainerDefinitions/0/LogConfiguration/Options/mode",
                "message": "Container 'web' waits. It froze.",
                "fix": "Do not wait.",
            }
        ],
        "errors": ["x is broken."],
    }
    assert json.loads(render(Answer())) == {"findings": [], "errors": []}


def test_what_is_unknown_says_so() -> None:
    """Its status is apart from its severity."""
    found = json.loads(render(EVERY_KIND))["findings"]
    assert [one["status"] for one in found] == ["fail", "unknown", "fail", "fail", "fail"]


@given(answers())
def test_no_text_makes_it_invalid(answer: Answer) -> None:
    """It is ASCII, so no encoding can break it, and holds whole characters only, which every parser takes."""
    text = render(answer)
    assert text.isascii()
    told = json.loads(text)
    json.dumps(told, ensure_ascii=False).encode("utf-8")
    assert [one["line"] for one in told["findings"]] == [one.line for one in answer.findings]
    assert len(told["errors"]) == len(answer.errors)
