"""For people: by file and line, with the fix. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from constructs_lib.guardrails.reports.answer import Answer, printable
from constructs_lib.guardrails.rule import SEVERITIES, Finding

WIDTH: Final = 100
"""Columns at most; what cannot be broken, such as a long path, may go further."""

_INDENT: Final = " " * 4


def render(answer: Answer, width: int = WIDTH) -> str:
    """The findings, one line that sums them up, and where there is more to read.

    Args:
        answer: what is to be told.
        width: the columns that there are.
    """
    lines = [line for finding in answer.findings for line in _finding(finding, min(width, WIDTH))]
    if lines:
        lines.append("")
    lines.append(_summary(answer))
    if answer.findings:
        rule = printable(answer.findings[0].rule)
        lines.append(f"`moorings check --explain {rule}` shows a rule with examples and CDK code.")
    return "\n".join(lines) + "\n"


def _finding(finding: Finding, width: int) -> Iterator[str]:
    """It begins with file and line, so that it can be found by them and a terminal leads there."""
    place = printable(f"{finding.logical_id}: {finding.path}".strip(": "))
    word = finding.severity if finding.status == "fail" else finding.status
    head = f"{printable(finding.file)}:{finding.line}  {word}  {finding.rule}"
    if not place or len(head) + 2 + len(place) <= width:
        yield f"{head}  {place}".rstrip()
    else:
        yield head
        yield f"{_INDENT}{place}"
    for sentence in (finding.message, f"Fix: {finding.fix}"):
        yield from textwrap.wrap(
            printable(sentence),
            width,
            initial_indent=_INDENT,
            subsequent_indent=_INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _summary(answer: Answer) -> str:
    certain = [finding.severity for finding in answer.findings if finding.status == "fail"]
    parts = [_counted(certain.count(severity), severity) for severity in SEVERITIES if severity in certain]
    found = [", ".join(parts) or _nothing(answer)]
    unknown = [finding.severity for finding in answer.findings if finding.status == "unknown"]
    if unknown:
        errors = f" ({_counted(unknown.count('error'), 'possible error')})" if "error" in unknown else ""
        found.append(f"{len(unknown)} unknown before it is deployed{errors}")
    if answer.accepted:
        found.append(f"{answer.accepted} acknowledged")
    if answer.known:
        found.append(f"{answer.known} in the baseline")
    if answer.gone:
        advice = "" if answer.partial else ", so write it anew"
        found.append(f"{answer.gone} of the baseline no longer found{advice}")
    if answer.errors:
        found.append(f"{_counted(len(answer.errors), 'input')} not judged")
    return f"{_counted(answer.templates, 'template')}: {'; '.join(found)}."


def _nothing(answer: Answer) -> str:
    if not answer.templates:
        return "nothing was judged"
    return "nothing new" if answer.known else "nothing found"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns that stand under each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)
