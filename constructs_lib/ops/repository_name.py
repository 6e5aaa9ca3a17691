"""A repository as a person names it: by name, ARN or URI."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from dataclasses import dataclass
from typing import Final

from constructs_lib.images.runtime.references import RepositoryId, parse

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._/-]{1,255}")
"""Looser than ECR's own pattern, so that it refuses nothing that ECR takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryName:
    """A repository by name, and where it should be (lesson Q2).

    Args:
        name: the repository's name.
        registry: the account in its ARN or URI; None when it is given by name.
        region: the region in its ARN or URI; None when it is given by name.
    """

    name: str
    registry: str | None = None
    region: str | None = None

    def __str__(self) -> str:
        return f"{self.name!r} in {self.registry}, {self.region}" if self.registry else repr(self.name)


def repository_name(text: str) -> RepositoryName:
    """The repository that an argument names.

    Raises:
        ArgumentTypeError: it names none.
    """
    named = _named(text)
    if not _NAME.fullmatch(named.name):
        allowed = "a name of 2 to 256 characters such as shop/production/web, an ARN, or a URI without a tag"
        raise ArgumentTypeError(f"must be {allowed}, got {text!r}")
    return named


def _named(text: str) -> RepositoryName:
    found = None
    if text.startswith("arn:"):
        try:
            found = RepositoryId.from_arn(text)
        except ValueError as error:
            raise ArgumentTypeError(str(error)) from error
    elif not {":", "@"}.intersection(text.partition("/")[2]):
        reference = parse(text)
        found = reference.repository if reference else None
    if found is None:
        return RepositoryName(name=text)
    return RepositoryName(name=found.name, registry=found.registry, region=found.region)
