"""What our rules say of an app that CDK has just written, in the form that CDK's validation needs. Pure.

CDK itself leaves out what is acknowledged at a construct, whatever its reason says. So that it records what it leaves
out, findings that are rightly accepted are handed to it all the same; those that stand although they are acknowledged
get another name, which nobody has acknowledged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from constructs_lib.guardrails.accepting import Outcome
from constructs_lib.guardrails.acknowledgements import NAMESPACE, NOT_HONOURED, UNUSED, Acknowledgement
from constructs_lib.guardrails.check import judged
from constructs_lib.guardrails.cloud_assembly import (
    CloudAssembly,
    Said,
    constructs,
    folders_below,
    nested_templates,
    read_cloud_assembly,
    stack_of,
    top_of,
)
from constructs_lib.guardrails.rule import Finding
from constructs_lib.guardrails.templates.assembly import Assembly
from constructs_lib.guardrails.templates.documents import read


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A finding for CDK (lesson Q8).

    Args:
        finding: what was found.
        name: the rule's name there.
        construct: the path of the construct that it is about.
        accepted: whether CDK is to leave it out.
    """

    finding: Finding
    name: str
    construct: str
    accepted: bool = False

    @property
    def severity(self) -> str:
        """In CDK's words. What is unknown must neither stop a synthesis nor pass for sound."""
        return self.finding.severity if self.finding.severity != "notice" and self.finding.status == "fail" else "info"

    @property
    def stops(self) -> bool:
        """Whether nothing is to be deployed with it."""
        return not self.accepted and self.severity == "error"


@dataclass(frozen=True, slots=True)
class _Part:
    """What was found in one folder."""

    assembly: CloudAssembly
    outcome: Outcome
    of_resource: Mapping[tuple[str, str], str]
    of_file: Mapping[str, str]

    def place(self, finding: Finding) -> str:
        """The path of the construct that a finding is about."""
        return self.of_resource.get((finding.file, finding.logical_id)) or self.of_file.get(finding.file, "")

    def upper(self, acknowledgement: Acknowledgement) -> tuple[str, str, str] | None:
        """What tells one acknowledgement above all stacks from others; None for all below."""
        construct = acknowledgement.construct
        if construct is None or stack_of(construct, self.assembly.stacks) is not None:
            return None
        return construct, acknowledgement.rule, acknowledgement.reason


def rows(stacks: Mapping[str, str], above: Sequence[Said], today: date | None = None) -> list[Row]:
    """What the rules say of the templates of some stacks and of the stacks nested in them.

    Args:
        stacks: the template of each, by the path of its construct.
        above: what was acknowledged at stages and the app.
        today: the day that the last days of acknowledgements are compared with; the present one (UTC) by default.
    """
    folders: dict[Path, dict[str, str]] = {}
    for stack, template in stacks.items():
        folders.setdefault(Path(template).parent, {})[stack] = str(Path(template))
    parts = [_part(folder, there, above, today) for folder, there in folders.items()]
    said = [*above, *(said for part in parts for said in part.assembly.said)]
    names = {item.name for item in said}
    recorded = {(item.construct, item.name) for item in said}
    everything = all(
        folder in map(Path.resolve, folders) for top in map(top_of, folders) for folder in folders_below(top.resolve())
    )
    found = [row for part in parts for row in _rows(part, names, recorded)]
    return [*found, *_told(parts, names, everything=everything)]


def _part(folder: Path, stacks: Mapping[str, str], above: Sequence[Said], today: date | None) -> _Part:
    # Of a folder of which nothing is known, the templates are judged all the same, and nothing is acknowledged.
    assembly = read_cloud_assembly(folder) or CloudAssembly(folder=folder, stacks={}, resources={}, said=())
    nested = [str(path) for stack in stacks for path in nested_templates(assembly, stack)]
    templates = Assembly({path: read(Path(path)) for path in dict.fromkeys([*stacks.values(), *nested])})
    for problem in templates.problems:  # nothing may pass because it was not judged
        raise problem
    outcome = judged(templates, today=today, above=above)
    of_file = {str(path): stack for stack, path in assembly.stacks.items()}
    return _Part(assembly, outcome, constructs(assembly, templates.templates), of_file)


def _rows(part: _Part, names: Collection[str], recorded: Collection[tuple[str, str]]) -> Iterator[Row]:
    """What the rules say of the resources of one folder."""

    def left_out(acknowledgement: Acknowledgement) -> bool:
        return (acknowledgement.construct, f"{NAMESPACE}::{acknowledgement.rule}") in recorded

    for finding in part.outcome.kept:
        hiding = [item for item in part.outcome.acknowledgements if item.covers(finding) and left_out(item)]
        if not hiding:
            yield Row(finding=finding, name=finding.rule, construct=part.place(finding))
            continue
        # CDK offers every id for acknowledgement; the fix must say first that this one is none.
        why = f"it {hiding[0].fault}" if hiding[0].fault else f"it ended on {hiding[0].until}"
        fix = f"Mend the acknowledgement ({why}); do not acknowledge this id. {finding.fix}"
        name = _unheard(finding.rule + NOT_HONOURED, names)
        yield Row(finding=replace(finding, fix=fix), name=name, construct=part.place(finding))
    for finding, acknowledgement in part.outcome.accepted:
        if left_out(acknowledgement):
            yield Row(finding=finding, name=finding.rule, construct=part.place(finding), accepted=True)


def _told(parts: Sequence[_Part], names: Collection[str], *, everything: bool) -> Iterator[Row]:
    """What is wrong with acknowledgements. One that is above several folders is told once, if it serves none."""
    known = Counter(key for part in parts for item in part.outcome.acknowledgements if (key := part.upper(item)))
    useless = Counter(
        key for part in parts for told, item in part.outcome.told if told.rule == UNUSED and (key := part.upper(item))
    )
    once: set[tuple[str, str, str]] = set()
    for part in parts:
        for finding, acknowledgement in part.outcome.told:
            key = part.upper(acknowledgement)
            if key is not None:
                used = finding.rule == UNUSED and not (everything and useless[key] == known[key])
                if key in once or used:
                    continue
                once.add(key)
            construct = part.place(finding) if acknowledgement.construct is None else acknowledgement.construct
            yield Row(finding=finding, name=_unheard(finding.rule, names), construct=construct)


def _unheard(name: str, names: Collection[str]) -> str:
    """A name that begins so and that nobody has acknowledged."""
    while f"{NAMESPACE}::{name}" in names:
        name += NOT_HONOURED
    return name
