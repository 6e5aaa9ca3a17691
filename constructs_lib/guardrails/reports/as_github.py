"""Workflow commands, which GitHub Actions shows beside the lines of a pull request. Pure.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from pathlib import PurePath

from constructs_lib.guardrails.reports.answer import Answer, printable
from constructs_lib.guardrails.rule import Finding


def render(answer: Answer) -> str:
    """One command a line; nothing when there is nothing to tell. What is unknown is a notice."""
    errors = (f"::error title=moorings::{_data(printable(error))}" for error in answer.errors)
    return "".join(f"{line}\n" for line in (*map(_command, answer.findings), *errors))


def _command(finding: Finding) -> str:
    known = finding.status == "fail"
    place = " ".join(filter(None, (finding.logical_id, finding.path)))
    properties = {
        "file": PurePath(finding.file).as_posix(),
        "line": str(finding.line),
        "title": f"{finding.rule} {finding.logical_id}".rstrip() + ("" if known else " (unknown)"),
    }
    written = ",".join(f"{name}={_property(printable(value))}" for name, value in properties.items())
    told = "\n".join(printable(line) for line in (place, finding.message, f"Fix: {finding.fix}") if line)
    return f"::{finding.severity if known else 'notice'} {written}::{_data(told)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
