"""Text, for people: grouped, readable, and in control of its own lines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from constructs_lib.guardrails.reports.answer import Answer, printable
from constructs_lib.guardrails.reports.as_text import render
from constructs_lib.guardrails.rule import Finding
from tests.guardrails.answers import EVERY_KIND, FAIL, NOTICE, OF_A_TEMPLATE, UNKNOWN, WARNING, answers

MORE = "`moorings check --explain MOOR-W2b` shows a rule with examples and CDK code."


def test_a_finding_reads_so() -> None:
    """File and line, severity, rule, resource and property, then what, why and fix; at the end how to read on."""
    assert render(Answer(findings=(FAIL,), templates=1)) == (
        "stacks/web.yaml:12  error  MOOR-W2b  Task: Properties/ContainerDefinitions/0/LogConfiguration/Options/mode\n"
        "    Container 'web' waits. It froze.\n"
        "    Fix: Do not wait.\n"
        "\n"
        "1 template: 1 error.\n"
        f"{MORE}\n"
    ).replace("MOOR-W2b  Task", "MOOR-W2b\n    Task")


def test_each_finding_begins_with_its_file_and_line() -> None:
    """So a terminal leads there, and a search through the output finds it."""
    lines = render(EVERY_KIND).splitlines()
    heads = [line.split("  ")[0] for line in lines[: lines.index("")] if not line.startswith(" ")]
    assert heads == [f"{finding.file}:{finding.line}" for finding in EVERY_KIND.findings]


def test_without_findings_there_is_nothing_to_read_on() -> None:
    """The sum is the only line."""
    assert render(Answer(templates=1)) == "1 template: nothing found.\n"


def test_unknown_is_told_apart() -> None:
    """It stands where the severity would, and is counted by itself."""
    text = render(Answer(findings=(UNKNOWN,), templates=1))
    assert "stacks/web.yaml:20  unknown  MOOR-W2b\n    Other: " in text
    assert "error  " not in text
    assert f"\n1 template: nothing found; 1 unknown before it is deployed (1 possible error).\n{MORE}\n" in text


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
        (
            Answer(templates=1, known=1, gone=1, partial=True),
            "1 template: nothing new; 1 in the baseline; 1 of the baseline no longer found.",
        ),
        (Answer(errors=("broken",)), "0 templates: nothing was judged; 1 input not judged."),
        (Answer(), "0 templates: nothing was judged."),
    ],
)
def test_one_line_sums_up(answer: Answer, summary: str) -> None:
    """What was found, and what is not shown."""
    assert summary in render(answer).splitlines()[-2:]


@pytest.mark.parametrize(("width", "longest"), [(None, 100), (1000, 100), (100, 100), (72, 72)])
def test_it_is_readable_at_any_width(width: int | None, longest: int) -> None:
    """Sentences are broken between words, at 100 columns at most; a place that does not fit has a line of its own."""
    long = replace(FAIL, message="word " * 60 + "end.", path="Properties/" + "Part/" * 8 + "end")
    answer = Answer(findings=(long,), templates=1)
    lines = (render(answer) if width is None else render(answer, width)).splitlines()[:-1]
    assert longest - 5 < max(map(len, lines)) <= longest
    assert "".join(lines).count("word") == 60


def test_a_finding_of_a_whole_template_has_no_resource() -> None:
    """Its place is what there is of it."""
    assert "stacks/web.yaml:1  error  MOOR-Q8a  Metadata/Moorings\n" in render(
        Answer(findings=(OF_A_TEMPLATE,), templates=1)
    )


@given(answers())
def test_no_text_takes_over(answer: Answer) -> None:
    """A name cannot end a line, colour the terminal or turn the reading direction round."""
    text = render(answer)
    assert all(line.isprintable() for line in text.splitlines())
    assert len(text.splitlines()) == text.count("\n")
    heads = [f"{printable(one.file)}:{one.line}  {_word(one)}  {one.rule}" for one in answer.findings]
    told = text.splitlines()[: -3 if heads else -1]
    assert all(line.startswith(("    ", *heads)) for line in told)
    rest = iter(told)
    assert all(any(line.startswith(head) for line in rest) for head in heads)


def _word(finding: Finding) -> str:
    return finding.severity if finding.status == "fail" else "unknown"
