"""Which repositories a guard looks after, and what they may be (lesson Q2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_ecr as ecr

from constructs_lib.checks import concrete, invalid, is_token
from constructs_lib.naming import RELEASE_PARAMETER

MOST_REPOSITORIES: Final = 25
"""How many repositories one guard looks after."""

_FROM_NAMING: Final = "take it from constructs_lib.naming.release_parameter_name"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedRepository:
    """A repository in which images in use get pins (lesson Q2).

    Args:
        repository: any ECR repository of the guard's region: made here, or imported by name or ARN.
        release_parameters: names of the SSM parameters that hold digests of its images, such as
            ``/moorings/shop/staging/web/digest``; the last values of each count as in use, and its pins are named after
            the last part but one. None by default.

    Raises:
        ValueError: no repository of ECR, a parameter's name that is a Token or has no two parts, or no tuple.
    """

    repository: ecr.IRepository
    release_parameters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # Of the class: of the object, the question would be a call to Node.
        if not hasattr(type(self.repository), "repository_arn"):
            raise invalid(
                "repository", self.repository, "an ecr.IRepository", "of a PinnedRepository pass its `.repository`"
            )
        if not isinstance(self.release_parameters, tuple):
            raise invalid(
                "release_parameters", self.release_parameters, "a tuple of names", "write it as ('/a',), with the comma"
            )
        for parameter in self.release_parameters:
            concrete("release_parameters", parameter, _FROM_NAMING)
            if not RELEASE_PARAMETER.fullmatch(parameter):
                raise invalid("release_parameters", parameter, "'/…/<service>/<name>', 1011 long at most", _FROM_NAMING)


def check_repositories(repositories: Sequence[GuardedRepository]) -> None:
    """Refuses what is no list of different repositories, or too long a one."""
    if not isinstance(repositories, Sequence):
        raise invalid("repositories", repositories, "a list of GuardedRepository", "put one repository in brackets")
    if not 1 <= len(repositories) <= MOST_REPOSITORIES:
        raise invalid(
            "repositories",
            len(repositories),
            f"1 to {MOST_REPOSITORIES} of them",
            "the settings of more do not fit a function; make another guard, with another environment name",
        )
    for guarded in repositories:
        if not isinstance(guarded, GuardedRepository):
            raise invalid("repositories", guarded, "a list of GuardedRepository", "wrap each one in it")
    parameters = [parameter for guarded in repositories for parameter in guarded.release_parameters]
    if len(set(parameters)) != len(parameters):
        raise invalid("release_parameters", parameters, "all different", "a parameter holds digests of one repository")


def check_region(arns: Sequence[str], region: str) -> None:
    """Clients of the guard talk to one region; images of another would look as if they were gone."""
    for repository_arn in arns:
        parts = repository_arn.split(":", 5)
        if not is_token(repository_arn) and (parts[2:3] != ["ecr"] or not parts[-1].startswith("repository/")):
            raise invalid(
                "repositories", repository_arn, "ARNs of ECR repositories", "import the repository by its ARN"
            )
        if len(parts) > 3 and not is_token(region + parts[3]) and parts[3] != region:
            raise invalid("repositories", repository_arn, f"in {region}", "make a guard in the repository's own region")
