"""``python -m constructs_lib.ops`` is the command ``moorings``."""

from __future__ import annotations

import sys

from constructs_lib.ops.cli import main

if __name__ == "__main__":
    sys.exit(main())
