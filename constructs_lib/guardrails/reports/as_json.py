"""For programs: a list of findings, and of errors. Pure."""

from __future__ import annotations

import json

from constructs_lib.guardrails.reports.answer import Answer
from constructs_lib.guardrails.rule import Finding


def render(answer: Answer) -> str:
    """One JSON object, in ASCII, so that it is the same whatever the output's encoding."""
    told = {"findings": [_finding(finding) for finding in answer.findings], "errors": list(map(whole, answer.errors))}
    return json.dumps(told, indent=2) + "\n"


def _finding(finding: Finding) -> dict[str, str | int]:
    return {
        "rule": finding.rule,
        "lesson": finding.lesson,
        "severity": finding.severity,
        "status": finding.status,
        "file": whole(finding.file),
        "line": finding.line,
        "logical_id": whole(finding.logical_id),
        "path": whole(finding.path),
        "message": whole(finding.message),
        "fix": whole(finding.fix),
    }


def whole(text: str) -> str:
    """A text of whole characters: half of a surrogate pair is no Unicode, and some parsers refuse it."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
