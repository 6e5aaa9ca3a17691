"""The examples on the pages of the rules about acknowledgements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from constructs_lib.guardrails.acknowledgements import EXPIRED, MALFORMED, UNUSED

_TEMPLATE: Final = """\
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Metadata:
      Moorings:
        acknowledge:
          - {entry}
    Properties:
      ContainerDefinitions:
        - Name: web
          Image: 111111111111.dkr.ecr.eu-west-1.amazonaws.com/web@sha256:{digest}
          LogConfiguration: {{LogDriver: awslogs, Options: {{mode: {mode}, max-buffer-size: 25m}}}}
"""

_REASON: Final = "the sandbox may wait for its logs"

_CDK: Final = """\
from datetime import date

from constructs_lib.guardrails.validation import acknowledge

acknowledge(stack, "MOOR-W2b", reason="the sandbox may wait for its logs", until=date(2099, 12, 31))"""

_CLOUDFORMATION: Final = """\
In the Metadata of a resource, or of the whole template, below Moorings and acknowledge: a list of entries with id,
reason and, if need be, until, the last day on which it holds."""


def _template(entry: str, mode: str = "blocking") -> str:
    return _TEMPLATE.format(entry=entry, mode=mode, digest="0" * 64).strip()


_SOUND: Final = _template(f"{{id: MOOR-W2b, reason: {_REASON}, until: 2099-12-31}}")

_FAILING: Final[Mapping[str, str]] = {
    MALFORMED: _template("{id: MOOR-W2b}"),
    EXPIRED: _template(f"{{id: MOOR-W2b, reason: {_REASON}, until: 2020-01-31}}"),
    UNUSED: _template(f"{{id: MOOR-W2b, reason: {_REASON}}}", mode="non-blocking"),
}

EXAMPLES: Final[Mapping[str, Mapping[str, str]]] = {
    rule: {"failing": failing, "passing": _SOUND, "cdk": _CDK, "cloudformation": _CLOUDFORMATION}
    for rule, failing in _FAILING.items()
}
"""As the files in ``explanations/`` have them for the others. Terraform has no templates, so nothing to acknowledge."""
