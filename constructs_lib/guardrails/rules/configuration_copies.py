"""T2: what a new task has to start from when AppConfig is down: a copy in S3, or a volume that outlives the task."""

from __future__ import annotations

import re
from typing import Final

from constructs_lib.guardrails.rule import Fault
from constructs_lib.guardrails.rules.ecs import containers, name_of
from constructs_lib.guardrails.rules.principals import ROLE, policies_of
from constructs_lib.guardrails.rules.written import marked, matches, written
from constructs_lib.guardrails.templates.node import Node, NotKnown

_BACKUP: Final = "BACKUP_DIRECTORY"
_COPY: Final = "MOORINGS_CONFIG_COPY"
_ABOUT: Final = re.compile("config|setting|flag", re.IGNORECASE)
_OBJECT: Final = re.compile(r"s3://[^/]+/(.*[^/])", re.DOTALL)
_READERS: Final = frozenset(
    ("AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess", "AmazonS3FullAccess", "AmazonS3ReadOnlyAccess")
)
"""AWS's policies that let an object be read: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/"""


def no_copy(agent: Node) -> Fault | None:
    """T2b. A copy in S3 is read when it is needed; a volume of EFS must be mounted, or no task starts.

    What may have a copy in S3, as far as a template can show it, is not known to have none.
    """
    doubt: NotKnown | None = None
    try:
        if _is_told(agent):
            return None
    except NotKnown as unknown:
        doubt = unknown
    fault = _no_backup(agent)
    if fault is not None and doubt is not None:
        raise doubt
    return fault


def _is_told(agent: Node) -> bool:
    """Whether a container of the task is told of an object in S3 under a name that speaks of configuration.

    Raises:
        NotKnown: it is told of one under another name, or may read S3 at least.
    """
    task_definition = Node.of(agent.world, agent.resource)
    doubt: NotKnown | None = None
    for container in containers(task_definition):
        for variable in container.get("Environment").items():
            try:
                name, value = variable.get("Name").text() or "", variable.get("Value")
            except NotKnown:
                continue
            answer = _points_to_s3(name, value)
            if answer and _ABOUT.search(name):
                return True
            if answer is not False:
                doubt = doubt or NotKnown(value, "the application may have a copy of its configuration there")
    if doubt is not None:
        raise doubt
    _reads_nothing(task_definition.get("Properties", "TaskRoleArn"))
    return False


def _points_to_s3(name: str, value: Node) -> bool | None:
    """Whether a variable is the place of an object in S3; None where that of a copy is not known."""
    try:
        return _OBJECT.fullmatch(value.shape() or "") is not None
    except NotKnown:
        return None if name == _COPY else False


def _reads_nothing(arn: Node) -> None:
    """Passes when the task's role surely may not read an object of S3, or is none.

    Raises:
        NotKnown: it may, or is not in the templates.
    """
    if not arn.given:
        return
    role = arn.target()
    if role is None or role.type != ROLE:
        raise NotKnown(arn, "the role of the task is not in these templates, and may read a copy in S3")
    policies = policies_of(Node.of(arn.world, role))
    may = NotKnown(arn, f"role {role.logical_id!r} may read a copy in S3")
    if policies.unknown or any(name in _READERS for name, _ in policies.managed):
        raise may
    for document in policies.documents:
        for statement in document.get("Statement").items():
            if statement.get("Effect").text() == "Allow" and _names_reading(statement):
                raise may


def _names_reading(statement: Node) -> bool:
    if statement.get("NotAction").given:
        return True
    texts = [(written(action) or "").lower() for action in statement.get("Action").items()]
    return any(marked(text) or matches(text, "s3:getobject") for text in texts)


def _no_backup(agent: Node) -> Fault | None:
    """The agent reads its backups back when it cannot reach AppConfig.

    https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-integration-containers-agent-configuring.html
    """
    directory = _directory(agent)
    path = None if directory is None else directory.text()
    if directory is None or not path:
        return Fault(agent.get("Environment"), f"{name_of(agent)} has no {_BACKUP}, and nothing tells of a copy in S3")
    mounts = agent.get("MountPoints").items()
    if agent.get("VolumesFrom").given or any(_outlives_the_task(mount, path.rstrip("/")) for mount in mounts):
        return None
    where = "on a disk that goes with the task, and nothing tells of a copy in S3"
    return Fault(directory, f"{name_of(agent)} backs up to {path[:60]!r}, {where}")


def _directory(agent: Node) -> Node | None:
    for variables in (agent.get("Environment"), agent.get("Secrets")):
        for variable in variables.items():
            if variable.get("Name").text() == _BACKUP:
                return variable.get("Value")
    if agent.get("EnvironmentFiles").given:
        raise NotKnown(agent.get("EnvironmentFiles"), "the files are in S3")
    return None


def _outlives_the_task(mount: Node, path: str) -> bool:
    """Whether a mount point holds a path, on a volume that the next task finds again."""
    if not f"{path}/".startswith(f"{(mount.get('ContainerPath').text() or '').rstrip('/')}/"):
        return False
    name = mount.get("SourceVolume").text()
    for volume in Node.of(mount.world, mount.resource).get("Properties", "Volumes").items():
        if volume.get("Name").text() == name:
            kept = {key for key, _ in volume.entries()} - {"Name", "Host", "ConfiguredAtLaunch"}
            return bool(kept) or volume.get("Host", "SourcePath").given
    return False
