"""The app's environments, with the account of the cloud on this machine. Nothing else is changed."""

from __future__ import annotations

from dataclasses import replace

from stacks.config import EnvironmentConfig
from stacks.environments import ENVIRONMENTS

ACCOUNT = "111122223333"
"""An account number that AWS uses in its own examples."""


def demo_environments() -> tuple[EnvironmentConfig, ...]:
    """What ``stacks/environments.py`` describes, in the demo's account."""
    return tuple(replace(environment, account=ACCOUNT) for environment in ENVIRONMENTS)
