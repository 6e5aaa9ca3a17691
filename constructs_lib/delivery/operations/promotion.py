"""Takes to an environment the image that ran in the one before: the same digest, with its build tag (lessons Q1, Q7).

Promoting again changes nothing. Nothing is released by it: the image is there then, and that is all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from constructs_lib.command_line import CouldNotRun
from constructs_lib.delivery.build_tags import build_tag_of
from constructs_lib.delivery.ledger import Entry, successful, withdrawn
from constructs_lib.delivery.operations.copy import Copied, copy_image
from constructs_lib.delivery.operations.download import Open, open_address
from constructs_lib.delivery.operations.outcomes import Refused
from constructs_lib.delivery.operations.registry import RepositoryAccess, named_images, restore_first
from constructs_lib.delivery.operations.targets import digest_meant
from constructs_lib.delivery.operations.upstream import UpstreamEnvironment
from constructs_lib.delivery.readiness import short, went_back_from
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.naming import PIN_PATTERN, build_project_name

_PIN: Final = PIN_PATTERN.removesuffix("*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """What a promotion did (lessons Q1, Q7).

    Args:
        copied: what was copied.
        build_tag: the image's newest build tag.
        tags: all its build tags, in both repositories.
        origin: the successful release that it is taken from, such as ``shop/staging/web release 12``.
        source: where it was copied from.
        target: where it is now.
    """

    copied: Copied
    build_tag: str
    tags: tuple[str, ...]
    origin: str
    source: str
    target: str

    @property
    def digest(self) -> str:
        """The image, the same in both."""
        return self.copied.digest


def promote(
    settings: DeliverySettings,
    upstream_of: Callable[[], UpstreamEnvironment],
    target: RepositoryAccess,
    *,
    wanted: str | None = None,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
    open_address: Open = open_address,
) -> Promotion:
    """Copies the image that ran last in the upstream, or the one that is ``wanted``, if it ran there and was good.

    ``upstream_of`` reaches the upstream, which is done only if there is one. ``say`` takes one line of progress.

    Raises:
        Refused: it did not run there successfully, or was gone back from, or images do not come here by promotion.
        CouldNotRun: the image could not be copied; the next run goes on.
    """
    if settings.upstream is None or settings.upstream.check == "commit":
        project = build_project_name(settings.application, settings.environment, settings.service)
        raise Refused(
            f"{settings.place} takes no image from another environment: it is built for itself, by `aws codebuild "
            f"start-build --project-name {project} --region {settings.region}`"
        )
    upstream = upstream_of()
    entry = _chosen(upstream, wanted)
    origin = f"{upstream.place} {entry.action} {entry.number}"
    tags = _build_tags(upstream, entry.digest)
    say(f"{entry.digest} ({', '.join(tags)}) ran by {origin}")
    copied = copy_image(
        upstream.images, target, digest=entry.digest, tags=tags, say=say, sleep=sleep, open_address=open_address
    )
    newest = build_tag_of(tags)
    return Promotion(
        copied=copied,
        build_tag=newest.text if newest else "",
        tags=tags,
        origin=origin,
        source=str(upstream.images),
        target=str(target),
    )


def _chosen(upstream: UpstreamEnvironment, wanted: str | None) -> Entry:
    """The successful release whose image is meant, and that nobody went back from."""
    entries, place = upstream.entries(), upstream.place
    ran = successful(entries)
    if not ran:
        raise Refused(
            f"nothing ran successfully in {place} yet, so there is nothing to promote; `moorings release {place}` first"
        )
    if wanted is None:
        return ran[0]  # never one that was gone back from
    digest = digest_meant(wanted, lambda: named_images(upstream.images), f"in {upstream.images}")
    if digest in withdrawn(entries):
        seen, fix = went_back_from(place, short(digest), digest)
        raise Refused(f"{seen}; {fix}")
    for entry in ran:
        if entry.digest == digest:
            return entry
    raise Refused(
        f"{digest} did not run successfully in {place}, as far as its ledger goes back; `moorings release {place} "
        f"{digest}` there first, or promote what ran last, {ran[0].digest} ({ran[0].action} {ran[0].number})"
    )


def _build_tags(upstream: UpstreamEnvironment, digest: str) -> tuple[str, ...]:
    """What the image is known by. Pins belong to the environment that put them."""
    image = upstream.image(digest)
    if image is None:
        raise CouldNotRun(f"{digest} ran in {upstream.place}, and is not in {upstream.images} any more; build it again")
    if image.status == "ARCHIVED":
        raise CouldNotRun(restore_first(upstream.images, digest))
    tags = tuple(sorted(tag for tag in image.tags if build_tag_of([tag]) and not tag.startswith(_PIN)))
    if not tags:
        raise Refused(
            f"{digest} in {upstream.images} must have a build tag to be promoted, got"
            f" {', '.join(image.tags) or 'no tag'}; without one it soon expires: build it by the environment's project"
        )
    return tags
