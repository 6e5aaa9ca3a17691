"""A change alarm: what each environment synthesizes to, with asset hashes masked. It is no specification.

``make snapshot-update`` accepts what the stages synthesize now; the change then shows in the review.
"""

from __future__ import annotations

import json
import re

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from stacks.environments import ENVIRONMENTS
from tests.conftest import Templates

_ASSET = re.compile(r"\b[0-9a-f]{64}\b")


_STACKS = {"staging": 7, "production": 9}
"""Production has a status page, and what feeds it."""


@pytest.mark.parametrize("environment", [environment.name for environment in ENVIRONMENTS])
def test_stage(environment: str, templates: Templates, snapshot: SnapshotAssertion) -> None:
    """The templates of one environment are what they were when somebody last looked at them."""
    stage = {name: template for name, template in templates.items() if f"--{environment}--" in name}
    assert len(stage) == _STACKS[environment]
    masked = json.loads(_ASSET.sub("<hash>", json.dumps(stage, sort_keys=True)))
    assert masked == snapshot.use_extension(JSONSnapshotExtension)
