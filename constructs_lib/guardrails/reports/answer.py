"""What a check has to say, before it has a form. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from constructs_lib.command_line import COULD_NOT_RUN, FINE, FOUND
from constructs_lib.guardrails.rule import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The findings that stand, and what else is to be told (lesson Q8).

    Args:
        findings: by file and line.
        errors: why something could not be judged, a sentence for each.
        templates: how many templates were judged.
        accepted: how many findings are acknowledged.
        known: how many findings are left out because the baseline has them.
        gone: how many findings of the baseline are there no longer.
        partial: whether the baseline knows of files that were not judged.
    """

    findings: tuple[Finding, ...] = ()
    errors: tuple[str, ...] = ()
    templates: int = 0
    accepted: int = 0
    known: int = 0
    gone: int = 0
    partial: bool = False

    @property
    def exit_code(self) -> int:
        """0 unless an error is certain (1), or something could not be judged (2). What is unknown stops nobody."""
        if self.errors:
            return COULD_NOT_RUN
        certain = any(finding.severity == "error" and finding.status == "fail" for finding in self.findings)
        return FOUND if certain else FINE


_NAMED: Final[Mapping[str, str]] = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """A text in one line without control characters: a template's own could end a line or command a terminal."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _NAMED.get(one) or _escaped(one) for one in text)


def by_file(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """The findings of each file, in their order."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.file, []).append(finding)
    return found


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
