"""How a task definition names an image in ECR (lesson Q2). Standard library only."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

_HOST: Final = re.compile(r"(?P<registry>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[a-z0-9.-]+(?::\d+)?")
"""The registry's addresses: ``<account>.dkr.ecr.<region>.amazonaws.com`` and ``….amazonaws.com.cn``, with both stacks
``<account>.dkr-ecr.<region>.on.aws``, and each with ``-fips``
(https://docs.aws.amazon.com/general/latest/gr/ecr.html). Every domain is taken, so that no partition is forgotten."""

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryId:
    """One repository of one registry (lesson Q2).

    Args:
        registry: the account that owns it, 12 digits.
        region: the AWS region.
        name: the repository's name.
    """

    registry: str
    region: str
    name: str

    @classmethod
    def from_arn(cls, arn: str) -> RepositoryId:
        """The repository that ``arn:<partition>:ecr:<region>:<account>:repository/<name>`` names.

        Raises:
            ValueError: it is no ARN of a repository.
        """
        parts = arn.split(":", 5)
        if len(parts) != 6 or parts[2] != "ecr" or not parts[5].startswith("repository/"):
            raise ValueError(
                f"a repository's ARN must be 'arn:aws:ecr:<region>:<account>:repository/<name>', got {arn!r}"
            )
        return cls(registry=parts[4], region=parts[3], name=parts[5].removeprefix("repository/"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReference:
    """An image of a repository, by tag, by digest, or by both; then the digest decides (lesson Q3).

    Args:
        repository: where it is.
        tag: its tag; None when it is named by digest alone.
        digest: its digest; None when it is named by tag alone.
    """

    repository: RepositoryId
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        return f"{self.repository.name}@{self.digest}" if self.digest else f"{self.repository.name}:{self.tag}"

    def resolved(self, digest: str | None) -> ImageReference:
        """The same reference, with the digest that ECS resolved it to, if it did."""
        return replace(self, digest=digest) if digest else self


def is_digest(text: str) -> bool:
    """Whether a text is an image's digest."""
    return _DIGEST.fullmatch(text) is not None


def parse(image: str) -> ImageReference | None:
    """What an ``image`` in a container definition refers to; None when it is not in a private ECR registry.

    ``repo:tag``, ``repo@digest``, ``repo:tag@digest`` and a bare ``repo``, which means its tag ``latest``.
    """
    host, _, path = image.partition("/")
    address = _HOST.fullmatch(host)
    if address is None:
        return None
    name, _, digest = path.partition("@")
    name, _, tag = name.partition(":")
    if not name or (digest and not is_digest(digest)):
        return None
    return ImageReference(
        repository=RepositoryId(registry=address["registry"], region=address["region"], name=name),
        tag=tag or (None if digest else "latest"),
        digest=digest or None,
    )
