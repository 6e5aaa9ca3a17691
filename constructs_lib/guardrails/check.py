"""The one core behind every door: templates in, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from constructs_lib.guardrails.accepting import Outcome, apply
from constructs_lib.guardrails.catalog import RULES
from constructs_lib.guardrails.cloud_assembly import Said, acknowledged
from constructs_lib.guardrails.judge import judge
from constructs_lib.guardrails.rule import Finding
from constructs_lib.guardrails.sources import assemblies
from constructs_lib.guardrails.templates.assembly import Assembly, Template, parameter_list
from constructs_lib.guardrails.templates.values import as_text, mapping

RULE_IDS = frozenset(rule.id for rule in RULES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found in some files (lesson Q8).

    Args:
        findings: what stands, by file and line.
        accepted: how many findings are acknowledged.
        files: the templates that were judged.
        parameters: the names of their parameters.
        problems: why a file could not be judged, a sentence for each.
    """

    findings: tuple[Finding, ...]
    accepted: int
    files: tuple[str, ...]
    parameters: frozenset[str]
    problems: tuple[str, ...]


def check(
    paths: Sequence[Path],
    *,
    given: Mapping[str, str] | None = None,
    today: date | None = None,
    only_templates: bool = False,
) -> Report:
    """Judges templates in files and folders.

    Args:
        paths: files and folders; ``cdk.out`` is one.
        given: values of parameters that take the place of defaults.
        today: the day that the last days of acknowledgements are compared with; the present one (UTC) by default.
        only_templates: whether named files that do not look like templates are passed over.
    """
    found, problems = assemblies(paths, given, only_templates=only_templates)
    outcomes = [judged(assembly, today=today) for assembly in found]
    templates = [template for assembly in found for template in assembly.templates]
    order = {template.file: number for number, template in enumerate(templates)}
    findings = [finding for outcome in outcomes for finding in outcome.findings]
    refused = [fault for one in templates for fault in _refused(one, given or {})]
    return Report(
        findings=tuple(
            sorted(findings, key=lambda one: (order[one.file], one.line, one.rule, one.logical_id, one.path))
        ),
        accepted=sum(len(outcome.accepted) for outcome in outcomes),
        files=tuple(order),
        parameters=frozenset(name for template in templates for name in template.section("Parameters")),
        problems=tuple(dict.fromkeys([*map(str, problems), *refused])),
    )


def judged(assembly: Assembly, *, today: date | None = None, above: Sequence[Said] | None = None) -> Outcome:
    """Judges one assembly, and parts what stands from what is acknowledged.

    Args:
        assembly: the templates.
        today: the day that the last days of acknowledgements are compared with; the present one (UTC) by default.
        above: what was acknowledged at CDK's stages and app; what CDK's last report tells by default.
    """
    acknowledgements = acknowledged(assembly.templates, RULE_IDS, above=above)
    day = today or datetime.now(UTC).date()
    return apply(judge(assembly, RULES), acknowledgements, today=day)


def _refused(template: Template, given: Mapping[str, str]) -> Iterator[str]:
    """Why CloudFormation would not deploy a template with some parameters."""
    parameters = template.section("Parameters")
    for name, value in given.items():
        declared = mapping(parameters.get(name))
        values = declared.get("AllowedValues")
        allowed = [as_text(one) for one in values] if isinstance(values, list) else []
        if not allowed or None in allowed or str(declared.get("Type")).startswith("AWS::SSM::"):
            continue  # of a parameter in Systems Manager, the value is a name there
        for item in parameter_list(declared, value) or [value]:
            if item not in allowed:
                known = ", ".join(map(str, allowed))
                yield f"--parameter {name} must be one of {known} for {template.file}, got {item!r}; choose one of them"
