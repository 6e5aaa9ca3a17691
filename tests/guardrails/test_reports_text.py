"""Text, for people: grouped, readable, and in control of its own lines."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given

from constructs_lib.guardrails.reports.answer import Answer
from constructs_lib.guardrails.reports.as_text import render
from constructs_lib.guardrails.rule import Finding
from tests.guardrails.answers import EVERY_KIND, FAIL, NOTICE, OF_A_TEMPLATE, UNKNOWN, WARNING, answers


def test_a_finding_reads_so() -> None:
    """File, then line, severity, rule, resource and property, then what, why and fix."""
    assert render(Answer(findings=(FAIL,), templates=1)) == (
        "stacks/web.yaml\n"
        "    12  error    MOOR-W2b  Task: Properties/ContainerDefinitions/0/LogConfiguration/Options/mode\n"
        "        Container 'web' waits. It froze.\n"
        "        Fix: Do not wait.\n"
        "\n"
        "1 template: 1 error.\n"
    )


def test_findings_are_grouped_by_file() -> None:
    """Each file is named once."""
    lines = render(EVERY_KIND).splitlines()
    assert [line for line in lines[:-1] if line and not line.startswith(" ")] == ["stacks/web.yaml", "other.json"]


def test_unknown_is_told_apart() -> None:
    """It stands where the severity would, and is counted by itself."""
    text = render(Answer(findings=(UNKNOWN,), templates=1))
    assert "    20  unknown  MOOR-W2b  Other: " in text
    assert "error  " not in text
    assert text.endswith("\n1 template: nothing found; 1 unknown before it is deployed (1 possible error).\n")


@pytest.mark.parametrize(
    ("answer", "summary"),
    [
        (Answer(templates=3), "3 templates: nothing found."),
        (Answer(findings=(FAIL, FAIL, WARNING, NOTICE), templates=1), "1 template: 2 errors, 1 warning, 1 notice."),
        (Answer(templates=1, accepted=2), "1 template: nothing found; 2 acknowledged."),
        (Answer(templates=1, known=2), "1 template: nothing new; 2 in the baseline."),
        (
            Answer(templates=1, known=1, gone=1),
            "1 template: nothing new; 1 in the baseline; 1 of the baseline no longer found, so write it anew.",
        ),
        (Answer(errors=("broken",)), "0 templates: nothing found; 1 input not judged."),
    ],
)
def test_the_last_line_sums_up(answer: Answer, summary: str) -> None:
    """What was found, and what is not shown."""
    assert render(answer).splitlines()[-1] == summary


def test_it_is_readable_at_100_columns() -> None:
    """Sentences are broken between words; a place that does not fit gets a line of its own."""
    long = replace(FAIL, message="word " * 60 + "end.", path="Properties/" + "Part/" * 14 + "end")
    text = render(Answer(findings=(long,), templates=1))
    assert max(map(len, text.splitlines())) <= 100
    assert text.count("word") == 60


def test_a_finding_of_a_whole_template_has_no_resource() -> None:
    """Its place is what there is of it."""
    assert "     1  error    MOOR-Q8a  Metadata/Moorings\n" in render(Answer(findings=(OF_A_TEMPLATE,), templates=1))


@given(answers())
def test_no_text_takes_over(answer: Answer) -> None:
    """A name cannot end a line, colour the terminal or turn the reading direction round."""
    text = render(answer)
    assert all(line.isprintable() for line in text.splitlines())
    assert len(text.splitlines()) == text.count("\n")
    heads = re.findall(r"^ *(\d+)  (?:error|warning|notice|unknown) +MOOR-", text, re.MULTILINE)
    assert [int(line) for line in heads] == [finding.line for finding in _grouped(answer)]


def _grouped(answer: Answer) -> list[Finding]:
    """The findings of the first file, then of the next."""
    files = list(dict.fromkeys(finding.file for finding in answer.findings))
    return sorted(answer.findings, key=lambda finding: files.index(finding.file))
