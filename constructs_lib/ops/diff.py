"""What differs between two environments: image, build and commit of each service, and how far one is behind."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from constructs_lib.command_line import FINE, FOUND, CouldNotRun
from constructs_lib.delivery.ledger import Entry
from constructs_lib.delivery.operations import facts
from constructs_lib.delivery.operations.settings_store import all_settings
from constructs_lib.delivery.runtime.gap import Gap
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.naming import NOT_RELEASED
from constructs_lib.ops.delivery_command import Answer, add_aws_and_json, answered, place
from constructs_lib.ops.delivery_world import Door
from constructs_lib.ops.outside import Outside
from constructs_lib.ops.plain_tables import aligned, minute
from constructs_lib.ops.service_status import behind_in_words, came_by, entries_of, gap_of
from constructs_lib.ops.status import wider
from constructs_lib.ops.tables import short

HELP: Final = "what differs between two environments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one of the two environments runs of a service (lessons Q5, Q7).

    Args:
        place: the service there.
        digest: the image; ``none`` before the first release.
        entry: the release that brought it; None when the ledger has none.
    """

    place: str
    digest: str
    entry: Entry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One service in both environments (lessons Q5, Q7).

    Args:
        service: application and service.
        first: what the first environment runs.
        second: what the second one runs.
        behind: the place of that which comes after the other; empty when neither does.
        gap: how far it is behind; None when neither comes after the other.
    """

    service: str
    first: Side
    second: Side
    behind: str
    gap: Gap | None


def configure(parser: ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("first", metavar="ENV", type=place, help="such as staging")
    parser.add_argument("second", metavar="ENV", type=place, help="such as production")
    add_aws_and_json(parser)
    parser.set_defaults(run=_run)


def _run(options: Namespace, outside: Outside) -> int:
    def work(door: Door) -> Answer:
        pairs = compare(door, options.first, options.second)
        differ = sum(pair.first.digest != pair.second.digest for pair in pairs)
        lines: list[str] = []
        for pair in pairs:
            lines += [*([""] if lines else []), *_as_text(pair)]
        return Answer(
            code=FOUND if differ else FINE, lines=lines, result={"services": [_as_json(pair) for pair in pairs]}
        )

    return answered(options, outside, work)


def compare(door: Door, first: str, second: str) -> list[Pair]:
    """Each service that is in both environments.

    An environment of another account is read as the upstream of the one that is here.

    Raises:
        CouldNotRun: no service is in both.
    """
    every = all_settings(door.world.clients.ssm)
    pairs = []
    for one in every:
        if _means(first, one):
            for other in every:
                if _means(second, other) and _key(one) == _key(other) and one != other:
                    pairs.append(_pair(door, one, other))
            if _is_before(second, one) and not any(_means(second, other) for other in every):
                pairs.append(_pair(door, one, None))
        elif _means(second, one) and _is_before(first, one) and not any(_means(first, other) for other in every):
            pairs.append(_swapped(_pair(door, one, None)))
    if not pairs:
        raise CouldNotRun(_no_pair(every, first, second))
    return pairs


def _no_pair(every: Sequence[DeliverySettings], first: str, second: str) -> str:
    """Why there is nothing to compare."""
    there = ", ".join(one.place for one in every) or "none"
    seen = f"in this account and region, or as the environment before one that is, there are: {there}"
    for text in (first, second):
        if not any(_means(text, one) or _is_before(text, one) for one in every):
            return f"ENV must name services that can be released, got {text!r}; {seen}"
    if first == second:
        return f"the two ENVs must differ, got {first!r} twice; {seen}"
    return f"both ENVs must have a service in common, got {first!r} and {second!r}; {seen}"


def _pair(door: Door, one: DeliverySettings, other: DeliverySettings | None) -> Pair:
    """``other`` is None where it is the upstream of ``one`` and not here."""
    if other is None:
        return Pair(
            service=_key(one),
            first=_side(door, one),
            second=_before(door, one),
            behind=one.place,
            gap=gap_of(door, one),
        )
    late = next((s for s, of in ((one, other), (other, one)) if _is_before(of.place, s)), None)
    return Pair(
        service=_key(one),
        first=_side(door, one),
        second=_side(door, other),
        behind=late.place if late else "",
        gap=gap_of(door, late) if late else None,
    )


def _swapped(pair: Pair) -> Pair:
    return Pair(service=pair.service, first=pair.second, second=pair.first, behind=pair.behind, gap=pair.gap)


def _side(door: Door, settings: DeliverySettings) -> Side:
    service = facts.service_of(door.world.clients, settings)
    digest = service.digest if service else NOT_RELEASED
    return Side(place=settings.place, digest=digest, entry=came_by(digest, entries_of(door, settings)))


def _before(door: Door, settings: DeliverySettings) -> Side:
    """By its ledger: what it runs cannot be asked from here."""
    there = door.upstream(settings)
    entries = tuple(sorted(there.entries(), key=lambda entry: entry.number, reverse=True))
    newest = next((one for one in entries if one.state == "successful" and one.action != "restart"), None)
    digest = newest.digest if newest else NOT_RELEASED
    return Side(place=there.place, digest=digest, entry=came_by(digest, entries))


def _means(text: str, settings: DeliverySettings) -> bool:
    return text in (settings.place, *wider(settings))


def _is_before(text: str, settings: DeliverySettings) -> bool:
    """Whether a text names the environment before a service."""
    if settings.upstream is None:
        return False
    name = f"{settings.application}/{settings.upstream.environment}"
    return text in (settings.upstream.environment, name, f"{name}/{settings.service}")


def _key(settings: DeliverySettings) -> str:
    return f"{settings.application} {settings.service}"


def _as_text(pair: Pair) -> Sequence[str]:
    same = "the same image" if pair.first.digest == pair.second.digest else "different images"
    return [f"{pair.service}: {same}", *aligned([_row(pair.first), _row(pair.second)], indent="  "), *_gap(pair)]


def _row(side: Side) -> tuple[str, ...]:
    entry = side.entry
    if side.digest == NOT_RELEASED:
        return (side.place, "nothing was released yet", "", "", "")
    if entry is None:
        return (side.place, short(side.digest), "-", "-", "no release in the ledger brought it")
    since = f"since {minute(entry.ended or entry.began)}"
    return (side.place, short(side.digest), entry.build_tag or "-", entry.commit or "-", since)


def _gap(pair: Pair) -> list[str]:
    if pair.gap is None:
        return []
    late, early = (pair.first, pair.second) if pair.behind == pair.first.place else (pair.second, pair.first)
    if pair.gap.builds or late.digest == early.digest:
        return [f"  {late.place} is {behind_in_words(pair.gap, early.place)}"]
    commits = {side.entry.commit for side in (late, early) if side.entry and side.entry.commit}
    if late.entry and early.entry and len(commits) == 1:
        return [f"  {late.place} runs another build of the same commit; {early.place} has no newer one"]
    return [f"  {late.place} is ahead: {early.place} runs an older build, and has no newer one"]


def _as_json(pair: Pair) -> dict[str, object]:
    return {
        "service": pair.service,
        "same": pair.first.digest == pair.second.digest,
        "environments": [_side_as_json(pair.first), _side_as_json(pair.second)],
        "gap": {"behind": pair.behind, "builds": pair.gap.builds, "days": round(pair.gap.days, 3)}
        if pair.gap
        else None,
    }


def _side_as_json(side: Side) -> dict[str, object]:
    entry = side.entry
    return {
        "service": side.place,
        "digest": None if side.digest == NOT_RELEASED else side.digest,
        "build_tag": entry.build_tag or None if entry else None,
        "commit": entry.commit or None if entry else None,
        "since": (entry.ended or entry.began).isoformat() if entry else None,
    }
