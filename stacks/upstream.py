"""The environment before this one, as release commands must know it."""

from __future__ import annotations

from constructs_lib.delivery.settings import Upstream
from constructs_lib.iam_policy import Arns
from constructs_lib.naming import reader_role_name, repository_name
from stacks.config import EnvironmentConfig
from stacks.releases import Promotion


def upstream_of(
    config: EnvironmentConfig, before: EnvironmentConfig | None, service: str, here: Arns
) -> Upstream | None:
    """Where an image of a service must have run before. ``here`` is the account of ``config``, perhaps a Token."""
    if before is None:
        return None
    names = (before.application, before.name)
    there = Arns(partition=here.partition, region=before.region, account=before.account or here.account)
    return Upstream(
        environment=before.name,
        account=there.account,
        region=there.region,
        repository=repository_name(*names, service),
        check="digest" if isinstance(config.source, Promotion) else "commit",
        reader_role=there.role(reader_role_name(*names)) if before.account != config.account else "",
    )
