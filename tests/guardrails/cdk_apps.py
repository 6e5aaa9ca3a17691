"""Small CDK apps, synthesized with our plugins, and what CDK's report says of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import App, IPolicyValidationPlugin, Validations
from aws_cdk import aws_ecs as ecs
from constructs import Construct

DIGEST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/web@sha256:" + "a" * 64
JUDGED = ("MOOR-W2", "MOOR-Q8")
"""What the tests here are about; other rules come and go."""


@dataclass(frozen=True)
class Reported:
    """What CDK reported of one plugin."""

    conclusion: str
    stands: list[tuple[str, str]]
    """Rule and construct of each violation."""
    left_out: list[tuple[str, str, str]]
    """Rule, construct and reason of each violation that CDK left out."""
    severities: dict[str, str]
    raw: Mapping[str, Any]


@dataclass(frozen=True)
class Synthesis:
    """What became of an app."""

    folder: Path
    plugins: list[Reported]
    error: str

    @property
    def plugin(self) -> Reported:
        """The report of the only plugin."""
        (only,) = self.plugins
        return only


def task_definition(scope: Construct, name: str = "Task", *, mode: str | None = "blocking", buffer: str = "25m") -> Any:
    """A task definition with one container, sound but for its logs."""
    options = {"max-buffer-size": buffer} | ({} if mode is None else {"mode": mode})
    return ecs.CfnTaskDefinition(
        scope,
        name,
        container_definitions=[
            {
                "name": "web",
                "image": DIGEST,
                "logConfiguration": {"logDriver": "awslogs", "options": options},
                "healthCheck": {"command": ["CMD", "true"]},
            }
        ],
    )


def synthesized(
    app: App, *plugins: IPolicyValidationPlugin, at: Construct | None = None, rules: tuple[str, ...] = JUDGED
) -> Synthesis:
    """Synthesizes an app with plugins, and reads CDK's report.

    Args:
        app: the app; its outdir must be its own.
        plugins: what judges it.
        at: where they are registered; the app by default.
        rules: how the rules begin that are wanted.
    """
    Validations.of(at or app).add_plugins(*plugins)
    error = ""
    try:
        app.synth()
    except RuntimeError as raised:  # jsii's own error is one
        error = str(raised)
    folder = Path(app.outdir)
    report = folder / "validation-report.json"
    content = json.loads(report.read_text()) if report.exists() else {"pluginReports": []}
    return Synthesis(folder, [_reported(plugin, rules) for plugin in content["pluginReports"]], error)


def _reported(plugin: Mapping[str, Any], rules: tuple[str, ...]) -> Reported:
    wanted = [one for one in plugin["violations"] if one["ruleName"].startswith(rules)]
    return Reported(
        conclusion=plugin["conclusion"],
        stands=sorted((one["ruleName"], at["constructPath"]) for one in wanted for at in one["violatingConstructs"]),
        left_out=sorted(
            (one["ruleName"], at["constructPath"], one["reason"])
            for one in plugin.get("suppressedViolations", ())
            for at in one["violatingConstructs"]
        ),
        severities={one["ruleName"]: one["severity"] for one in wanted},
        raw=plugin,
    )
