"""A rule's page: what it says, why, and how it fails and passes, made from the rule itself and its examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from constructs_lib.guardrails.described import Described

if TYPE_CHECKING:
    from constructs_lib.incidents import Incident

_TITLES: Final = {
    "failing": "Fails",
    "passing": "Passes",
    "cdk": "In CDK",
    "cloudformation": "In CloudFormation",
    "terraform": "In Terraform",
}
"""Of the parts that ``explanations/<ID>.yaml`` holds."""

_LANGUAGES: Final = {"failing": "yaml", "passing": "yaml", "cdk": "py", "terraform": "hcl"}


def examples(rule: str) -> Mapping[str, str]:
    """The examples of a rule: ``failing``, ``passing``, ``cdk``, ``cloudformation`` and ``terraform``, if there are."""
    from importlib.resources import files

    import yaml

    from constructs_lib.guardrails.acknowledgement_examples import EXAMPLES

    if rule in EXAMPLES:
        return EXAMPLES[rule]
    path = files("constructs_lib.guardrails").joinpath("explanations", f"{rule}.yaml")
    content = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None
    return {key: str(content[key]).strip() for key in _TITLES if key in content} if isinstance(content, dict) else {}


def page(rule: Described) -> str:
    """The rule's page in Markdown."""
    found = examples(rule.id)
    kinds = ", ".join(f"`{kind}`" for kind in rule.types) or "acknowledgements, in templates and in CDK"
    parts = [
        f"# {rule.id}: {rule.title}",
        f"Lesson {rule.lesson}, {rule.severity}. It judges {kinds}.",
        f"## Why\n\n{rule.why}{_report(rule.incident)}",
        f"## Fix\n\n{rule.fix}",
    ]
    for key, title in _TITLES.items():
        if key in found:
            language = _LANGUAGES.get(key) or ("yaml" if _is_yaml(found[key]) else "")
            parts.append(f"## {title}\n\n" + (f"```{language}\n{found[key]}\n```" if language else found[key]))
    return "\n\n".join(parts) + "\n"


def index(rules: Sequence[Described]) -> str:
    """The table of all pages, by lesson."""
    from constructs_lib.incidents import LESSONS

    lines = [
        "# The rules",
        "",
        "`moorings check` judges CloudFormation templates by them, and `moorings check --explain RULE` prints a page.",
        "What happened where they did not hold: [incidents](../incidents.md). The command: [commands](../commands.md).",
        "",
    ]
    for lesson in LESSONS:
        of_lesson = [rule for rule in rules if rule.lesson == lesson.id]
        if of_lesson:
            lines += [f"## {lesson.id}: {lesson.happened}", "", "| rule | severity | what holds |", "|---|---|---|"]
            lines += [f"| [{rule.id}]({rule.id}.md) | {rule.severity} | {_cell(rule.title)} |" for rule in of_lesson]
            lines.append("")
    return "\n".join(lines)


def _report(incident: Incident) -> str:
    return f"\n\nThe public report: <{incident.url}>" if incident.url else ""


def _is_yaml(text: str) -> bool:
    """Whether it is a snippet and no sentence, which may hold a colon too."""
    import yaml

    try:
        root = yaml.compose(text)
    except yaml.YAMLError:
        return False
    if not isinstance(root, yaml.MappingNode):
        return isinstance(root, yaml.SequenceNode)
    return not any(" " in str(key.value) for key, _ in root.value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
