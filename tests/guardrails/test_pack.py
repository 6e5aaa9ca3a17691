"""Our rules as a cdk-nag pack."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from aws_cdk import App, NestedStack, Stack, Stage

from constructs_lib.guardrails.catalog import RULES
from constructs_lib.guardrails.pack import MooringsChecks
from constructs_lib.guardrails.validation import GuardrailChecks, acknowledge
from tests.guardrails.cdk_apps import Synthesis, synthesized, task_definition

TODAY = date(2027, 1, 31)


def small_app(folder: Path) -> App:
    """Blocking logs in a stack, a nested stack and a stage; one acknowledged, one no longer."""
    app = App(outdir=str(folder))
    web = Stack(app, "Web")
    task_definition(web)
    task_definition(web, "Small", mode="non-blocking", buffer="2m")
    inner = NestedStack(web, "Inner")
    task_definition(inner)
    live = Stage(app, "Live")
    task_definition(Stack(live, "Web"))
    acknowledge(inner, "MOOR-W2b", reason="on trial", until=date(2020, 1, 1))
    acknowledge(live, "MOOR-W2b", reason="a sandbox")
    return app


def test_the_pack_says_what_the_plugin_says(tmp_path: Path) -> None:
    """Word for word, with the same acknowledgements, each alone in its own app."""

    def with_plugin(name: str, plugin: Callable[[App], GuardrailChecks | MooringsChecks]) -> Synthesis:
        app = small_app(tmp_path / name)
        return synthesized(app, plugin(app))

    pack = with_plugin("pack", lambda app: MooringsChecks(app, today=TODAY))
    plugin = with_plugin("plugin", lambda _: GuardrailChecks(today=TODAY))
    assert pack.plugin.stands == [
        ("MOOR-Q8b", "Web/Inner"),
        ("MOOR-W2b", "Web/Task"),
        ("MOOR-W2b[not-honoured]", "Web/Inner/Task"),
        ("MOOR-W2d", "Web/Small"),
    ]
    assert pack.plugin.left_out == [("MOOR-W2b", "Live/Web/Task", "a sandbox")]
    assert pack.plugin.conclusion == "failure"
    assert pack.plugin.raw == plugin.plugin.raw


def test_it_is_called_as_the_plugin_is(tmp_path: Path) -> None:
    """Its name is the namespace of the acknowledgements, and its rules are those of the core."""
    pack = MooringsChecks(App(outdir=str(tmp_path)))
    assert (pack.name, pack.read_pack_name) == ("Moorings", "MOOR")
    assert set(pack.rule_ids) == {rule.id for rule in RULES}
    assert pack.version == GuardrailChecks().version


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Web/Inner", ["MOOR-Q8b Web/Inner", "MOOR-W2b Task"]),
        ("Web/Small", ["MOOR-W2d Small"]),
        ("Live", []),
    ],
)
def test_a_part_of_an_app_can_be_judged(tmp_path: Path, path: str, expected: list[str]) -> None:
    """As with other packs, without registering it; what is acknowledged is left out here too."""
    app = small_app(tmp_path)
    scope = app.node.find_child(path.split("/")[0])
    for name in path.split("/")[1:]:
        scope = scope.node.find_child(name)
    report = MooringsChecks(today=TODAY).validate_scope(scope)
    found = [
        f"{violation.rule_name.partition('[')[0]} {resource.resource_logical_id or resource.construct_path}"
        for violation in report.violations
        if violation.rule_name.startswith(("MOOR-W2", "MOOR-Q8"))
        for resource in violation.violating_resources
    ]
    assert sorted(found) == expected
    assert report.success == (not any("W2b" in line for line in expected))


def test_resources_can_show_what_was_acknowledged(tmp_path: Path) -> None:
    """cdk-nag's own option goes on working."""
    app = App(outdir=str(tmp_path))
    stack = Stack(app, "Web")
    task_definition(stack)
    acknowledge(stack, "MOOR-W2b", reason="a sandbox")
    synthesized(app, MooringsChecks(app, write_suppressions_to_cloud_formation=True))
    template = json.loads((tmp_path / "Web.template.json").read_text())
    assert template["Resources"]["Task"]["Metadata"]["cdk_nag"] == {
        "rules_to_suppress": [{"id": "Moorings::MOOR-W2b", "reason": "a sandbox"}]
    }
