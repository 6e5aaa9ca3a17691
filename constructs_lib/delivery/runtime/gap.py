"""How far a service is behind the environment before it (lesson Q5). Pure: no AWS, no clock. Standard library only.

What waits are changes, so a build counts by its commit, from the time when the environment before first built it:

- Several tags on an image are several commits: a service that runs it has them all.
- A rebuild of a commit is no new build. What it changes below the commit, such as a base image, does not show here.
- A promoted image keeps its build tag; one that was built here has another digest and the same commit. Either way the
  commit finds its place.
- A build whose image has expired still waits: its change is in the next one. Ledger and images are counted together.
- A service that has released nothing, or whose image tells of no commit that is known, is behind everything.
- A build tag from the future is not believed, so a clock that was wrong once cannot hide what comes later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

NOT_RELEASED: Final = "none"
"""The release parameter's value before the first release, as ``decision.py`` has it."""

SKEW: Final = timedelta(hours=1)
"""How far a build's clock may be ahead of ours."""

_BUILD_TAG: Final = re.compile(r"([a-z][a-z0-9-]*)-(\d{8}T\d{6}Z)-([0-9a-f]{12})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One build, as its tag tells of it (lessons Q3, Q5).

    Args:
        tag: ``<environment>-<yyyymmddThhmmssZ>-<commit12>``.
        environment: where it was built.
        commit: the first 12 digits of the commit.
        built: when.
    """

    tag: str
    environment: str
    commit: str
    built: datetime

    @classmethod
    def from_tag(cls, tag: str) -> Build | None:
        """The build of a tag; ``None`` for any other tag, such as a pin."""
        found = _BUILD_TAG.fullmatch(tag)
        if found is None:
            return None
        try:
            built = datetime.fromisoformat(found[2])  # its Z is UTC
        except ValueError:
            return None
        return cls(tag=tag, environment=found[1], commit=found[3], built=built)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamRelease:
    """What the gap needs of an entry of the ledger of the environment before (lesson Q5).

    Args:
        digest: the image.
        build_tag: its build tag; empty when it had none.
        successful: whether it was a release or a rollback that came to a good end.
    """

    digest: str
    build_tag: str
    successful: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """How far a service is behind (lesson Q5).

    Args:
        builds: how many builds of the environment before are newer than what runs here.
        days: how long the oldest of them has waited; 0 when there is none.
        running: the newest build tag of what runs here; its digest when it has none; ``none`` before the first release.
        newest: the newest build of the environment before; empty when there is none.
        ran: how many of ``builds`` ran there successfully, and so could be released here.
        known: whether the environment before knows a commit of what runs here; if not, all its builds count as newer.
    """

    builds: int
    days: float
    running: str
    newest: str
    ran: int
    known: bool


def measure(
    *,
    running: str,
    own_tags: Iterable[str],
    images: Mapping[str, Sequence[str]],
    releases: Iterable[UpstreamRelease],
    environment: str,
    now: datetime,
) -> Gap:
    """The gap of one service.

    Args:
        running: the release parameter's value.
        own_tags: the tags that the running image has in this environment's repository.
        images: the tags of each image in the repository of the environment before, by digest.
        releases: the ledger of the environment before.
        environment: this environment. Its own build tags tell of a commit, but not of when the environment before
            built it.
        now: the time.
    """
    stored = {digest: _builds(tags, now) for digest, tags in images.items()}
    released = [(one, _builds([one.build_tag], now)) for one in releases]
    here = (*_builds(own_tags, now), *stored.get(running, ()))
    here += tuple(build for one, builds in released if one.digest == running for build in builds)
    promoted = (build for build in here if build.environment != environment)

    first: dict[str, Build] = {}
    for build in (*_flat(stored.values()), *_flat(builds for _, builds in released), *promoted):
        if build.commit not in first or build.built < first[build.commit].built:
            first[build.commit] = build
    commits = {build.commit for build in here} & first.keys()
    place = max((first[commit].built for commit in commits), default=None)
    waiting = [build for build in first.values() if place is None or build.built > place]
    ran = {
        build.commit for one, builds in released if one.successful for build in (*builds, *stored.get(one.digest, ()))
    }
    oldest = min((build.built for build in waiting), default=now)
    return Gap(
        builds=len(waiting),
        days=max((now - oldest) / timedelta(days=1), 0.0),
        running=_newest(here) or running,
        newest=_newest(first.values()),
        ran=sum(build.commit in ran for build in waiting),
        known=bool(commits),
    )


def _builds(tags: Iterable[str], now: datetime) -> tuple[Build, ...]:
    """The builds that tags tell of, but for those from the future."""
    found = (Build.from_tag(tag) for tag in tags)
    return tuple(build for build in found if build is not None and build.built <= now + SKEW)


def _flat(groups: Iterable[Iterable[Build]]) -> Iterable[Build]:
    return (build for group in groups for build in group)


def _newest(builds: Iterable[Build]) -> str:
    return max(builds, key=lambda build: (build.built, build.tag)).tag if (builds := tuple(builds)) else ""
