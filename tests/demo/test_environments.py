"""The demo is the app itself, in another account."""

from __future__ import annotations

from dataclasses import replace

from demo.environments import ACCOUNT, demo_environments
from stacks.environments import ENVIRONMENTS


def test_only_the_account_is_replaced() -> None:
    """What the demo deploys differs from the app in nothing but the account."""
    assert tuple(replace(environment, account=None) for environment in demo_environments()) == ENVIRONMENTS
    assert {environment.account for environment in demo_environments()} == {ACCOUNT}
