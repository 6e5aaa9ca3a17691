"""What CodeBuild runs, as plain data. Standard library only; the shell is in ``build.sh``, beside this file."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

EXPORTED: Final = ("BUILD_TAG", "IMAGE_DIGEST")
"""The variables that a build hands on: to CodePipeline, and to whoever reads the build with ``BatchGetBuilds``."""


def buildspec() -> dict[str, object]:
    """The buildspec of every :class:`~constructs_lib.delivery.pipeline.BuildPipeline`; what differs are its variables.

    Version 0.2 runs all commands in one shell and stops at the first that fails
    (https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec-ref-versions). ``build.sh``
    sets ``-euo pipefail`` and may exit, so it runs in a subshell and leaves its results in the file ``RESULT``; the
    last command reads them into CodeBuild's own shell, which exports them. There is no ``post_build``: that phase runs
    after a failed build too.
    """
    return {
        "version": "0.2",
        "env": {"shell": "bash", "exported-variables": list(EXPORTED)},
        "phases": {
            "build": {
                "commands": [
                    'RESULT="$(mktemp)" && export RESULT',
                    f"(\n{script()})",
                    '. "$RESULT"',
                ]
            }
        },
    }


def script() -> str:
    """The text of ``build.sh``: build one image, push it, and be sure of its digest (lessons Q1, Q3)."""
    return files("constructs_lib.delivery").joinpath("build.sh").read_text(encoding="utf-8")


def promotion_buildspec() -> dict[str, object]:
    """The buildspec of every :class:`~constructs_lib.delivery.promotion_pipeline.PromotionPipeline`.

    The source is this package itself, so its shell is run from there, and nothing is downloaded.
    """
    return {
        "version": "0.2",
        "env": {"shell": "bash", "exported-variables": list(EXPORTED)},
        "phases": {
            "build": {
                "commands": [
                    'RESULT="$(mktemp)" && export RESULT',
                    'bash "$CODEBUILD_SRC_DIR/delivery/promotion.sh"',
                    '. "$RESULT"',
                ]
            }
        },
    }


def release_buildspec() -> dict[str, object]:
    """The buildspec of every :class:`~constructs_lib.delivery.release_pipeline.ReleasePipeline`; the source is this
    package."""
    return {
        "version": "0.2",
        "env": {"shell": "bash"},
        "phases": {"build": {"commands": ['bash "$CODEBUILD_SRC_DIR/delivery/release.sh"']}},
    }
