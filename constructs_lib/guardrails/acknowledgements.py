"""Findings that somebody accepts: where it is said, why and until when. Pure.

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
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from constructs_lib.guardrails.rule import Finding, Severity
from constructs_lib.guardrails.templates.assembly import Template
from constructs_lib.guardrails.templates.documents import Place
from constructs_lib.guardrails.templates.errors import kind_of
from constructs_lib.guardrails.templates.values import mapping

NAMESPACE: Final = "Moorings"
"""Stands before ``::`` in CDK's ids, and is the key of a template's ``Metadata``."""

LIST: Final = "acknowledge"

_RULE: Final = "MOOR-"

MALFORMED: Final = "MOOR-Q8a"
EXPIRED: Final = "MOOR-Q8b"
UNUSED: Final = "MOOR-Q8c"
SEVERITY: Final[Mapping[str, Severity]] = {MALFORMED: "error", EXPIRED: "warning", UNUSED: "warning"}

NOT_HONOURED: Final = "[not-honoured]"
"""Ends what CDK calls a finding that stands although it is acknowledged."""

_PREFIXES: Final = (f"{NAMESPACE}::", "Annotation::")
"""CDK puts the second before an id that has none."""

_UNTIL: Final = re.compile(r"\(until ([^()]*)\)", re.IGNORECASE)
_LOOSE_UNTIL: Final = re.compile(r"\buntil ([0-9]{4}-[0-9]{2}-[0-9]{2})\b", re.IGNORECASE)
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


@dataclass(frozen=True, slots=True)
class _Wrong:
    """Stands for an entry that cannot be read."""

    fault: str


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
    elif rule.endswith(NOT_HONOURED):
        fault = f"names {rule!r}; mend the acknowledgement of {rule.partition(NOT_HONOURED)[0]} instead"
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
        for below, entry in _said(mapping(metadata)):
            path = ("Metadata", *below)
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


def _said(metadata: Mapping[str, object]) -> Iterator[tuple[Place, object]]:
    """Each entry with its place, or the fault of what should hold entries."""
    for key, content in metadata.items():
        if key == NAMESPACE:
            yield from (((key, *below), entry) for below, entry in _entries(content))
        elif key.casefold() == NAMESPACE.casefold() and _acknowledges(content):
            yield (key,), _Wrong(f"must be below {NAMESPACE!r}, got {key!r}")


def _acknowledges(content: object) -> bool:
    """Whether something is meant for us. A key like our name may be anybody's."""
    entries = content if isinstance(content, list) else []
    return any(str(key).casefold().startswith(LIST) for key in mapping(content)) or any(
        rule_of(str(mapping(entry).get("id"))).startswith(_RULE) for entry in entries
    )


def _entries(content: object) -> Iterator[tuple[Place, object]]:
    if not isinstance(content, dict) or set(content) != {LIST} or not isinstance(content[LIST], list):
        yield (), _Wrong(f"must be in a list below '{NAMESPACE}: {LIST}:', with nothing beside it")
        return
    for number, entry in enumerate(content[LIST]):
        wrong = _Wrong(f"must have 'id' and 'reason', as '{{id: MOOR-Q3c, reason: why}}', got {kind_of(entry)}")
        yield (LIST, number), entry if isinstance(entry, dict) else wrong


def _read(entry: object, rules: Collection[str]) -> tuple[str, tuple[str, date | None, str]]:
    """The rule of an entry, and what :func:`read_entry` gives."""
    if isinstance(entry, _Wrong):
        return "", ("", None, entry.fault)
    found = mapping(entry)
    name, reason = found.get("id"), found.get("reason")
    rule = rule_of(name) if isinstance(name, str) else ""
    strange = sorted(str(key) for key in found if key not in _KEYS)
    if strange:
        return rule, ("", None, f"may have 'id', 'reason' and 'until', got {', '.join(strange)}")
    if reason is not None and not isinstance(reason, str):
        return rule, ("", None, f"must have a text as its reason, got {kind_of(reason)}")
    return rule, read_entry(rule, reason or "", found.get("until"), rules)


def _reason_and_day(text: str) -> tuple[str, str | None]:
    """A reason without its ``(until …)``, and what that says."""
    written = list(_UNTIL.finditer(text))
    if written:
        found = written[-1]
        return f"{text[: found.start()].rstrip()} {text[found.end() :].lstrip()}".strip(), found[1].strip()
    loose = _LOOSE_UNTIL.search(text)
    return text.strip(), None if loose is None else loose[1]


def _date(text: str | None) -> date | None:
    if text is None or not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
