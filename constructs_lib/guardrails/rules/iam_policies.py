"""To which repositories a principal may push, from all policies of the assembly.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html . A push ends with
``ecr:PutImage``, which needs no other permission when the layers are there already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from constructs_lib.guardrails.rules.written import ANY, END, NAMED, REPOSITORY, marked, matches, own_name, written
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.values import Reference, Text

EVERY_REPOSITORY: Final = "arn:aws:ecr:*:*:repository/*"

MANAGED: Final[Mapping[str, str]] = {
    "AdministratorAccess": EVERY_REPOSITORY,
    "PowerUserAccess": EVERY_REPOSITORY,
    "AmazonEC2ContainerRegistryFullAccess": EVERY_REPOSITORY,
    "AmazonEC2ContainerRegistryPowerUser": EVERY_REPOSITORY,
    "EC2InstanceProfileForImageBuilderECRContainerBuilds": EVERY_REPOSITORY,
    "AmazonSageMakerFullAccess": "arn:aws:ecr:*:*:repository/*sagemaker*",
}
"""AWS's own policies that allow a push (https://docs.aws.amazon.com/aws-managed-policy/latest/reference/)."""

_PUSH: Final = "ecr:putimage"
_WHOLE: Final = ("*", "*:*")
_OPEN: Final = ("AWS::CloudFormation::", "AWS::SSM::", "AWS::ECR::", "AWS::Serverless::Application")
"""Types whose attributes may be ARNs of repositories; those of AWS's other types are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A repository, or a pattern, to which a push is allowed (lesson Q1).

    Args:
        arn: the repository's ARN with marks, a pattern with wildcards, or one mark.
        certain: whether it is allowed for sure; not under a Condition.
        node: where it is said.
        by: the managed policy that allows it, if it is one.
    """

    arn: str
    certain: bool
    node: Node
    by: str = ""

    @property
    def many(self) -> bool:
        """Whether it may be more than one repository."""
        return "*" in self.arn or "?" in self.arn

    @property
    def open(self) -> bool:
        """Whether it may be anything, be it a wildcard."""
        return self.arn.startswith(ANY) or "${" in self.arn


@dataclass(frozen=True, slots=True)
class Rights:
    """What policies allow (lesson Q1).

    Args:
        grants: where a push is allowed.
        unknown: what could not be read.
    """

    grants: Sequence[Grant]
    unknown: Sequence[NotKnown]


def rights(documents: Sequence[Node], managed: Sequence[tuple[str, Node]]) -> Rights:
    """What policy documents and policies of AWS allow together.

    Args:
        documents: policy documents.
        managed: names of AWS's managed policies, and where each is named.
    """
    unknown: list[NotKnown] = []
    grants = [Grant(arn=MANAGED[name], certain=True, node=node, by=name) for name, node in managed if name in MANAGED]
    denials: list[tuple[Node, bool]] = []
    for document in documents:
        try:
            statements = document.get("Statement").items()
        except NotKnown as error:
            unknown.append(error)
            continue
        for statement in statements:
            try:
                certain = _on_push(statement)
                if certain is None:
                    continue
                certain = certain and not statement.get("Condition").given
                effect = statement.get("Effect").text()
                if effect == "Deny":
                    denials.append((statement, certain))
                elif effect == "Allow":
                    grants += _allowed(statement, certain=certain)
            except NotKnown as error:
                unknown.append(error)
    for statement, certain in denials:
        grants = [left for grant in grants for left in _left(grant, statement, certain=certain)]
    return Rights(grants, unknown)


def _on_push(statement: Node) -> bool | None:
    """Whether a statement is about pushing: True for sure, False perhaps, None when it is not."""
    excluded = statement.get("NotAction")
    answers = [_names_push(item) for item in (excluded if excluded.given else statement.get("Action")).items()]
    if excluded.given:
        return None if True in answers else None not in answers
    if True in answers:
        return True
    return False if None in answers else None


def _names_push(action: Node) -> bool | None:
    """Whether it names the action; None when that is not known."""
    text = written(action) or ""
    return None if marked(text) else text in _WHOLE or matches(text.lower(), _PUSH)


def _allowed(statement: Node, *, certain: bool) -> Iterator[Grant]:
    excluded = statement.get("NotResource")
    if excluded.given:
        if EVERY_REPOSITORY not in map(_arn, excluded.items()):
            yield Grant(arn=EVERY_REPOSITORY, certain=certain, node=excluded)
        return
    for item in statement.get("Resource").items():
        arn = _arn(item)
        if arn is not None:
            yield Grant(arn=arn, certain=certain, node=item)


def _left(grant: Grant, denial: Node, *, certain: bool) -> Sequence[Grant]:
    """What a denial leaves of a grant. A pattern that it takes something out of is a pattern still."""
    excepted = denial.get("NotResource")
    try:
        arns = [arn for item in (excepted if excepted.given else denial.get("Resource")).items() if (arn := _arn(item))]
    except NotKnown:
        return [replace(grant, certain=False)]
    covered = any(arn == EVERY_REPOSITORY or matches(arn, grant.arn) for arn in arns)
    if covered != excepted.given:
        if not certain:
            return [replace(grant, certain=False)]
        inner = arns if excepted.given else ()
        return [replace(grant, arn=arn) for arn in inner if matches(grant.arn, arn)]
    return [grant]


def _arn(item: Node) -> str | None:
    """What a Resource says of repositories, as an ARN or a pattern; None when it can be none."""
    first = item.value.parts[0] if isinstance(item.value, Text) else item.value
    if isinstance(first, Reference) and not _may_be_repository(item, first):
        return None
    text = written(item) or ""
    if text.startswith(ANY):
        return text
    parts = text.split(":", 5)
    if len(parts) < 6:
        start, star, _ = text.partition("*")
        near = "arn:aws:ecr:".startswith(start) or start.startswith("arn:aws:ecr:")
        return EVERY_REPOSITORY if star and near else None
    _, _, service, region, account, resource = parts
    kind, slash, name = resource.partition("/")
    if not matches(service, "ecr"):
        return service if marked(service) else None
    if not slash:
        start, star, _ = kind.partition("*")
        kind, name = ("repository", "*") if star and "repository/".startswith(start) else (kind, "")
    if marked(kind):
        return kind[kind.index(ANY) :]
    if not matches(kind, "repository"):
        return None
    return f"arn:aws:ecr:{region}:{account}:repository/{own_name(item, _single(name))}"


def _single(name: str) -> str:
    """No other repository's name begins with one that CloudFormation made up."""
    start = name.split("*")[0]
    return start[: start.rindex(END) + 1] if NAMED in start else name


def _may_be_repository(item: Node, reference: Reference) -> bool:
    resource = item.world.assembly.resource(reference.template, reference.logical_id)
    if resource is None:
        return True
    if resource.type == REPOSITORY:
        return reference.attribute == "Arn"
    return not resource.type.startswith("AWS::") or resource.type.startswith(_OPEN)
