"""Asks every rule of every resource, in every world that matters. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from constructs_lib.guardrails.rule import Finding, Rule, Status
from constructs_lib.guardrails.templates.assembly import Assembly, Resource, Template
from constructs_lib.guardrails.templates.documents import Place
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.values import mapping, names_in
from constructs_lib.guardrails.templates.world import MOST_WORLDS, World, more, worlds


@dataclass(slots=True)
class _Verdict:
    """What was said of one place, over all worlds."""

    rule: Rule
    resource: Resource
    place: Place
    status: Status
    what: str
    said: dict[str, str]
    """What was chosen in all worlds in which it is so."""
    open: list[str]
    """The parameters without default that make it unknown."""
    worlds: int = 1


@dataclass(slots=True)
class _Verdicts:
    """Gathers what one rule says of one resource."""

    rule: Rule
    resource: Resource
    found: dict[tuple[Status, Place], _Verdict] = field(default_factory=dict)

    def add(self, world: World, status: Status, node: Node, what: str) -> None:
        place = node.place if node.resource is self.resource else ()
        verdict = self.found.get((status, place))
        if verdict is None:
            taken = _parameters(node, with_default=status == "fail")
            if status == "fail" and taken:
                what += f" (by default of {_listed(taken)})"
            self.found[status, place] = _Verdict(
                self.rule, self.resource, place, status, what, dict(world.said), taken if status == "unknown" else []
            )
        else:
            verdict.worlds += 1
            verdict.said = dict(verdict.said.items() & world.said.items())


def judge(assembly: Assembly, rules: Sequence[Rule]) -> list[Finding]:
    """All findings, in the order of the files, lines and rules."""
    by_type: dict[str, list[Rule]] = {}
    for rule in rules:
        for kind in rule.types:
            by_type.setdefault(kind, []).append(rule)
    findings: list[Finding] = []
    for template in assembly.templates:
        verdicts = [
            verdict
            for resource in template.resources.values()
            for rule in by_type.get(resource.type, ())
            for verdict in _verdicts(assembly, rule, resource)
        ]
        findings += _findings(template, verdicts)
    return list(dict.fromkeys(findings))  # a template that two stacks nest is judged for both


def _verdicts(assembly: Assembly, rule: Rule, resource: Resource) -> Iterator[_Verdict]:
    verdicts = _Verdicts(rule, resource)
    count = 0
    for number, world in enumerate(worlds(assembly), start=1):
        if world.exists(resource):
            count += 1
            _ask(verdicts, rule, Node.of(world, resource), world)
        if number == MOST_WORLDS and more(world):
            what = f"its conditions allow more than {MOST_WORLDS} combinations"
            verdicts.add(world, "unknown", Node.of(world, resource), what)
    failed = {_expression(place) for status, place in verdicts.found if status == "fail"}
    for (status, place), verdict in verdicts.found.items():
        if status == "unknown" and _expression(place) in failed:
            continue
        if verdict.worlds < count and verdict.said:
            said = " and ".join(f"{name} is {value}" for name, value in sorted(verdict.said.items()))
            verdict.what += f" (where {said})"
        yield verdict


def _ask(verdicts: _Verdicts, rule: Rule, resource: Node, world: World) -> None:
    try:
        for subject in rule.subjects(resource):
            try:
                fault = rule.judge(subject)
            except NotKnown as unknown:
                verdicts.add(world, "unknown", unknown.node, unknown.why)
            else:
                if fault is not None:
                    verdicts.add(world, "fail", fault.node, fault.what)
    except NotKnown as unknown:  # what else there is to judge
        verdicts.add(world, "unknown", unknown.node, unknown.why)


def _expression(place: Place) -> Place:
    """The place of a value, whichever branch it is in."""
    while len(place) > 1 and place[-2] == "Fn::If":
        place = place[:-2]
    return place


def _parameters(node: Node, *, with_default: bool) -> list[str]:
    """The template's own parameters that a value is made of, with a default that is taken or without one."""
    template = node.resource.template
    if template.parents:
        return []
    declared = template.section("Parameters")
    open_ = [name for name in dict.fromkeys(names_in(node.raw)) if name in declared.keys() - node.world.assembly.given]
    if with_default:
        return [name for name in open_ if name in node.world.defaults and name not in node.world.said]
    return [name for name in open_ if "Default" not in mapping(declared[name])]


def _listed(names: Sequence[str]) -> str:
    return f"parameter{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _findings(template: Template, verdicts: Sequence[_Verdict]) -> list[Finding]:
    where = [_in_document(verdict) for verdict in verdicts]
    lines = template.document.lines(set(where))
    findings = [
        Finding(
            rule=verdict.rule.id,
            lesson=verdict.rule.lesson,
            severity=verdict.rule.severity,
            status=verdict.status,
            file=template.file,
            line=lines[place],
            logical_id=verdict.resource.logical_id,
            path="/".join(map(str, verdict.place)),
            message=_message(verdict),
            fix=_fix(verdict),
        )
        for verdict, place in zip(verdicts, where, strict=True)
    ]
    return sorted(findings, key=lambda finding: (finding.line, finding.rule, finding.logical_id, finding.path))


def _in_document(verdict: _Verdict) -> Place:
    return (*verdict.resource.place, *verdict.place)


def _message(verdict: _Verdict) -> str:
    if verdict.status == "unknown":
        return f"This cannot be judged, for {verdict.what}. What must hold: {verdict.rule.title}. {verdict.rule.why}"
    return f"{verdict.what[:1].upper()}{verdict.what[1:]}. {verdict.rule.why}"


def _fix(verdict: _Verdict) -> str:
    if not verdict.open:
        return verdict.rule.fix
    options = " ".join(f"--parameter {name}=VALUE" for name in verdict.open)
    return f"Check with {options}, or give it a default. {verdict.rule.fix}"
