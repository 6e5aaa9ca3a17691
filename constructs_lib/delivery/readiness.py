"""Whether a release may begin: facts in, checks out (lessons Q7, W6). No AWS, no clock. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

from constructs_lib.delivery.build_tags import build_tag_of
from constructs_lib.delivery.ledger import Entry, successful, withdrawn
from constructs_lib.delivery.settings import DeliverySettings, Severity
from constructs_lib.delivery.stack_status import condition, mend
from constructs_lib.naming import NOT_RELEASED

Result: TypeAlias = Literal["OK", "NG", "SKIP"]
"""``OK``: nothing stands in the way. ``NG``: this stops it. ``SKIP``: not asked for, or not to be known yet."""

ImageStatus: TypeAlias = Literal["ACTIVE", "ARCHIVED", "ACTIVATING", "missing"]
"""ECR's ``imageStatus``, or that there is no such image."""

_SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "high", "medium", "low")
_SCANNED: Final = frozenset({"COMPLETE", "ACTIVE"})
_STILL_SCANNING: Final = frozenset({"PENDING", "IN_PROGRESS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at before a release (lessons Q7, W6).

    Args:
        name: one of ``stack``, ``other release``, ``neighbours``, ``freeze``, ``parameter``, ``tasks``, ``sidecars``,
            ``image``, ``platform``, ``scan``, ``upstream``, ``window``, ``alarms``.
        result: what came of it.
        seen: what was seen, as a short text.
        fix: what to do when it is ``NG``; empty otherwise, and where ``seen`` says it.
    """

    name: str
    result: Result
    seen: str
    fix: str = ""

    @property
    def sentence(self) -> str:
        """All of it but the result."""
        return f"{self.name}: {self.seen}" + (f" ({self.fix})" if self.fix else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What ECR found in an image (lesson Q7).

    Args:
        status: ECR's status of the scan; ``none`` when there was no scan.
        counts: findings by severity, in ECR's upper-case words.
    """

    status: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image as its repository has it (lesson Q2).

    Args:
        digest: its digest.
        status: whether it can be pulled.
        tags: its tags.
        platforms: what it runs on, such as ``linux/arm64``; several for an index, of which only those whose image is
            there count.
        unreadable: why the platforms are not known; empty when they are.
        scan: the scan's result; ``None`` when nobody asked.
    """

    digest: str
    status: ImageStatus
    tags: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    unreadable: str = ""
    scan: Scan | None = None


def stack_check(settings: DeliverySettings, status: str, *, taken_over: bool) -> Check:
    """Whether the stack takes an update. One whose release was broken off is waited for, so it may be busy."""
    match condition(status):
        case "ready":
            return Check(name="stack", result="OK", seen=f"{settings.stack} is {status}")
        case "busy" if taken_over:
            return Check(name="stack", result="OK", seen=f"{settings.stack} is {status}, by a release that broke off")
        case "busy":
            return Check(
                name="stack", result="NG", seen=f"{settings.stack} is {status}", fix="wait until the update has ended"
            )
        case _:
            seen = f"{settings.stack} is {status}" if status else f"{settings.stack} does not exist"
            return Check(name="stack", result="NG", seen=seen, fix=mend(settings.stack, settings.region, status))


def other_release_check(entries: Sequence[Entry], now: datetime) -> Check:
    """Whether somebody else is at work."""
    name = "other release"
    alive = [entry for entry in entries if entry.alive(now)]
    if alive:
        seen, fix = at_work(alive[-1])
        return Check(name=name, result="NG", seen=seen, fix=fix)
    broken = [entry for entry in entries if entry.open]
    if broken:
        one = broken[-1]
        return Check(name=name, result="OK", seen=f"{one.action} {one.number} was broken off in state {one.state}")
    return Check(name=name, result="OK", seen="none under way")


def at_work(entry: Entry) -> tuple[str, str]:
    """Who is at work, and what whoever comes next does about it."""
    return (
        f"{entry.action} {entry.number} by {entry.who} is under way, {entry.state}",
        f"wait until it has ended, or, if its process was killed, until {entry.lease:%H:%M:%S} UTC",
    )


def freeze_check(settings: DeliverySettings, held: str | None) -> Check:
    """Whether releases and rollbacks are held; ``held`` says by whom and why."""
    if held is None:
        return Check(name="freeze", result="OK", seen="not frozen")
    environment = f"{settings.application}/{settings.environment}"
    return Check(name="freeze", result="NG", seen=held, fix=f"`moorings thaw {environment}` when the reason is gone")


def parameter_check(name: str, value: str | None, running: str) -> Check:
    """Whether the release parameter is there. That it says something else than what runs is a note: it is written.

    So is one that is gone though something runs; before the first release its stack was not deployed.
    """
    if value is None and running != NOT_RELEASED:
        seen = f"{name} does not exist; a release or a rollback makes it again"
        return Check(name="parameter", result="OK", seen=seen)
    if value is None:
        return Check(name="parameter", result="NG", seen=f"{name} does not exist", fix="deploy the stack that makes it")
    differs = "" if value == running else f", though the service's task definition names {short(running)}"
    return Check(name="parameter", result="OK", seen=f"{name} is {short(value)}{differs}")


def tasks_check(settings: DeliverySettings, running: str, desired: int) -> Check | None:
    """That a service which was released has tasks; ``None`` when it has, or nothing was released yet.

    Whether an image works is seen by its tasks, so with none of them a release could neither succeed nor go back.
    """
    if running == NOT_RELEASED or desired > 0:
        return None
    command = f"aws ecs update-service --cluster {settings.cluster} --service {settings.ecs_service} --desired-count 2"
    fix = f"`{command}`, or as many as its capacity's minimum, and wait for them"
    return Check(name="tasks", result="NG", seen="0 desired tasks, though it was released", fix=fix)


def image_check(settings: DeliverySettings, image: Image) -> Check:
    """Whether the image can be pulled from the environment's own repository."""
    where = f"{short(image.digest)} in {settings.repository}"
    if image.status == "ACTIVE":
        tag = build_tag_of(image.tags)
        return Check(name="image", result="OK", seen=f"{where} is ACTIVE" + (f", {tag.text}" if tag else ""))
    fixes = {
        "missing": "build it, or promote it from the environment before",
        "ARCHIVED": "restore it (UpdateImageStorageClass to STANDARD, about 20 minutes), or choose another",
        "ACTIVATING": "wait about 20 minutes until it is restored",
    }
    seen = f"{where} does not exist" if image.status == "missing" else f"{where} is {image.status}: it cannot be pulled"
    return Check(name="image", result="NG", seen=seen, fix=fixes[image.status])


def platform_check(settings: DeliverySettings, image: Image) -> Check:
    """Whether the image runs on the service's tasks."""
    if image.status != "ACTIVE":
        return Check(name="platform", result="SKIP", seen="the image cannot be read")
    if image.unreadable:
        return Check(
            name="platform",
            result="NG",
            seen=f"the platform cannot be read: {image.unreadable}",
            fix="try again; what cannot be read is not released",
        )
    seen = ", ".join(image.platforms) or "none whose image is there"
    if settings.platform in image.platforms:
        return Check(name="platform", result="OK", seen=seen)
    return Check(name="platform", result="NG", seen=seen, fix=f"build it for {settings.platform}")


def scan_check(settings: DeliverySettings, image: Image) -> Check:
    """Whether the scan found nothing as severe as the threshold. That an image cannot be scanned is no pass."""
    threshold = settings.scan_threshold
    if not threshold:
        return Check(name="scan", result="SKIP", seen="no threshold is set")
    if image.scan is None:
        return Check(name="scan", result="SKIP", seen="the image cannot be read")
    status = image.scan.status
    if status in _STILL_SCANNING:
        return Check(name="scan", result="NG", seen=f"the scan is {status}", fix="wait until it has ended")
    if status not in _SCANNED:
        return Check(
            name="scan",
            result="NG",
            seen=f"cannot be scanned: ECR says {status}",
            fix="push a single manifest without attestations, turn on scanning of the repository, or set no threshold",
        )
    counts = {severity: image.scan.counts.get(severity.upper(), 0) for severity in _SEVERITIES}
    stopping = _SEVERITIES[: _SEVERITIES.index(threshold) + 1]
    seen = ", ".join(f"{counts[severity]} {severity}" for severity in _SEVERITIES)
    if any(counts[severity] for severity in stopping):
        return Check(name="scan", result="NG", seen=seen, fix=f"mend what is {' or '.join(stopping)} and build again")
    return Check(name="scan", result="OK", seen=seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """Where and how an image ran before (lesson Q7).

    Args:
        check: the check and what it saw.
        origin: the entry of the environment before, such as ``shop/staging/web release 12``; empty when there is none.
    """

    check: Check
    origin: str = ""


def upstream_check(settings: DeliverySettings, image: Image, entries: Sequence[Entry] | None, unread: str = "") -> Ran:
    """Whether the environment before ran this image, or this commit, successfully by its ledger.

    Args:
        settings: the service's.
        image: what shall be released.
        entries: that environment's ledger; ``None`` when nobody asks or it could not be read.
        unread: why it could not be read.
    """
    upstream, name = settings.upstream, "upstream"
    if upstream is None:
        return Ran(check=Check(name=name, result="SKIP", seen="no environment comes before"))
    place = "/".join((settings.application, upstream.environment, settings.service))
    if entries is None:
        seen = f"the ledger of {place} cannot be read: {unread}"
        return Ran(check=Check(name=name, result="NG", seen=seen, fix="see that the reader role may be assumed"))
    if upstream.check == "digest":
        wanted = short(image.digest)
        ran = [entry for entry in successful(entries) if entry.digest == image.digest]
    else:
        tag = build_tag_of(image.tags)
        if tag is None:
            seen, fix = "the image has no build tag that names its commit", "build it by its project, which puts one"
            return Ran(check=Check(name=name, result="NG", seen=seen, fix=fix))
        wanted = f"commit {tag.commit}"
        ran = [entry for entry in successful(entries) if entry.commit == tag.commit]
    left = withdrawn(entries)
    found = [entry for entry in ran if entry.digest not in left]
    if found:
        origin = f"{place} {found[0].action} {found[0].number}"
        return Ran(check=Check(name=name, result="OK", seen=f"{origin} ran {wanted} successfully"), origin=origin)
    if ran:
        seen, fix = went_back_from(place, wanted, ran[0].digest)
    else:
        seen, fix = f"{place} never ran {wanted} successfully", f"release it in {place} first"
        if upstream.check == "digest":
            fix += f": `moorings release {place} {image.digest}`"
    return Ran(check=Check(name=name, result="NG", seen=seen, fix=fix))


def went_back_from(place: str, wanted: str, digest: str) -> tuple[str, str]:
    """That an environment before ran an image, or a commit, and left it; and how to have it all the same."""
    fix = f"take another, or, if it is good after all, `moorings release {place} {digest}` first"
    return f"{place} went back from {wanted}", fix


def window_check(text: str, *, inside: bool, override: str, opens: datetime | None) -> Check:
    """Whether the maintenance window is open, or was overridden with a reason (lesson W6)."""
    if not text:
        return Check(name="window", result="SKIP", seen="no window is set")
    if inside:
        return Check(name="window", result="OK", seen=f"inside {text}")
    if override:
        return Check(name="window", result="OK", seen=f"outside {text}, overridden: {override}")
    later = f"wait until {opens:%Y-%m-%d %H:%M} UTC" if opens else "wait until it opens"
    return Check(name="window", result="NG", seen=f"outside {text}", fix=f"{later}, or `--now --reason TEXT`")


def alarms_check(red: Sequence[str], unread: str = "") -> Check:
    """Which deployment alarms are red. A note: it stops nothing, but ECS then goes back by no alarm."""
    if unread:
        return Check(name="alarms", result="SKIP", seen=f"they cannot be read: {unread}")
    if red:
        seen = (
            f"{', '.join(red)} is red already, so ECS ignores alarms for this deployment; tasks and targets are watched"
        )
        return Check(name="alarms", result="OK", seen=seen)
    return Check(name="alarms", result="OK", seen="none is red")


def short(digest: str) -> str:
    """A digest as people read it: 12 digits, as many as a commit."""
    return digest if digest == NOT_RELEASED else digest[: len("sha256:") + 12]
