"""Where an image is built from, and how long and how big its build may be. Standard library only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from constructs_lib.checks import concrete, invalid, whole_number
from constructs_lib.log_retention import check_retention

ComputeSize: TypeAlias = Literal["small", "medium", "large"]

_OWNER: Final = re.compile(r"(?=.{1,39}$)[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
_BRANCH: Final = re.compile(
    r"(?!refs/)(?!.*(\.\.|\.lock(/|$)))[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*"
)
_CONNECTION: Final = re.compile(
    r"arn:aws(-[a-z]+)*:(codeconnections|codestar-connections):[a-z0-9-]+:[0-9]{12}:connection/[0-9a-f-]{36}"
)
_PATH: Final = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._/-]{0,254}")
_PROJECT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,149}")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubSource:
    """A branch of a GitHub repository, which a build is made from (lesson Q1).

    Without a connection the repository must be public: builds are started by hand and no credential is needed. With
    one, a push to the branch starts a build, and the result is shown beside the commit. A person must authorise a new
    connection once; until then it is PENDING and the project cannot be created.

    Args:
        owner: the user or organisation.
        repository: the name of the repository, without ``.git``.
        branch: the branch that is built; ``main`` by default.
        connection_arn: a CodeConnections ARN, of either service prefix; none by default.

    Raises:
        ValueError: a name that GitHub or git does not allow, something else than a connection's ARN, or a Token.
    """

    owner: str
    repository: str
    branch: str = "main"
    connection_arn: str | None = None

    def __post_init__(self) -> None:
        concrete("owner", self.owner)
        if not _OWNER.fullmatch(self.owner):
            raise invalid(
                "owner", self.owner, "a GitHub user or organisation", "take it from https://github.com/<owner>/<name>"
            )
        concrete("repository", self.repository)
        if (
            not _REPOSITORY.fullmatch(self.repository)
            or self.repository in {".", ".."}
            or self.repository.endswith(".git")
        ):
            raise invalid(
                "repository",
                self.repository,
                "the name of a GitHub repository without '.git'",
                "take it from https://github.com/<owner>/<name>",
            )
        concrete("branch", self.branch)
        if not _BRANCH.fullmatch(self.branch) or self.branch.endswith("."):
            raise invalid(
                "branch",
                self.branch,
                "the name of a branch, of letters, digits and '._/-'",
                "pass 'main', not 'refs/heads/main' or a pattern",
            )
        if self.connection_arn is not None:
            concrete("connection_arn", self.connection_arn, "a person makes a connection once, so its ARN is known")
            if not _CONNECTION.fullmatch(self.connection_arn):
                raise invalid(
                    "connection_arn",
                    self.connection_arn,
                    "the ARN of a connection, 'arn:aws:codeconnections:<region>:<account>:connection/<id>'",
                    "list them with `aws codeconnections list-connections`",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildLimits:
    """How long a build may take and wait, how big its machine is, and how long its log is kept (lesson Q1).

    There is no limit on concurrent builds: over it, CodeBuild does not run a build at all. Every build has a tag of its
    own, so parallel builds are safe.

    Args:
        build_minutes: after this many minutes CodeBuild stops the build, 5 to 2160; 30 by default.
        queued_minutes: after this many minutes in the queue a build is given up, 5 to 480; 60 by default.
        compute: size of the machine, ``small``, ``medium`` or ``large``; ``small`` by default
            (https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-compute-types.html).
        retention_days: how long CloudWatch keeps the log, one of the numbers it accepts; 90 by default.

    Raises:
        ValueError: a number out of its range, a size or a retention that AWS does not know.
    """

    build_minutes: int = 30
    queued_minutes: int = 60
    compute: ComputeSize = "small"
    retention_days: int = 90

    def __post_init__(self) -> None:
        whole_number(
            "build_minutes", self.build_minutes, low=5, high=2160, fix="CodeBuild allows 5 minutes to 36 hours"
        )
        whole_number(
            "queued_minutes", self.queued_minutes, low=5, high=480, fix="CodeBuild allows 5 minutes to 8 hours"
        )
        if self.compute not in get_args(ComputeSize):
            raise invalid(
                "compute",
                self.compute,
                "'small', 'medium' or 'large'",
                "a docker build rarely needs more than 'medium'",
            )
        check_retention("retention_days", self.retention_days)


def check_source_path(what: str, value: str) -> None:
    """Refuses a path that leaves the source, or that a shell could read as something else."""
    concrete(what, value)
    if not _PATH.fullmatch(value) or ".." in value.split("/"):
        raise invalid(
            what,
            value,
            "a path inside the source, of letters, digits and '._/-', that does not start with '/' or '-'",
            "give it relative to the repository's root, such as 'services/web/Dockerfile'",
        )


def check_project_name(value: str) -> None:
    """Refuses a name that CodeBuild does not take (``ProjectName`` in its API model)."""
    concrete("project_name", value, "take it from constructs_lib.naming.build_project_name")
    if not _PROJECT.fullmatch(value):
        raise invalid(
            "project_name",
            value,
            "2 to 150 letters, digits, '-' and '_', starting with a letter or a digit",
            "take it from constructs_lib.naming.build_project_name",
        )
