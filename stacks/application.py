"""Builds the app from its environments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from aws_cdk import App, Tags, Validations

from constructs_lib.guardrails.validation import GuardrailChecks
from stacks.acknowledged import acknowledge
from stacks.config import EnvironmentConfig
from stacks.landscape import check_environments, neighbours
from stacks.stage import EnvironmentStage

Flags: TypeAlias = dict[str, object]


def feature_flags() -> Flags:
    """CDK's feature flags from ``cdk.json``, so that ``python app.py`` alone gives what ``cdk synth`` gives."""
    settings = json.loads((Path(__file__).parent.parent / "cdk.json").read_text())
    flags: Flags = settings["context"]
    return flags


def application(environments: Sequence[EnvironmentConfig], *, checked: bool = True, outdir: str | None = None) -> App:
    """The app with one stage for each environment.

    Args:
        environments: at least one; no two share a repository, and each comes with the one before it.
        checked: whether our rules, CDK's CloudFormation validation and cdk-nag's AwsSolutions rules judge the
            templates. Only tests that assert on templates switch it off; CDK's and cdk-nag's cost more than the
            synthesis itself.
        outdir: where the templates go; CDK's choice by default.
    """
    check_environments(environments)
    app = App(context=feature_flags(), outdir=outdir, builtin_cloud_formation_validation=checked)
    for config in environments:
        others = neighbours(config, environments)
        stage = EnvironmentStage(app, config, others)
        Tags.of(stage).add("application", config.application)
        Tags.of(stage).add("environment", config.name)
        if checked:
            for stack in stage.stacks:
                acknowledge(stack, config, others)
    if checked:
        # Here, because the import alone costs more than many a test.
        from cdk_nag import AwsSolutionsChecks

        Validations.of(app).add_plugins(GuardrailChecks(), AwsSolutionsChecks(app))
    return app
