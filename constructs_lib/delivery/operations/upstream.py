"""The environment before this one, as the next one may see it: its ledger and its images, and nothing else (lesson Q7).

In the same account it is read with the caller's own credentials. In another it is read through one role there, in
sessions of 15 minutes, the shortest that there are
(https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from constructs_lib.command_line import CouldNotRun
from constructs_lib.delivery.ledger import Entry
from constructs_lib.delivery.operations.clients import config
from constructs_lib.delivery.operations.ledger_store import Ledger
from constructs_lib.delivery.operations.registry import RepositoryAccess, StoredImage, explained, stored
from constructs_lib.delivery.settings import DeliverySettings, Upstream
from constructs_lib.naming import release_path

if TYPE_CHECKING:
    from boto3.session import Session
    from types_boto3_ssm import SSMClient
    from types_boto3_sts.type_defs import CredentialsTypeDef

SESSION_SECONDS: Final = 900
_LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamEnvironment:
    """Ledger and images of the same service in the environment before (lesson Q7).

    Args:
        place: how a person names the service there, such as ``shop/staging/web``.
        ssm: a client in its account and region.
        path: where its ledger is.
        images: its repository.
    """

    place: str
    ssm: SSMClient
    path: str
    images: RepositoryAccess

    def entries(self) -> Sequence[Entry]:
        """Its ledger, the newest entry first.

        Raises:
            CouldNotRun: it cannot be read.
        """
        with explained(f"the ledger of {self.place}"):
            try:
                return Ledger(self.ssm, self.path).entries()
            except ValueError as error:
                raise CouldNotRun(str(error)) from error

    def image(self, digest: str) -> StoredImage | None:
        """An image in its repository; None when it is not there.

        Raises:
            CouldNotRun: ECR could not be asked.
        """
        return stored(self.images, {"imageDigest": digest})


def reader(
    session: Session,
    settings: DeliverySettings,
    session_of: Callable[[CredentialsTypeDef, str], Session] | None = None,
) -> UpstreamEnvironment:
    """The upstream of a service, by the role that its settings name, or by the caller's own session.

    ``session_of`` makes a session of credentials and a region.

    Raises:
        CouldNotRun: the role may not be assumed.
        ValueError: the service has no upstream.
    """
    upstream = settings.upstream
    if upstream is None:
        raise ValueError(f"{settings.place} must have an upstream to read one, got none; look at its delivery settings")
    how = config()
    if upstream.reader_role:
        session = (session_of or _session)(_credentials(settings, upstream, session), upstream.region)
    return UpstreamEnvironment(
        place="/".join((settings.application, upstream.environment, settings.service)),
        ssm=session.client("ssm", region_name=upstream.region, config=how),
        path=release_path(settings.application, upstream.environment, settings.service),
        images=RepositoryAccess(
            ecr=session.client("ecr", region_name=upstream.region, config=how),
            registry=upstream.account,
            name=upstream.repository,
        ),
    )


def _credentials(settings: DeliverySettings, upstream: Upstream, session: Session) -> CredentialsTypeDef:
    sts = session.client("sts", region_name=settings.region, config=config())
    with explained(f"the role {upstream.reader_role}, by which {settings.place} reads {upstream.environment}"):
        answer = sts.assume_role(
            RoleArn=upstream.reader_role, RoleSessionName=_session_name(settings), DurationSeconds=SESSION_SECONDS
        )
    return answer["Credentials"]


def _session_name(settings: DeliverySettings) -> str:
    """What CloudTrail shows in the upstream account; a name has no slash."""
    return settings.place.replace("/", ".")[:_LONGEST_NAME]


def _session(credentials: CredentialsTypeDef, region: str) -> Session:
    from boto3.session import Session

    return Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        region_name=region,
    )
