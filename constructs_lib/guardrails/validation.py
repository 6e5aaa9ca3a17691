"""Our rules as a validation plugin of CDK: they judge the templates that CDK has just written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version

import jsii
from aws_cdk import (
    Acknowledgment,
    IPolicyValidationContext,
    IPolicyValidationPlugin,
    PolicyValidationPluginReport,
    PolicyViolatingResource,
    PolicyViolation,
    Validations,
)
from constructs import IConstruct

from constructs_lib.checks import invalid
from constructs_lib.guardrails.acknowledgements import NAMESPACE, NOT_HONOURED, SEVERITY, read_entry, rule_of
from constructs_lib.guardrails.cdk_rows import Row, rows
from constructs_lib.guardrails.check import RULE_IDS
from constructs_lib.guardrails.cloud_assembly import ACKNOWLEDGED, Said


@jsii.implements(IPolicyValidationPlugin)
class GuardrailChecks:
    """Judges every template of an app, or of a stage, by the lessons' rules (lesson Q8).

    An error stops the synthesis; warnings and notices are printed. What is found is accepted with :func:`acknowledge`
    or in a resource's ``Metadata``. An acknowledgement without a reason, past its last day or of no use is a finding::

        Validations.of(app).add_plugins(GuardrailChecks())

    Args:
        today: the day that the last days of acknowledgements are compared with; the present one (UTC) by default.
    """

    def __init__(self, *, today: date | None = None) -> None:
        self._today = today

    @property
    def name(self) -> str:
        """What stands before ``::`` in CDK's ids of our rules."""
        return NAMESPACE

    @property
    def version(self) -> str:
        """The version of this library."""
        return library_version()

    @property
    def rule_ids(self) -> list[str]:
        """The ids of all rules."""
        return sorted(RULE_IDS)

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        """Judges the templates; CDK calls it."""
        return validated(context, self._today)


def acknowledge(construct: IConstruct, rule: str, *, reason: str, until: date | None = None) -> None:
    """Accepts what one rule finds at a construct and below it, and refuses what would not be honoured.

    Acknowledge at a stack or below it: of what is said at a ``Stage`` or the app, ``moorings check cdk.out`` sees no
    more than CDK's validation report tells.

    Args:
        construct: where the findings are accepted.
        rule: the rule's id, such as ``MOOR-Q3c``.
        reason: why they are.
        until: the last day on which they are; for ever by default.

    Raises:
        ValueError: there is no such rule, or no reason.
    """
    if rule not in RULE_IDS:
        raise invalid("rule", rule, "the id of a rule", _instead(rule_of(rule)))
    text = reason if until is None else f"{reason} (until {until.isoformat()})"
    _, _, fault = read_entry(rule, text, None, RULE_IDS)
    if fault:
        raise invalid("reason", reason, "a text that says why", f"this one {fault}")
    Validations.of(construct).acknowledge(Acknowledgment(id=f"{NAMESPACE}::{rule}", reason=text))


def validated(context: IPolicyValidationContext, today: date | None) -> PolicyValidationPluginReport:
    """What a plugin with our rules answers CDK.

    Args:
        context: as CDK gives it.
        today: the day that the last days of acknowledgements are compared with; the present one (UTC) for None.
    """
    stacks = {stack.stack_construct_path: stack.template_path for stack in context.stack_templates}
    return as_report(rows(stacks, said_above(context.app_construct, stacks), today))


def as_report(found: Iterable[Row]) -> PolicyValidationPluginReport:
    """Rows as CDK takes them: one violation for all resources of which the same is said."""
    groups: dict[tuple[str, str, str, str], list[Row]] = {}
    for row in found:
        key = (row.name, row.severity, row.finding.message, row.finding.fix)
        groups.setdefault(key, []).append(row)
    violations = [
        PolicyViolation(
            rule_name=name,
            severity=severity,
            description=f"{name.partition('[')[0]}: {message}",
            fix=fix,
            violating_resources=[_resource(row) for row in group],
        )
        for (name, severity, message, fix), group in groups.items()
    ]
    stopped = any(row.stops for group in groups.values() for row in group)
    return PolicyValidationPluginReport(success=not stopped, violations=violations)


def said_above(app: IConstruct, stacks: Iterable[str]) -> list[Said]:
    """What was acknowledged above some stacks; CDK writes it nowhere.

    Args:
        app: the root of the tree.
        stacks: the paths of the stacks' constructs.
    """
    paths = {path[:end] for path in stacks for end in [0, *(i for i, letter in enumerate(path) if letter == "/")]}
    found = []
    for path in sorted(paths):
        construct = app
        for name in filter(None, path.split("/")):
            construct = construct.node.find_child(name)
        found += [
            Said(construct=path, name=str(name), reason=str(reason))
            for entry in construct.node.metadata
            if entry.type == ACKNOWLEDGED
            for name, reason in entry.data.items()
        ]
    return found


def library_version() -> str:
    """The version of this library; 0.0.0 where it is used without being installed."""
    try:
        return installed_version("moorings")
    except PackageNotFoundError:
        return "0.0.0"


def _instead(rule: str) -> str:
    """What to do rather than acknowledge something that is no rule."""
    if rule in SEVERITY:
        return "findings about acknowledgements cannot be accepted: mend or remove the acknowledgement"
    if rule.endswith(NOT_HONOURED):
        return f"mend the acknowledgement of {rule.partition(NOT_HONOURED)[0]} that is there"
    return "it stands beside each finding"


def _resource(row: Row) -> PolicyViolatingResource:
    finding = row.finding
    locations = [finding.path.replace("/", ".")] if finding.path else []
    if not finding.logical_id:
        return PolicyViolatingResource(construct_path=row.construct, locations=locations)
    return PolicyViolatingResource(
        resource_logical_id=finding.logical_id, template_path=finding.file, locations=locations
    )
