"""AwsSolutionsChecks on a template that exists: ``python -m benchmarks.guardrails_in_cdk TEMPLATE FOLDER``."""

from __future__ import annotations

import sys

from stacks.node import use_wheel_node


def main(template: str, folder: str) -> None:
    """Reads the template into an app and synthesizes it with the checks; findings are no error here."""
    use_wheel_node()
    from aws_cdk import App, Stack, Validations
    from aws_cdk.cloudformation_include import CfnInclude
    from cdk_nag import AwsSolutionsChecks

    app = App(outdir=folder, builtin_cloud_formation_validation=False)
    CfnInclude(Stack(app, "Included"), "Template", template_file=template)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError as error:  # the checks found something
        if "Validation failed" not in str(error):
            raise


if __name__ == "__main__":
    main(*sys.argv[1:3])
