"""Puts the why of a service's numbers into its template, and its two times before whoever synthesizes (lessons Q8, T4).

It works with any ``ecs.FargateService``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Annotations, CfnResource
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from constructs_lib.services.reasons import KEY

INFO_ID: Final = "moorings:rotation"
"""For who wants the line no more: ``Annotations.of(service).acknowledge_info("moorings:rotation")``."""


def explain(
    scope: Construct, service: ecs.FargateService | ecs.CfnService, why: Mapping[str, Sequence[str]], printed: str
) -> None:
    """Writes sentences into the service's ``Metadata``, and has a line printed as information: it is no finding.

    Args:
        scope: what the line is printed of.
        service: the service, or its resource.
        why: sentences by what they are about, from :func:`constructs_lib.services.reasons.reasons`.
        printed: the line, from :func:`constructs_lib.services.reasons.rotation`.
    """
    made = service if isinstance(service, ecs.CfnService) else service.node.default_child
    assert isinstance(made, CfnResource)
    made.add_metadata(KEY, {about: list(sentences) for about, sentences in why.items()})
    Annotations.of(scope).add_info_v2(INFO_ID, printed)
