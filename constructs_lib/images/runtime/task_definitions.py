"""Which images a task definition names, and which revisions of each family are kept (lesson Q2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from .aws import at_once
from .gaps import Gaps
from .model import Source, Use, UsedImage
from .references import parse

if TYPE_CHECKING:
    from types_boto3_ecs import ECSClient

NO_IMAGE: Final = "sha256:" + "0" * 64
"""Before its first release a service of ours names this digest and stands with zero tasks. No image has it, so it is
neither in use nor missing. ``constructs_lib.services.deployments.release_switch`` has it too; a test compares them."""

_PAGE: Final = 100
_DOES_NOT_EXIST: Final = frozenset({"ClientException", "InvalidParameterException"})
"""How ECS answers for a task definition that is deleted: "Unable to describe task definition."."""

_EXISTS: Final = frozenset[Source]({"task", "deployment", "task set", "service revision", "task definition"})
"""ECS itself refers to it, so it can be described, and it is a gap when it cannot. What a schedule or a state machine
names may have been deleted: then nothing can start it. A stopped task keeps nothing describable."""

_RUN_ANEW: Final = frozenset[Source]({"schedule", "rule", "state machine"})
"""They run new tasks. ECS refuses that from a revision that is not ACTIVE, while a service can still scale on one
(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeregisterTaskDefinition.html)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A task definition whose images are in use (lesson Q2).

    Args:
        task_definition: its ARN, ``family:revision``, or the family alone, which means its latest ACTIVE revision.
        source: what kind of thing refers to it.
        name: which one.
        starts: whether AWS can start it with nobody's doing.
        resolved: the containers whose tag ECS has resolved already. It starts that digest, and the tag no more.
    """

    task_definition: str
    source: Source
    name: str
    starts: bool
    resolved: frozenset[str] = frozenset()


Found: TypeAlias = UsedImage | Wanted
"""What a source refers to: an image, or a task definition that is yet to be described."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Described:
    """A task definition: name and image of each container, and whether new tasks can be run from it."""

    containers: Sequence[tuple[str, str]] = ()
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Families:
    """The newest ACTIVE revisions of every family of the account (lesson Q2).

    Args:
        revisions: their ARNs by family, newest first.
    """

    revisions: Mapping[str, Sequence[str]]

    def wanted(self) -> Iterator[Wanted]:
        """Each of them: nobody starts it, but it is what a person goes back to."""
        for arns in self.revisions.values():
            for arn in arns:
                yield Wanted(task_definition=arn, source="task definition", name=arn, starts=False)

    def arn(self, name: str) -> str | None:
        """The ARN of a task definition by whatever name; the name itself when no listing helps.

        None for one of another account or region: it is that one's guard who sees it.
        """
        place, _, short = name.rpartition("task-definition/")
        ours = self._place()
        if place and ours and place != ours:
            return None
        if ":" not in short:
            return next(iter(self.revisions.get(short, ())), name)
        return f"{ours}task-definition/{short}" if ours else name

    def _place(self) -> str:
        """``arn:aws:ecs:<region>:<account>:`` of this account; empty when no family could be listed."""
        return next((arn.rpartition("task-definition/")[0] for arns in self.revisions.values() for arn in arns), "")


def family_of(task_definition: str) -> str:
    """The family of a task definition by whatever name."""
    return task_definition.rpartition("task-definition/")[2].partition(":")[0]


def used_image(image: str, use: Use, *, digest: str | None = None) -> Iterator[UsedImage]:
    """The use of an image as a container names it; nothing when it is not in a private ECR registry.

    Args:
        image: what the container definition says.
        use: who refers.
        digest: what ECS resolved it to, if it did; it decides.
    """
    reference = parse(image)
    if reference is not None and NO_IMAGE not in (reference.digest, digest):
        yield UsedImage(reference=reference.resolved(digest), use=use)


