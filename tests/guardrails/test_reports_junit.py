"""JUnit: well-formed whatever a template holds, and only certain errors fail."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import given

from constructs_lib.guardrails.reports.answer import Answer
from constructs_lib.guardrails.reports.as_junit import render
from tests.guardrails.answers import EVERY_KIND, FAIL, answers

REFERENCE = re.compile(r"&#(\d+);")


def cases(answer: Answer) -> list[ElementTree.Element]:
    """All test cases."""
    return ElementTree.fromstring(render(answer)).findall("./testsuite/testcase")  # noqa: S314  (our own)


def outcome(case: ElementTree.Element) -> str:
    """What a build service sees."""
    return case[0].tag if len(case) else "passed"


def test_only_certain_errors_fail() -> None:
    """What is unknown is skipped, warnings and notices pass with an output, an unusable input is an error."""
    assert [outcome(case) for case in cases(EVERY_KIND)] == [
        "failure",
        "skipped",
        "system-out",
        "failure",
        "system-out",
        "passed",
        "error",
    ]


def test_a_case_names_its_place_and_fix() -> None:
    """The name tells rule, resource and property; the text what, why, fix and line."""
    case = cases(Answer(findings=(FAIL,)))[0]
    assert case.get("name") == "MOOR-W2b Task Properties/ContainerDefinitions/0/LogConfiguration/Options/mode"
    assert (case.get("classname"), case.get("line")) == ("stacks/web.yaml", "12")
    assert case[0].text == "error: Container 'web' waits. It froze.\nFix: Do not wait.\nstacks/web.yaml:12"


def test_the_numbers_are_right() -> None:
    """Of the whole and of each file: services read them before the cases."""
    top = ElementTree.fromstring(render(EVERY_KIND))  # noqa: S314  (our own)
    wanted = {"tests": "7", "failures": "2", "errors": "1", "skipped": "1"}
    assert {name: top.get(name) for name in wanted} == wanted
    assert [suite.get("tests") for suite in top] == ["4", "1", "2"]


def test_a_clean_run_has_a_test_that_passes() -> None:
    """Services take a report without any test for a broken one."""
    (case,) = cases(Answer(templates=3))
    assert (case.get("name"), outcome(case)) == ("3 judged", "passed")


@given(answers())
def test_no_text_makes_it_invalid(answer: Answer) -> None:
    """It is ASCII and well-formed, names no character that XML forbids, and has a case for each finding."""
    text = render(answer)
    assert text.isascii()
    for number in map(int, REFERENCE.findall(text)):
        assert number in (9, 10, 13) or 32 <= number < 0xD800 or 0xE000 <= number < 0xFFFE or number >= 0x10000
    found = cases(answer)
    assert len(found) == len(answer.findings) + 1 + len(answer.errors)
    certain = sum(one.severity == "error" and one.status == "fail" for one in answer.findings)
    assert sum(outcome(case) == "failure" for case in found) == certain
