"""Everything in an account that uses an image, read from AWS (lesson Q2)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from .aws import Clients
from .ecs_uses import read_clusters, read_services, read_tasks
from .gaps import Gaps
from .model import Reading, UsedImage
from .named_uses import read_releases, read_rules, read_schedules, read_state_machines
from .references import RepositoryId
from .task_definitions import Wanted, read_families, read_images


def read_uses(
    clients: Clients,
    *,
    releases: Mapping[str, RepositoryId],
    revisions_kept: int,
    releases_kept: int,
    clock: Callable[[], float] = time.monotonic,
) -> Reading:
    """What is in use in the account and region of the clients, in all repositories (lesson Q2).

    Nothing that AWS refuses raises: it is a gap of the reading, and the rest is still read, as long as there is time.

    Args:
        clients: whom to ask.
        releases: the repository of each release parameter, by the parameter's name.
        revisions_kept: how many ACTIVE revisions of each task-definition family count, at least 1.
        releases_kept: how many released digests of each parameter count, besides the current one.
        clock: seconds from any beginning, by which the time that a reading may take is measured.
    """
    gaps = Gaps(clock=clock)
    ecs = clients.ecs
    clusters = read_clusters(ecs, gaps)
    families = read_families(ecs, gaps, kept=revisions_kept)
    found = [
        *read_tasks(ecs, clusters, gaps),
        *read_services(ecs, clusters, gaps),
        *families.wanted(),
        *read_schedules(clients.scheduler, gaps),
        *read_rules(clients.events, clusters, gaps),
        *read_state_machines(clients.stepfunctions, gaps),
        *read_releases(clients.ssm, releases, gaps, kept=releases_kept),
    ]
    used = [each for each in found if isinstance(each, UsedImage)]
    used += read_images(ecs, (each for each in found if isinstance(each, Wanted)), families, gaps)
    return Reading(used=tuple(dict.fromkeys(used)), gaps=gaps.sentences)
