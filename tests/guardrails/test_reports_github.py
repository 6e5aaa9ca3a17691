"""Workflow commands: one a line, whatever the names hold."""

from __future__ import annotations

import re

from hypothesis import given

from constructs_lib.guardrails.reports.answer import Answer, printable
from constructs_lib.guardrails.reports.as_github import render
from tests.guardrails.answers import EVERY_KIND, FAIL, UNKNOWN, answers

COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")


def read(line: str) -> tuple[str, dict[str, str], str]:
    """A command as the runner takes it apart: up to the next ``::``, by commas, then by the first ``=``."""
    match = COMMAND.fullmatch(line)
    assert match, line
    properties = dict(part.split("=", 1) for part in match[2].split(","))
    return match[1], {name: unescaped(value) for name, value in properties.items()}, unescaped(match[3])


def unescaped(text: str) -> str:
    """The runner's own way back."""
    for written, letter in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(written, letter)
    return text


def test_a_command_reads_so() -> None:
    """File, line and title are properties; place, message and fix the text."""
    assert render(Answer(findings=(FAIL,))) == (
        "::error file=stacks/web.yaml,line=12,title=MOOR-W2b Task::"
        "Task Properties/ContainerDefinitions/0/LogConfiguration/Options/mode%0A"
        "Container 'web' waits. It froze.%0AFix: Do not wait.\n"
    )


def test_severities_are_commands_and_unknown_is_a_notice() -> None:
    """What is unknown does not look like an error; what could not be judged does."""
    commands = [read(line)[0] for line in render(EVERY_KIND).splitlines()]
    assert commands == ["error", "notice", "warning", "error", "notice", "error"]
    assert ",title=MOOR-W2b Other (unknown)::" in render(Answer(findings=(UNKNOWN,)))
    assert render(EVERY_KIND).endswith("::error title=moorings::x.yaml is broken.\n")


def test_nothing_to_tell_is_nothing() -> None:
    """A clean run writes no line that a runner could take for a command."""
    assert render(Answer(templates=3)) == ""


@given(answers())
def test_no_text_forges_a_command(answer: Answer) -> None:
    """Each finding is one command of its own, with its own line number and severity."""
    lines = render(answer).splitlines()
    assert len(lines) == len(answer.findings) + len(answer.errors)
    for line, finding in zip(lines, answer.findings, strict=False):
        command, properties, text = read(line)
        assert command == (finding.severity if finding.status == "fail" else "notice")
        assert properties["line"] == str(finding.line)
        assert set(properties) == {"file", "line", "title"}
        assert properties["title"].startswith(finding.rule)
        told = (" ".join(filter(None, (finding.logical_id, finding.path))), finding.message, f"Fix: {finding.fix}")
        assert text == "\n".join(printable(part) for part in told if part)
