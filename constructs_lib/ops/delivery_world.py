"""What the commands about releases need of AWS, made from one boto3 session. boto3 is loaded when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from constructs_lib.command_line import CouldNotRun
from constructs_lib.delivery.operations.clients import connect
from constructs_lib.delivery.operations.upstream import UpstreamEnvironment, reader
from constructs_lib.delivery.operations.world import World
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.images.runtime.errors import failures, why
from constructs_lib.images.runtime.pinning import put_pins
from constructs_lib.images.runtime.references import RepositoryId
from constructs_lib.images.runtime.registry import read_images
from constructs_lib.images.runtime.release_slots import release_pins, release_writer
from constructs_lib.ops.outside import Outside

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient
    from types_boto3_sts import STSClient

_GONE = "ImageNotFound"
"""ECR's code for an image that expired between the list and the pin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePins:
    """Keeps the images of releases, by the guard's own code (lesson Q2).

    Args:
        ecr: the client.
    """

    ecr: ECRClient

    def put(self, settings: DeliverySettings, digest: str, keep: Sequence[str]) -> str | None:
        """Pins ``digest`` and what of ``keep`` is there; why that failed, or None."""
        here = RepositoryId(registry=settings.account, region=settings.region, name=settings.repository)
        try:
            images = read_images(self.ecr, here).images.values()
        except failures() as error:
            return f"the images of {settings.repository} could not be listed: {why(error)}"
        writer = release_writer(settings.account, settings.region, settings.application, settings.environment)
        plan = release_pins(images=images, target=digest, needed=keep, writer=writer, service=settings.service)
        for result in put_pins(self.ecr, here, plan):
            gone = (result.error or "").startswith(_GONE) and result.pin.digest != digest
            if result.error and not gone:
                return f"{result.pin.digest} could not be pinned as {result.pin.tag}: {result.error}"
        return None


def caller(sts: STSClient, environ: Mapping[str, str]) -> str:
    """Who asks: the caller's ARN, or in CodeBuild who started the build, and which build it is.

    There the ARN would be the project's role, whoever pressed the button
    (https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html).
    """
    build = environ.get("CODEBUILD_BUILD_ID", "")
    if build:
        return f"{environ.get('CODEBUILD_INITIATOR') or 'somebody'} in CodeBuild {build}"
    return sts.get_caller_identity()["Arn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The way out of a command: AWS, and where its progress goes (lessons W4, Q5).

    Args:
        world: what a release needs.
        who: asks AWS who calls.
        upstream: the environment before a service, which must have one.
    """

    world: World
    who: Callable[[], str]
    upstream: Callable[[DeliverySettings], UpstreamEnvironment]

    @classmethod
    def open(cls, region: str | None, profile: str | None, outside: Outside, say: Callable[[str], None]) -> Door:
        """The way to a region, with a profile's credentials.

        Raises:
            CouldNotRun: there is none.
        """
        try:
            session = outside.session(region, profile)
            clients = connect(session)
            _ = urlsplit(clients.ssm.meta.endpoint_url).port  # botocore reads it only when it signs
        except failures():
            raise
        except (OSError, ValueError) as error:  # botocore's, for an endpoint or a setting that is none
            raise CouldNotRun(
                f"AWS cannot be asked: {error}; look at --region, AWS_ENDPOINT_URL and AWS's other variables"
            ) from error

        def upstream(settings: DeliverySettings) -> UpstreamEnvironment:
            return reader(session, settings)

        def who() -> str:
            return caller(clients.sts, outside.environ)

        world = World(
            clients=clients,
            now=outside.now,
            sleep=outside.sleep,
            say=say,
            pins=ReleasePins(ecr=clients.ecr),
            upstream=upstream,
            fetch=outside.fetch,
            who=who,
        )
        return cls(world=world, who=who, upstream=upstream)
