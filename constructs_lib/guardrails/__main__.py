"""``python -m constructs_lib.guardrails`` is the command ``moorings check``."""

from __future__ import annotations

import sys

from constructs_lib.command_line import finished, real_console
from constructs_lib.guardrails.command import run


def main() -> int:
    """Runs the command and returns its exit code."""
    console = real_console()
    return finished(lambda: run(sys.argv[1:], console), console)


if __name__ == "__main__":
    sys.exit(main())
