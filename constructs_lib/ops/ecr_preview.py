"""ECR's own dry run of a lifecycle policy, compared with ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from constructs_lib.images.lifecycle import Image, Verdict, evaluate
from constructs_lib.images.runtime.errors import failures, why
from constructs_lib.images.runtime.references import RepositoryId
from constructs_lib.ops.tables import counted

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient

ASK_EVERY: Final = 5.0
ASK_AT_MOST: Final = 60

_SHOWN: Final = 3


class NoPreview(Exception):  # noqa: N818  (it is no error of ours)
    """ECR gave no preview (lesson Q2); the message says why."""


def preview(ecr: ECRClient, repository: RepositoryId, policy: str, *, sleep: Callable[[float], None]) -> dict[str, str]:
    """What ECR would do with each image that it would not keep, by digest. Nothing is done to any image.

    Raises:
        NoPreview: ECR gave none.
    """
    try:
        ecr.start_lifecycle_policy_preview(
            registryId=repository.registry, repositoryName=repository.name, lifecyclePolicyText=policy
        )
        for _ in range(ASK_AT_MOST):
            found = ecr.get_lifecycle_policy_preview(registryId=repository.registry, repositoryName=repository.name)
            # A preview of another policy is an earlier one.
            if json.loads(found.get("lifecyclePolicyText", "null")) == json.loads(policy):
                if found["status"] == "COMPLETE":
                    return _results(ecr, repository)
                if found["status"] != "IN_PROGRESS":
                    raise NoPreview(f"ECR's preview ended as {found['status']}")
            sleep(ASK_EVERY)
    except failures() as error:
        raise NoPreview(f"ECR gave no preview: {why(error)}") from error
    raise NoPreview(f"ECR's preview was not complete after {ASK_AT_MOST * ASK_EVERY / 60:.0f} minutes")


def _results(ecr: ECRClient, repository: RepositoryId) -> dict[str, str]:
    pages = ecr.get_paginator("get_lifecycle_policy_preview").paginate(
        registryId=repository.registry, repositoryName=repository.name
    )
    actions = {"EXPIRE": "expire", "TRANSITION": "archive"}
    return {
        result["imageDigest"]: f"{actions[result['action']['type']]} (rule {result['appliedRulePriority']})"
        for page in pages
        for result in page["previewResults"]
        if result.get("action", {}).get("type") in actions
    }


def agreement(policy: str, images: Iterable[Image], ecrs: Mapping[str, str], now: datetime) -> tuple[bool, str]:
    """Whether ECR would do what our evaluator says, and what was seen.

    That ECR keeps the children of an index is a difference that our proof does not rely on, so it is told, and no more.
    """
    stored = list(images)
    ours = _taken(evaluate(policy, stored, now=now))
    count = f"both take {len(ours)} of {counted(len(stored), 'image')}"
    if ecrs == ours:
        return True, count
    if ecrs == _taken(evaluate(policy, stored, now=now, children_protected=True)):
        return True, f"{count}, but for children of an index, which ECR keeps and the proof does not rely on"
    different = sorted(digest for digest in {*ours, *ecrs} if ours.get(digest) != ecrs.get(digest))
    shown = "; ".join(f"{d}: ECR {ecrs.get(d, 'keep')}, ours {ours.get(d, 'keep')}" for d in different[:_SHOWN])
    differ = "differs" if len(different) == 1 else "differ"
    return False, f"{len(different)} of {counted(len(stored), 'image')} {differ}: {shown}"


def _taken(verdicts: Mapping[str, Verdict]) -> dict[str, str]:
    return {
        digest: f"{verdict.action} (rule {verdict.rule_priority})"
        for digest, verdict in verdicts.items()
        if verdict.action != "keep"
    }
