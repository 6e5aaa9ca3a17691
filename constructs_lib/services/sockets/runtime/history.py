"""What a service ran, and when nothing was deployed, by its deployments (lesson W1). Pure. Standard library only.

- A **release** begins with a successful deployment of another image of the application than the one before it. A forced
  new deployment of the same image is none; going back to an earlier image is one.
- While a deployment goes on, old and new tasks run side by side: nobody can say whose sockets they are.
- A deployment that ECS rolled back leaves what ran before. After one that was stopped, or whose rollback failed, nobody
  knows what runs, until the next one succeeds. Any state that is not known here counts as such.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from .comparison import Calm

SETTLES_AFTER: Final = timedelta(minutes=15)
"""After a deployment: the last old task has drained, and the first rush of connections is over."""

_SUCCEEDED: Final = "SUCCESSFUL"
_WENT_BACK: Final = "ROLLBACK_SUCCESSFUL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deployment of a service, as ECS tells of it (lesson W1).

    Args:
        began: when it was created.
        ended: when it was over; ``None`` while it goes on.
        status: ECS's word for how it is.
        image: digest of the application's image, or what else names it; empty when nobody knows.
    """

    began: datetime
    ended: datetime | None
    status: str
    image: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One image of the application, from its first deployment to the next image (lesson W1).

    Args:
        image: digest of the application's image; empty when nobody knows.
        began: when its first deployment was over; ``None`` for what ran before the first deployment that is known.
        calm: when it ran, and nothing was deployed.
    """

    image: str
    began: datetime | None
    calm: tuple[Calm, ...]


def releases(deployments: Iterable[Deployment], *, since: datetime, now: datetime) -> tuple[Release, ...]:
    """The releases of a service, the newest first. Empty when no deployment is known.

    Args:
        deployments: in any order; ECS promises none.
        since: how far back they are known; what ran before the first of them ran since then at least.
        now: the time.
    """
    known = sorted(deployments, key=lambda one: one.began)
    if not known:
        return ()
    found = [Release(image="", began=None, calm=_calm(since, known[0].began))]
    ends = [one.began for one in known[1:]] + [now]
    for one, until in zip(known, ends, strict=True):
        calm = () if one.ended is None else _calm(one.ended + SETTLES_AFTER, until)
        running = found[-1]
        if one.status == _SUCCEEDED and one.ended is not None:
            if one.image and one.image == running.image:
                found[-1] = _longer(running, calm)
            else:
                found.append(Release(image=one.image, began=one.ended, calm=calm))
        elif one.status == _WENT_BACK:
            found[-1] = _longer(running, calm)
    return tuple(reversed(found))


def _longer(release: Release, calm: Sequence[Calm]) -> Release:
    return Release(image=release.image, began=release.began, calm=(*release.calm, *calm))


def _calm(begins: datetime, ends: datetime) -> tuple[Calm, ...]:
    return (Calm(begins=begins, ends=ends),) if begins < ends else ()
