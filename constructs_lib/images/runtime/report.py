"""What a scan found and did, as values and as log lines. Standard library only.

The last line carries the metrics
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from .model import Plan, Use, UsedImage
from .pinning import PinResult
from .pins import slot_name, slot_of
from .references import RepositoryId

NAMESPACE: Final = "Moorings"
DIMENSIONS: Final = ("Application", "Environment")

IMAGES_IN_USE: Final = "ImagesInUse"
PINNED_IMAGES: Final = "PinnedImages"
IMAGES_AT_RISK: Final = "ImagesAtRisk"
IMAGES_MISSING: Final = "ImagesMissing"
SCAN_INCOMPLETE: Final = "ScanIncomplete"

MOST_USES: Final = 10
"""Uses that a line names; it says how many more there are."""

MOST_CHARACTERS: Final = 500
"""Of a text that comes from elsewhere, such as a name."""

LET_PINS_MOVE: Final = (
    "set the repository's tag mutability to IMMUTABLE_WITH_EXCLUSION with the filter 'pin-*', or to MUTABLE"
)
"""The fix for a repository in which no pin can move."""


SPARE_PINS: Final = (
    "give its lifecycle policy a first rule with tagStatus 'tagged', tagPatternList ['pin-*'], countType "
    "'imageCountMoreThan' and countNumber 9999; `moorings images check` judges the result"
)
"""The fix for a repository whose lifecycle policy takes pinned images too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a scan found and did in one repository (lessons Q2, Q4).

    Args:
        repository: which one.
        plan: what was to be done.
        results: what became of each pin.
        restores: each archived image that was asked back, with the error if that failed.
        pinned: the images that have a pin now, whoever put it.
        shielded: whether the repository's lifecycle policy spares what has a pin.
        gaps: what could not be read, one sentence each.
    """

    repository: RepositoryId
    plan: Plan = field(default_factory=Plan)
    results: tuple[PinResult, ...] = ()
    restores: Mapping[str, str | None] = field(default_factory=dict)
    pinned: frozenset[str] = frozenset()
    shielded: bool = True
    gaps: tuple[str, ...] = ()

    @property
    def not_active(self) -> tuple[str, ...]:
        """Images in use that are there and cannot be pulled, as listed or as read back after a pin was put."""
        later = (r.pin.digest for r in self.results if r.status not in (None, "ACTIVE") and r.pin.digest in self._used)
        return tuple(dict.fromkeys((*self.plan.inactive, *later)))

    @property
    def at_risk(self) -> tuple[str, ...]:
        """Images in use that could be pulled now, and that a lifecycle policy could take."""
        safe = {*self.plan.inactive, *(self.pinned if self.shielded else ())}
        return tuple(digest for digest in self._used if digest not in safe)

    @property
    def missing(self) -> dict[str, tuple[Use, ...]]:
        """References that something can start and that lead to no image, each with its uses."""
        return _by_reference(self.plan.missing)

    @property
    def _used(self) -> Mapping[str, tuple[Use, ...]]:
        return self.plan.in_use


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one scan found and did (lessons Q2, Q4).

    Args:
        began: when.
        outcomes: one a repository.
        gaps: what could not be read, or not be remembered, beside the repositories.
    """

    began: datetime
    outcomes: tuple[Outcome, ...] = ()
    gaps: tuple[str, ...] = ()

    @property
    def all_gaps(self) -> tuple[str, ...]:
        """Everything that could not be read; none when the scan is complete."""
        return (*self.gaps, *(gap for outcome in self.outcomes for gap in outcome.gaps))

    @property
    def metrics(self) -> dict[str, int]:
        """The metrics of this scan, by name.

        An incomplete scan cannot say that nothing is missing or at risk: then these have no value, and their alarms
        keep their state. What it did find, it tells.
        """
        faults = {
            IMAGES_AT_RISK: sum(len(outcome.at_risk) for outcome in self.outcomes),
            IMAGES_MISSING: sum(len(outcome.missing) + len(outcome.not_active) for outcome in self.outcomes),
        }
        return {
            IMAGES_IN_USE: sum(len(outcome.plan.in_use) for outcome in self.outcomes),
            PINNED_IMAGES: sum(len(outcome.pinned) for outcome in self.outcomes),
            **{name: count for name, count in faults.items() if count or not self.all_gaps},
            SCAN_INCOMPLETE: int(bool(self.all_gaps)),
        }


