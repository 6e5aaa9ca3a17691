"""Findings that somebody accepts: where it is said, why, until when, and what is wrong with the saying. Pure.

It is said in a template, for one resource or for the whole template::

    Metadata:
      Moorings:
        acknowledge:
          - {id: MOOR-Q3c, reason: nothing starts these images by tag, until: 2027-01-31}

or in CDK, for a construct and all below it (:mod:`constructs_lib.guardrails.cloud_assembly`); there the reason ends
with ``(until 2027-01-31)``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from constructs_lib.guardrails.rule import Finding, Severity
from constructs_lib.guardrails.templates.assembly import Template
from constructs_lib.guardrails.templates.documents import Place
from constructs_lib.guardrails.templates.values import mapping

NAMESPACE: Final = "Moorings"
"""Stands before ``::`` in CDK's ids, and is the key of a template's ``Metadata``."""

LIST: Final = "acknowledge"

MALFORMED: Final = "MOOR-Q8a"
EXPIRED: Final = "MOOR-Q8b"
UNUSED: Final = "MOOR-Q8c"
SEVERITY: Final[Mapping[str, Severity]] = {MALFORMED: "error", EXPIRED: "warning", UNUSED: "warning"}

_PREFIXES: Final = (f"{NAMESPACE}::", "Annotation::")
"""CDK puts the second before an id that has none."""

_UNTIL: Final = re.compile(r"\(until ([^()]*)\)|\buntil ([0-9]{4}-[0-9]{2}-[0-9]{2})\b", re.IGNORECASE)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_KEYS: Final = frozenset({"id", "reason", "until"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """Findings of one rule that somebody accepts at one place (lesson Q8).

    Args:
        rule: the rule's id, such as ``MOOR-Q3c``.
        reason: why its findings are accepted.
        file: the template that is named when something is wrong with it.
        until: the last day on which it holds; None for ever.
        fault: why it is not honoured, in words that follow "it"; empty when it is.
        logical_id: the resource that has it; empty for a whole template, and for a construct of several resources.
        construct: the path of the construct that has it, empty for the app; None in a template's ``Metadata``.
        line: where it stands in the file.
        path: where it stands below the resource or the template.
        templates: the files of which all findings are covered.
        resources: further resources that are covered, each as file and logical id.
        countable: whether everything that it could cover is judged, so that one of no use can be told.
    """

    rule: str
    reason: str
    file: str
    until: date | None = None
    fault: str = ""
    logical_id: str = ""
    construct: str | None = None
    line: int = 1
    path: str = ""
    templates: frozenset[str] = frozenset()
    resources: frozenset[tuple[str, str]] = frozenset()
    countable: bool = True

    def covers(self, finding: Finding) -> bool:
        """Whether it speaks of a finding, honoured or not."""
        if finding.rule != self.rule:
            return False
        return finding.file in self.templates or (finding.file, finding.logical_id) in self.resources

    def holds(self, today: date) -> bool:
        """Whether it is honoured on a day."""
        return not self.fault and (self.until is None or today <= self.until)


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


def from_templates(templates: Iterable[Template], rules: Collection[str]) -> list[Acknowledgement]:
    """What templates say in their own ``Metadata``, of themselves and of their resources.

    Args:
        templates: all that are judged.
        rules: the ids that can be acknowledged.
    """
    return [found for template in templates for found in _of_template(template, rules)]


def read_entry(rule: str, text: str, until: object, rules: Collection[str]) -> tuple[str, date | None, str]:
    """Reason, last day and fault of an acknowledgement.

    Args:
        rule: the rule's id, without a prefix.
        text: the reason, which may end with ``(until 2027-01-31)``.
        until: the last day if it stands by itself; None if it does not.
        rules: the ids that can be acknowledged.
    """
    reason, day = _reason_and_day(text)
    if until is not None:
        day = str(until)
    last = _date(day)
    fault = ""
    if rule in SEVERITY:
        fault = "is about acknowledgements, and those cannot be acknowledged"
    elif rule not in rules:
        fault = f"names no rule of ours, got {rule!r}" if rule else "names no rule"
    elif not any(character.isalpha() for character in reason):
        fault = "has no reason"
    elif day is not None and last is None:
        fault = f"must give its last day as 2027-01-31, got {day!r}"
    return reason, last, fault


def rule_of(name: str) -> str:
    """The rule in an id as any door writes it: ``MOOR-Q3c`` or ``Moorings::MOOR-Q3c``."""
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _of_template(template: Template, rules: Collection[str]) -> Iterator[Acknowledgement]:
    # A loop writes one resource many times; what it says is said once, of all of them.
    said: dict[Place, Acknowledgement] = {}
    owners: list[tuple[str, Place, object]] = [("", (), template.section("Metadata"))]
    owners += [(item.logical_id, item.place, item.body.get("Metadata")) for item in template.resources.values()]
    for logical_id, top, metadata in owners:
        if NAMESPACE not in mapping(metadata):
            continue
        for below, entry in _entries(mapping(metadata)[NAMESPACE]):
            path = ("Metadata", NAMESPACE, *below)
            place = (*top, *path)
            covered = [(template.file, logical_id)] if logical_id else []
            if place in said:
                said[place] = replace(said[place], resources=said[place].resources.union(covered))
                continue
            rule, (reason, until, fault) = _read(entry, rules)
            said[place] = Acknowledgement(
                rule=rule,
                reason=reason,
                until=until,
                fault=fault,
                file=template.file,
                logical_id=logical_id,
                path="/".join(map(str, path)),
                templates=frozenset() if logical_id else frozenset({template.file}),
                resources=frozenset(covered),
            )
    lines = template.document.lines(said.keys()) if said else {}
    for place, acknowledgement in said.items():
        yield replace(acknowledgement, line=lines[place])


def _entries(content: object) -> Iterator[tuple[Place, object]]:
    """Each entry with its place; None at the top where it is no list of entries."""
    if not isinstance(content, dict) or set(content) != {LIST} or not isinstance(content[LIST], list):
        yield (), None
        return
    for number, entry in enumerate(content[LIST]):
        yield (LIST, number), entry if isinstance(entry, dict) else {"entry": entry}


def _read(entry: object, rules: Collection[str]) -> tuple[str, tuple[str, date | None, str]]:
    """The rule of an entry, and what :func:`read_entry` gives."""
    if not isinstance(entry, dict):
        return "", ("", None, f"must be in a list below '{NAMESPACE}: {LIST}:', with nothing beside it")
    name, reason = entry.get("id"), entry.get("reason")
    rule = rule_of(name) if isinstance(name, str) else ""
    strange = sorted(str(key) for key in entry if key not in _KEYS)
    if strange:
        return rule, ("", None, f"may have 'id', 'reason' and 'until', got {', '.join(strange)}")
    if reason is not None and not isinstance(reason, str):
        return rule, ("", None, "has a reason that is no text")
    return rule, read_entry(rule, reason or "", entry.get("until"), rules)


def _judge(acknowledgement: Acknowledgement, *, used: bool, today: date) -> Finding | None:
    """What is wrong with an acknowledgement, if anything."""
    said = f"The acknowledgement of {acknowledgement.rule or 'a rule'} {_place(acknowledgement)}"
    if acknowledgement.fault:
        rule, what = MALFORMED, f"{said} is not honoured: it {acknowledgement.fault}. Who comes later must know why."
        fix = "Name one of the rules, say why its findings are accepted and, if need be, until which day."
    elif not used and acknowledgement.countable:
        rule, what = UNUSED, f"{said} acknowledges nothing. It would silence a finding that nobody has judged."
        fix = "Remove it, or move it to the resource that it is meant for."
    elif not acknowledgement.holds(today):
        rule, what = EXPIRED, f"{said} has expired: {acknowledgement.until} was its last day. Its findings stand again."
        fix = "Do what the findings ask for, or decide anew and give a later day."
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
        fix=fix,
    )


def _place(acknowledgement: Acknowledgement) -> str:
    if acknowledgement.construct is not None:
        return f"at construct {acknowledgement.construct}" if acknowledgement.construct else "at the app"
    owner = acknowledgement.logical_id
    return f"in the Metadata of {owner}" if owner else "in the template's Metadata"


def _reason_and_day(text: str) -> tuple[str, str | None]:
    """A reason without its ``(until …)``, and what that says."""
    found = _UNTIL.search(text)
    if found is None:
        return text.strip(), None
    if found[1] is None:
        return text.strip(), found[2]
    return f"{text[: found.start()].rstrip()} {text[found.end() :].lstrip()}".strip(), found[1].strip()


def _date(text: str | None) -> date | None:
    if text is None or not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
