"""What uses the images of a repository: release parameters by option or by name, and the guard's own reading."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from constructs_lib.command_line import CouldNotRun, whole
from constructs_lib.images.runtime.aws import Clients
from constructs_lib.images.runtime.model import Reading, Use
from constructs_lib.images.runtime.references import RepositoryId
from constructs_lib.images.runtime.uses import read_uses
from constructs_lib.naming import RELEASE_PARAMETER, release_parameter_name

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

REVISIONS_KEPT: Final = 3
RELEASES_KEPT: Final = 5
"""What ``RetentionGuard`` takes by default; a test compares them."""


def parameter_name(text: str) -> str:
    """The name of a release parameter.

    Raises:
        ArgumentTypeError: no guard would take it.
    """
    if not RELEASE_PARAMETER.fullmatch(text):
        raise ArgumentTypeError(f"must be a name such as /moorings/shop/production/web/digest, got {text!r}")
    return text


def add_uses(parser: ArgumentParser) -> None:
    """The options that say what counts as in use."""
    parser.add_argument(
        "--release",
        type=parameter_name,
        action="append",
        default=[],
        metavar="NAME",
        help="an SSM parameter through which this repository's images are released; may be repeated",
    )
    parser.add_argument(
        "--revisions-kept",
        type=whole(1, 20),
        default=REVISIONS_KEPT,
        metavar="N",
        help="ACTIVE revisions of each task-definition family that count as in use (%(default)s)",
    )
    parser.add_argument(
        "--releases-kept",
        type=whole(1, 20),
        default=RELEASES_KEPT,
        metavar="N",
        help="of each parameter the current digest and so many before it count as in use (%(default)s)",
    )


def reading_of(options: Namespace, clients: Clients, repository: RepositoryId) -> Reading:
    """What uses images of this account and region."""
    names: list[str] = options.release or _by_convention(repository.name)
    for name in options.release:
        _must_exist(clients.ssm, name)
    return read_uses(
        clients,
        releases=dict.fromkeys(names, repository),
        revisions_kept=options.revisions_kept,
        releases_kept=options.releases_kept,
    )


def _must_exist(ssm: SSMClient, name: str) -> None:
    """A name that is mistyped would release nothing, and its images would seem unused."""
    try:
        ssm.get_parameter_history(Name=name, MaxResults=1)
    except ssm.exceptions.ParameterNotFound as error:
        raise CouldNotRun(f"--release must be a parameter in SSM, got {name!r}; look at its name and region") from error


def _by_convention(repository: str) -> list[str]:
    """The parameter that our own stacks would make for this repository; one that is not there releases nothing."""
    parts = repository.split("/")
    if len(parts) != 3:
        return []
    try:
        return [release_parameter_name(*parts)]
    except ValueError:  # names that our own stacks would refuse
        return []


def in_words(uses: Iterable[Use]) -> str:
    """Uses by owner, such as ``web: deployment, task (3)``."""
    counted = Counter((use.owner, use.source) for use in uses)
    owners: dict[str, list[str]] = {}
    for (owner, source), count in sorted(counted.items()):
        owners.setdefault(owner, []).append(source if count == 1 else f"{source} ({count})")
    return "; ".join(f"{owner}: {', '.join(sources)}" for owner, sources in owners.items())


def as_json(uses: Iterable[Use]) -> list[dict[str, object]]:
    """Uses with all that is known of them."""
    return [{"owner": use.owner, "source": use.source, "name": use.name, "starts": use.starts} for use in uses]
