"""What the tests of the guardrails share."""

from __future__ import annotations

from collections.abc import Mapping

from constructs_lib.guardrails.catalog import RULES
from constructs_lib.guardrails.judge import judge
from constructs_lib.guardrails.rule import Finding
from constructs_lib.guardrails.templates.assembly import Assembly, template_document


def findings(templates: str | Mapping[str, str], rule: str = "", **given: str) -> list[Finding]:
    """What the rules say of one template, or of an assembly's templates by file name.

    Args:
        templates: YAML or JSON.
        rule: the id that a finding must begin with; all by default.
        given: values of parameters.
    """
    texts = {"template.yaml": templates} if isinstance(templates, str) else templates
    assembly = Assembly({name: template_document(text, name) for name, text in texts.items()}, given)
    return [finding for finding in judge(assembly, RULES) if finding.rule.startswith(rule)]


def said(templates: str | Mapping[str, str], rule: str = "", **given: str) -> list[tuple[str, str, str]]:
    """The same as (status, logical id, path)."""
    return [(one.status, one.logical_id, one.path) for one in findings(templates, rule, **given)]
