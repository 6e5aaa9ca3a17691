"""Other services of the same stack, whose digests an update brings too (lesson Q5). Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from constructs_lib.delivery.readiness import Check, short
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.naming import NOT_RELEASED


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """Another service of the stack, whose release was broken off or is going on (lesson Q5).

    Args:
        parameter: its release parameter.
        has: the digest that the stack had of it at its last update.
        written: what the parameter holds; ``None`` when it is gone.
    """

    parameter: str
    has: str
    written: str | None


def neighbours_check(settings: DeliverySettings, found: Sequence[Neighbour]) -> Check:
    """Whether an update of the stack would change this service only: CloudFormation reads all parameters anew."""
    name = "neighbours"
    if not found:
        return Check(name=name, result="OK", seen="an update of the stack brings no other service's digest")
    places = {one: one.parameter.removeprefix("/moorings/").removesuffix("/digest") for one in found}
    seen = ", ".join(
        f"{place} ({short(one.written) if one.written else 'gone'} is written, {short(one.has)} is in the stack)"
        for one, place in places.items()
    )
    ends = " and ".join(
        f"`moorings {'release' if one.has == NOT_RELEASED else 'rollback'} {place}`" for one, place in places.items()
    )
    writes = " and ".join(
        f"`aws ssm put-parameter --overwrite --name {one.parameter} --value {one.has} --region {settings.region}`"
        for one in found
    )
    return Check(
        name=name,
        result="NG",
        seen=f"an update of {settings.stack} would bring what was written for {seen}",
        fix=f"wait if that is being released, else {ends} first; if two services stop each other, {writes}",
    )
