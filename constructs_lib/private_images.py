"""Which images are in a private repository of ECR. Standard library only."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_PRIVATE: Final = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.(amazonaws\.com(\.cn)?|on\.aws)/(?P<name>[^@:]+)"
)


class PrivateRepository(NamedTuple):
    """A repository of ECR in somebody's account (lesson Q3)."""

    account: str
    region: str
    name: str


def private_repository(image: str) -> PrivateRepository | None:
    """Where an image is, when whoever pulls it there needs a permission."""
    found = _PRIVATE.match(image)
    return None if found is None else PrivateRepository(found["account"], found["region"], found["name"])
