"""Which events wake the function that tells people, as one EventBridge pattern (lesson W5). Standard library only.

Narrower than what is kept as evidence: a service that scales, rebalances or is stable wakes nobody's function. What the
pattern lets through is judged once more by :func:`constructs_lib.observability.runtime.messages.classify.classify`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, cast

from constructs_lib.checks import invalid, is_token
from constructs_lib.iam_policy import Arns
from constructs_lib.observability.evidence.patterns import (
    MOST_CHARACTERS,
    Pattern,
    evidence_patterns,
)
from constructs_lib.observability.runtime.messages.classify import BUILDS, DEPLOYMENTS, HEALTH_SERVICES, SERVICE_FAULTS

_LONGEST_NAME: Final = 255
_FAULTS: Final = (
    {"stopCode": ["TaskFailedToStart", {"exists": False}]},
    {"stopCode": ["ServiceSchedulerInitiated"], "stoppedReason": [{"prefix": "Task failed "}]},
    # Both keys are looked for in all containers; 143 is a process that was told to stop.
    {"stopCode": ["EssentialContainerExited"], "containers": {"exitCode": [{"anything-but": [0, 143]}]}},
)


def message_pattern(here: Arns, *, clusters: Sequence[str], build_projects: Sequence[str] = ()) -> Pattern:
    """Tasks that failed, services that cannot start any, deployments, failed builds, AWS Health on ECS and Fargate.

    Args:
        here: account and Region of the clusters.
        clusters: names of ECS clusters, one that ends with ``*`` stands for all that begin so; at least one.
        build_projects: names of CodeBuild projects, written alike; none by default.

    Raises:
        ValueError: no cluster, a wrong name, or more names than fit into a pattern.
    """
    kept = evidence_patterns(here, clusters=clusters, build_projects=build_projects)
    narrowed: dict[str, Pattern] = {
        "Tasks": {"$or": list(_FAULTS)},
        "Services": {"eventName": [*SERVICE_FAULTS, *DEPLOYMENTS]},
        "Builds": {"build-status": list(BUILDS)},
        "Health": {
            "service": list(HEALTH_SERVICES),
            "backupEvent": [{"anything-but": "true"}, {"exists": False}],
        },
    }
    pattern: Pattern = {"$or": [_with(each, narrowed[what]) for what, each in kept.items()]}
    names = [*clusters, *build_projects]
    unknown = sum(2 * (_LONGEST_NAME - len(name)) for name in names if is_token(name))
    size = len(json.dumps(pattern)) + unknown
    if size > MOST_CHARACTERS:
        allowed = f"few enough for a pattern of {MOST_CHARACTERS} characters"
        fix = "pass what they begin with, such as 'shop--*', or make another one for the others"
        raise invalid("the names", f"{size} characters with them", allowed, fix)
    return pattern


def _with(pattern: Pattern, detail: Pattern) -> Pattern:
    return {**pattern, "detail": {**cast("Pattern", pattern["detail"]), **detail}}
