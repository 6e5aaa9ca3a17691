"""``make destroy`` first says what a deleted environment leaves behind."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from constructs_lib.naming import release_parameter_name, release_path, secret_parameter_name
from stacks.config import EnvironmentConfig
from stacks.environments import ENVIRONMENTS
from stacks.node import use_wheel_node

_KEPT: Final = ("Retain", "RetainExceptOnCreate")


def main(arguments: list[str]) -> int:
    """Prints what stays when the named environment is deleted."""
    names = [environment.name for environment in ENVIRONMENTS]
    if len(arguments) != 1 or arguments[0] not in names:
        sys.stderr.write(f"ENV must be one of {', '.join(names)}, got {' '.join(arguments) or 'nothing'}\n")
        return 2
    (environment,) = (environment for environment in ENVIRONMENTS if environment.name == arguments[0])
    sys.stdout.write(f"Deleting {environment.name} leaves behind, on purpose:\n")
    sys.stdout.writelines(f"  {line}\n" for line in retained(environment))
    sys.stdout.write(
        "A repository that is left has its name still: to deploy this environment again, first take it back with\n"
        f"  cdk import '{environment.name}/images'\n"
        "or, when its images are not needed any more, delete it with\n"
        "  aws ecr delete-repository --force --repository-name <name>\n"
        "So has the log of events: take it back with\n"
        f"  cdk import '{environment.name}/observability'\n"
        "or delete it with\n"
        "  aws logs delete-log-group --log-group-name <name>\n"
    )
    if environment.status_page is not None:
        sys.stdout.write(
            "And the bucket of the status page, with what people wrote: take it back with\n"
            f"  cdk import '{environment.name}/status'\n"
            "or empty it, with all its versions, and delete it.\n"
        )
    return 0


def retained(environment: EnvironmentConfig, environments: Sequence[EnvironmentConfig] = ENVIRONMENTS) -> Iterator[str]:
    """What CloudFormation keeps when the environment's stacks are deleted, and what it never owned.

    All ``environments`` are synthesized, for one may take its images from another.
    """
    use_wheel_node()
    from stacks.application import application

    with tempfile.TemporaryDirectory() as folder:
        application(environments, checked=False, outdir=folder).synth()
        for manifest in sorted(Path(folder, f"assembly-{environment.name}").rglob("manifest.json")):
            for artifact in json.loads(manifest.read_text())["artifacts"].values():
                if artifact["type"] == "aws:cloudformation:stack":
                    properties = artifact["properties"]
                    template = json.loads((manifest.parent / properties["templateFile"]).read_text())
                    yield from _kept(properties["stackName"], template["Resources"])
    names = (environment.application, environment.name)
    for service in environment.services:
        yield f"AWS::SSM::Parameter: {release_parameter_name(*names, service.name)}"
        yield f"AWS::SSM::Parameter: {release_path(*names, service.name)}/…, the ledger"
        for setting in service.secrets:
            yield f"AWS::SSM::Parameter: {secret_parameter_name(*names, service.name, setting)}"


def _kept(stack: str, resources: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What has no name of its own is called after its stack and logical id by CloudFormation."""
    for logical_id, resource in resources.items():
        if resource.get("DeletionPolicy") in _KEPT:
            properties = resource.get("Properties", {})
            name = properties.get("RepositoryName") or properties.get("BucketName") or properties.get("LogGroupName")
            yield f"{resource['Type']}: {_text(name) if name else f'{stack}-{logical_id}-…'}"


def _text(value: Any) -> str:
    """A name as a person reads it, where CloudFormation joins it of parts."""
    if isinstance(value, dict) and "Fn::Join" in value:
        return "".join(_text(part) for part in value["Fn::Join"][1])
    return f"<{value['Ref']}>" if isinstance(value, dict) and "Ref" in value else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