def lines(report: Report, *, application: str, environment: str, at: datetime) -> Iterator[str]:
    """What is written to the log at a time: one JSON object a line, the metrics last.

    The metrics bear the time of writing: an alarm may have judged the minute in which a long scan began.
    """
    for outcome in report.outcomes:
        for told in _outcome(outcome):
            yield json.dumps({**told, "repository": outcome.repository.name})
    for gap in report.all_gaps:
        yield json.dumps({"message": "could not be read", "what": _short(gap)})
    yield json.dumps(
        {
            "_aws": {
                "Timestamp": int(at.timestamp() * 1000),
                "CloudWatchMetrics": [
                    {
                        "Namespace": NAMESPACE,
                        "Dimensions": [list(DIMENSIONS)],
                        "Metrics": [{"Name": name, "Unit": "Count"} for name in report.metrics],
                    }
                ],
            },
            **dict(zip(DIMENSIONS, (application, environment), strict=True)),
            **report.metrics,
        }
    )


def _outcome(outcome: Outcome) -> Iterator[dict[str, object]]:
    in_use = outcome.plan.in_use
    for result in outcome.results:
        yield _pin(result, in_use.get(result.pin.digest, ()))
    for reference, uses in outcome.missing.items():
        yield {"message": "image in use is missing", "image": _short(reference), **_uses(uses)}
    for digest in outcome.not_active:
        yield {"message": "image in use is not ACTIVE", "digest": digest, **_uses(in_use[digest])}
    if outcome.at_risk and not outcome.shielded:
        yield {"message": "the lifecycle policy does not spare pins", "fix": SPARE_PINS}
    unpinnable = set(outcome.plan.unpinnable)
    for digest in outcome.at_risk:
        if digest in outcome.pinned:
            continue
        fix = {"fix": LET_PINS_MOVE} if digest in unpinnable else {}
        yield {"message": "image in use has no pin", "digest": digest, **fix, **_uses(in_use[digest])}
    for digest, error in outcome.restores.items():
        failed = {"error": _short(error)} if error else {}
        yield {"message": "restore failed" if error else "restore begun", "digest": digest, **failed}
    forgotten = list(_by_reference(outcome.plan.forgotten))
    if forgotten:
        names = [_short(reference) for reference in forgotten[:MOST_USES]]
        yield {"message": "former images have gone", "images": names, "more": len(forgotten) - len(names)}


def _pin(result: PinResult, uses: Sequence[Use]) -> dict[str, object]:
    pin, slot = result.pin, slot_of(result.pin.tag)
    # A slot that nobody needs is kept on any image in use; then all of that image's uses are given.
    own = [use for use in uses if slot is not None and slot_name(use.owner) == slot.name]
    done = "pin put" if pin.former is None else "pin moved"
    return {
        "message": "pin failed" if result.error else done,
        "tag": pin.tag,
        "digest": pin.digest,
        **({"former": pin.former} if pin.former else {}),
        **({"error": _short(result.error)} if result.error else {}),
        **_uses(own or uses),
    }


def _uses(uses: Sequence[Use]) -> dict[str, object]:
    named = [{"owner": _short(use.owner), "source": use.source, "name": _short(use.name)} for use in uses[:MOST_USES]]
    return {"uses": named, "more": len(uses) - len(named)}


def _by_reference(entries: Iterable[UsedImage]) -> dict[str, tuple[Use, ...]]:
    found: dict[str, list[Use]] = {}
    for entry in entries:
        found.setdefault(str(entry.reference), []).append(entry.use)
    return {reference: tuple(uses) for reference, uses in found.items()}


def _short(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
