"""What all tests share. CDK is told which Node to use, and not to validate, before it is imported anywhere."""

from __future__ import annotations

import os

from stacks.node import use_wheel_node

use_wheel_node()
# The engine costs more than a synthesis; `make synth` and tests/stacks/test_gate.py run it on all environments.
os.environ["CDK_VALIDATION"] = "false"
