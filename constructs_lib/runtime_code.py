"""How a slice's ``runtime`` folder becomes a Lambda asset."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import IgnoreMode
from aws_cdk import aws_lambda as lambda_


def runtime_code(folder: Path) -> lambda_.Code:
    """The package ``runtime`` of ``folder`` as a Lambda asset: its ``.py`` files, those of its packages, and no more.

    What Python leaves beside them (``__pycache__``) differs from machine to machine and must not change the asset.
    """
    wanted = ["!/runtime/", "!/runtime/*.py", "!/runtime/*/", "!/runtime/*/*.py"]
    return lambda_.Code.from_asset(str(folder), exclude=["*", *wanted, "__pycache__"], ignore_mode=IgnoreMode.GIT)
