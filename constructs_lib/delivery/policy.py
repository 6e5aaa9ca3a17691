"""Where an image is built from, and what its build may use and take. Standard library only."""

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
_SECRET: Final = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_WORD: Final = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_CACHE: Final = re.compile(rf"(?=.{{2,30}}$){_WORD}(/{_WORD})*")
_GENERATOR: Final = re.compile(rf"[a-z0-9]+/{_WORD}(:[A-Za-z0-9_.-]{{1,128}})?@sha256:[0-9a-f]{{64}}")
_BUCKET: Final = re.compile(r"(?=.{3,63}$)[a-z0-9]+([.-][a-z0-9]+)*")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerHubLogin:
    """Docker Hub is asked as a user, so that its limit for anonymous pulls does not stop a build (lesson Q6).

    A person makes the secret, with the keys ``username`` and ``password``. The password is best an access token that
    may only read. The secret is in the account and region of the build, under the key ``aws/secretsmanager`` or another
    that the role was given on purpose (``key.grant_decrypt(pipeline.role)``).

    Args:
        secret_name: the secret's name in Secrets Manager, not its ARN.

    Raises:
        ValueError: a name that Secrets Manager does not allow, or a Token.
    """

    secret_name: str

    def __post_init__(self) -> None:
        concrete("secret_name", self.secret_name, "a person makes the secret once, so its name is known")
        if not _SECRET.fullmatch(self.secret_name):
            raise invalid(
                "secret_name",
                self.secret_name,
                "the name of a secret, of letters, digits and '/_+=.@-', not its ARN",
                "list them with `aws secretsmanager list-secrets`",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PullThroughCache:
    """Images of Docker Hub are pulled through a cache in ECR, which asks Docker Hub once for each (lesson Q6).

    The Dockerfile gets the place as the build argument ``DOCKER_HUB``, and must use it: ``ARG DOCKER_HUB=docker.io``,
    then ``FROM ${DOCKER_HUB}/library/python:3.13-slim``. Docker's official images are under ``library/``.

    A rule belongs to a registry, which several environments share, so a person makes it, once for each account and
    region: ``aws ecr create-pull-through-cache-rule --ecr-repository-prefix docker-hub --upstream-registry-url
    registry-1.docker.io --credential-arn <secret>``. ECR wants that secret's name to start with
    ``ecr-pullthroughcache/``
    (https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-creating-rule.html).

    Args:
        prefix: the rule's prefix, such as ``docker-hub``. No repository of yours may be under it: a build may read all
            that are, and make new ones.

    Raises:
        ValueError: a prefix that ECR does not allow, ``ROOT``, or a Token.
    """

    prefix: str

    def __post_init__(self) -> None:
        concrete("prefix", self.prefix, "it is the prefix of a rule that exists")
        if not _CACHE.fullmatch(self.prefix):
            raise invalid(
                "prefix",
                self.prefix,
                "2 to 30 lower-case letters and digits, in words joined by '.', '_', '-' or '/'",
                "list the rules with `aws ecr describe-pull-through-cache-rules`",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sbom:
    """A list of what is in each image, made before the image is pushed and kept in a bucket (lesson Q3).

    The generator is an image that follows BuildKit's protocol
    (https://github.com/moby/buildkit/blob/master/docs/attestations/sbom-protocol.md). It gets the finished image's
    files, read-only, and no network. What it writes is stored as ``<repository>/<build tag>.spdx.json``, so a promoted
    image, which keeps its build tag, leads to it. It is no attestation: nothing in the registry refers to it, and it is
    not signed, so trust it as far as you trust the bucket.

    Args:
        generator: an image of Docker Hub by its digest, such as ``docker/buildkit-syft-scanner@sha256:…``. It is pulled
            as base images are: with the login or through the cache, if there is one.
        bucket_name: an S3 bucket of the build's partition. A build may only write to it; if its key is your own, give
            the role that too (``key.grant_encrypt(pipeline.role)``).

    Raises:
        ValueError: an image without a digest or with a registry, a name that no bucket has, or a Token.
    """

    generator: str
    bucket_name: str

    def __post_init__(self) -> None:
        concrete("generator", self.generator, "it is an image of Docker Hub")
        if not _GENERATOR.fullmatch(self.generator):
            raise invalid(
                "generator",
                self.generator,
                "an image of Docker Hub by its digest, '<user>/<image>@sha256:…', without a registry",
                "read the digest with `docker buildx imagetools inspect docker/buildkit-syft-scanner`",
            )
        concrete("bucket_name", self.bucket_name, "give the bucket a name")
        if not _BUCKET.fullmatch(self.bucket_name):
            raise invalid(
                "bucket_name",
                self.bucket_name,
                "the name of an S3 bucket, 3 to 63 lower-case letters, digits, '.' and '-'",
                "pass the name, not an ARN or an 's3://' address",
            )


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