def read_families(ecs: ECSClient, gaps: Gaps, *, kept: int) -> Families:
    """The last ``kept`` ACTIVE revisions of each family.

    One list of all ACTIVE revisions has a hundred on a page, and most families have few. But nobody deregisters what a
    script registers: so when the list has cost more than a call for each family in it, the others are asked one by one.
    """
    listing = ecs.get_paginator("list_task_definitions").paginate(
        status="ACTIVE", sort="DESC", PaginationConfig={"PageSize": _PAGE}
    )
    listed: dict[str, list[str]] = {}
    for number, page in enumerate(gaps.pages("ecs:ListTaskDefinitions", "the account", listing), 1):
        for arn in page["taskDefinitionArns"]:
            listed.setdefault(family_of(arn), []).append(arn)
        if number > len(listed) > 0 and "nextToken" in page:
            listed.popitem()  # families come one after the other, and the last may go on
            listed |= _one_by_one(ecs, gaps, kept, known=listed)
            break
    return Families(revisions={family: sorted(arns, key=_newest_first)[:kept] for family, arns in listed.items()})


def _one_by_one(ecs: ECSClient, gaps: Gaps, kept: int, *, known: Container[str]) -> dict[str, list[str]]:
    listing = ecs.get_paginator("list_task_definition_families").paginate(
        status="ACTIVE", PaginationConfig={"PageSize": _PAGE}
    )
    pages = gaps.pages("ecs:ListTaskDefinitionFamilies", "the account", listing)
    families = [family for page in pages for family in page["families"] if family not in known]
    return dict(zip(families, at_once(lambda family: _revisions(ecs, family, gaps, kept), families), strict=True))


def _newest_first(arn: str) -> int:
    return -int(arn.rpartition(":")[2])


def read_images(ecs: ECSClient, wanted: Iterable[Wanted], families: Families, gaps: Gaps) -> list[UsedImage]:
    """The images of all task definitions wanted, each described once however many refer to it."""
    by_arn: defaultdict[str, list[Wanted]] = defaultdict(list)
    for want in wanted:
        arn = families.arn(want.task_definition)
        if arn is not None:
            by_arn[arn].append(want)
    work = list(by_arn.items())
    described = at_once(lambda item: _describe(ecs, item[0], item[1], gaps), work)
    return [
        used
        for (arn, wants), definition in zip(work, described, strict=True)
        for want in wants
        for container, image in definition.containers
        for used in used_image(image, _use(arn, want, image, container, active=definition.active))
    ]


def _revisions(ecs: ECSClient, family: str, gaps: Gaps, kept: int) -> list[str]:
    listing = ecs.get_paginator("list_task_definitions").paginate(
        familyPrefix=family,
        status="ACTIVE",
        sort="DESC",
        PaginationConfig={"PageSize": min(kept, _PAGE), "MaxItems": kept},
    )
    pages = gaps.pages("ecs:ListTaskDefinitions", f"family {family}", listing)
    return [arn for page in pages for arn in page["taskDefinitionArns"]]


def _describe(ecs: ECSClient, arn: str, wants: Iterable[Wanted], gaps: Gaps) -> _Described:
    answer = gaps.ask(
        "ecs:DescribeTaskDefinition",
        arn,
        lambda: ecs.describe_task_definition(taskDefinition=arn),
        gone=frozenset() if any(want.source in _EXISTS for want in wants) else _DOES_NOT_EXIST,
    )
    if answer is None:
        return _Described()
    definition = answer["taskDefinition"]
    return _Described(
        containers=[
            (container.get("name", ""), container.get("image", ""))
            for container in definition.get("containerDefinitions", [])
        ],
        active=definition.get("status", "ACTIVE") == "ACTIVE",
    )


def _use(arn: str, want: Wanted, image: str, container: str, *, active: bool) -> Use:
    superseded = container in want.resolved and "@" not in image
    refused = want.source in _RUN_ANEW and not active
    starts = want.starts and not superseded and not refused
    return Use(owner=family_of(arn), source=want.source, name=want.name, starts=starts)
