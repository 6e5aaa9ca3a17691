"""What acknowledgements make of findings, and what is wrong with the acknowledging. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from constructs_lib.guardrails.acknowledgements import EXPIRED, MALFORMED, SEVERITY, UNUSED, Acknowledgement
from constructs_lib.guardrails.rule import Finding

_NEVER: Final = "Findings about acknowledgements cannot be accepted."

FIXES: Final[Mapping[str, str]] = {
    MALFORMED: f"Name one of the rules, say why its findings are accepted and, if need be, until which day. {_NEVER}",
    EXPIRED: f"Do what the findings ask for, or decide anew and give a later day. {_NEVER}",
    UNUSED: f"Remove it, or move it to the resource that it is meant for. {_NEVER}",
}
"""What to do, by rule. CDK offers each finding for acknowledgement, so each says that it is none to accept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What acknowledgements make of findings (lesson Q8).

    Args:
        kept: the findings that stand.
        accepted: the others, each with the acknowledgement that accepts it.
        told: findings about acknowledgements, each with the one that it is about.
        acknowledgements: all that were given, honoured or not.
    """

    kept: tuple[Finding, ...]
    accepted: tuple[tuple[Finding, Acknowledgement], ...]
    told: tuple[tuple[Finding, Acknowledgement], ...]
    acknowledgements: tuple[Acknowledgement, ...] = ()

    @property
    def findings(self) -> list[Finding]:
        """All findings that stand."""
        return [*self.kept, *(finding for finding, _ in self.told)]


def apply(findings: Iterable[Finding], acknowledgements: Sequence[Acknowledgement], *, today: date) -> Outcome:
    """Parts findings into those that stand and those that are accepted, and tells what is wrong with the accepting.

    Args:
        findings: of all templates that were judged, those of status ``unknown`` too.
        acknowledgements: of the same templates.
        today: the day that the last days are compared with.
    """
    by_rule: dict[str, list[int]] = {}
    for number, acknowledgement in enumerate(acknowledgements):
        by_rule.setdefault(acknowledgement.rule, []).append(number)
    kept: list[Finding] = []
    accepted: list[tuple[Finding, Acknowledgement]] = []
    used: set[int] = set()
    for finding in findings:
        covering = [number for number in by_rule.get(finding.rule, ()) if acknowledgements[number].covers(finding)]
        used.update(covering)
        holding = next((number for number in covering if acknowledgements[number].holds(today)), None)
        if holding is None:
            kept.append(finding)
        else:
            accepted.append((finding, acknowledgements[holding]))
    told = []
    for number, acknowledgement in enumerate(acknowledgements):
        fault = _judge(acknowledgement, used=number in used, today=today)
        if fault is not None:
            told.append((fault, acknowledgement))
    return Outcome(
        kept=tuple(kept), accepted=tuple(accepted), told=tuple(told), acknowledgements=tuple(acknowledgements)
    )


def _judge(acknowledgement: Acknowledgement, *, used: bool, today: date) -> Finding | None:
    """What is wrong with an acknowledgement, if anything."""
    said = f"The acknowledgement of {acknowledgement.rule or 'a rule'} {_place(acknowledgement)}"
    if acknowledgement.fault:
        rule, what = MALFORMED, f"{said} is not honoured: it {acknowledgement.fault}. Who comes later must know why."
    elif not used and acknowledgement.countable:
        rule, what = UNUSED, f"{said} acknowledges nothing. It would silence a finding that nobody has judged."
    elif not acknowledgement.holds(today):
        rule, what = EXPIRED, f"{said} has expired: {acknowledgement.until} was its last day. Its findings stand again."
    else:
        return None
    return Finding(
        rule=rule,
        lesson="Q8",
        severity=SEVERITY[rule],
        status="fail",
        file=acknowledgement.file,
        line=acknowledgement.line,
        logical_id=acknowledgement.logical_id,
        path=acknowledgement.path,
        message=what,
        fix=FIXES[rule],
    )


def _place(acknowledgement: Acknowledgement) -> str:
    if acknowledgement.construct is not None:
        return f"at construct {acknowledgement.construct}" if acknowledgement.construct else "at the app"
    owner = acknowledgement.logical_id
    return f"in the Metadata of {owner}" if owner else "in the template's Metadata"
