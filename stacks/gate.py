"""``make synth``: synthesizes all environments and lets nothing pass that a reviewer should have seen.

Our own rules, CDK's CloudFormation validation and cdk-nag's AwsSolutions judge while the app is synthesized; a warning
counts like an error. Then cfn-lint judges every template, no look-up may remain, and every IAM statement names its
resources.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from stacks.node import use_wheel_node

Template: TypeAlias = Mapping[str, object]

ON_ANY_RESOURCE: Final = {
    "ecr:GetAuthorizationToken": "logs in to the registry; the service offers no resource for it",
    **dict.fromkeys(
        (
            *("ecs:DescribeTaskDefinition", "ecs:ListClusters", "ecs:ListServices"),
            *("ecs:ListTaskDefinitionFamilies", "ecs:ListTaskDefinitions"),
            *("events:ListEventBuses", "events:ListRuleNamesByTarget", "events:ListRules"),
            *("scheduler:ListSchedules", "states:ListStateMachines"),
        ),
        "the guard of images in use only reads with it; the service offers no resource for it",
    ),
    "ecs:ListTasks": "as those; a list by cluster is authorized on *, whatever the reference says",
    **dict.fromkeys(
        (
            *("application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScheduledActions"),
            *("ecs:DeregisterTaskDefinition", "elasticloadbalancing:DescribeTargetHealth"),
        ),
        "a release needs it; the service offers no resource for it",
    ),
    **dict.fromkeys(
        (
            *("elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules"),
            "elasticloadbalancing:DescribeTargetGroups",
        ),
        "ECS reads with it before it shifts requests; the service offers no resource for it",
    ),
    "cloudwatch:DescribeAlarms": "status page and messages read composite alarms with it, which are given for * only",
    "cloudwatch:GetMetricData": "sockets are compared with those before a release; the service offers no resource",
    "cloudwatch:PutMetricData": "a task tells of its sockets; the service offers a condition on the namespace instead",
}
"""Actions that may be allowed on ``*``, and why. Nothing else may."""

ONLY_WITH: Final = {
    "cloudwatch:PutMetricData": "cloudwatch:namespace",
    "cloudwatch:DescribeAlarms": "aws:RequestedRegion",
}
"""The condition without which even those may not."""

LINT_IGNORED: Final = {
    "W3005": "CDK writes DependsOn beside a GetAtt that implies it; it does no harm",
    "W3010": "availability zones are named on purpose; see stacks/acknowledged.py",
}
"""Rules of cfn-lint that are not ours to follow, and why."""


_ACK: Final = re.compile(r" \[ack: [^\]]*\]$")
"""By which CDK knows what is acknowledged."""


def main() -> int:
    """Runs all checks, prints what each found, and returns the exit code."""
    use_wheel_node()
    from stacks.application import application
    from stacks.environments import ENVIRONMENTS

    folder = Path("cdk.out")
    application(ENVIRONMENTS, outdir=str(folder)).synth()
    failed = False
    for title, findings in (
        ("the rules, CloudFormation validation and AwsSolutions", validation_findings(folder)),
        ("nothing left to look up", missing_context(folder)),
        ("IAM statements name their resources", wildcards(folder)),
        ("cfn-lint", lint(folder)),
    ):
        sys.stdout.write(f"{'NG' if findings else 'OK'}  {title}\n" + "".join(f"    {line}\n" for line in findings))
        failed = failed or bool(findings)
    sys.stdout.write("".join(f"--  {line}\n" for line in information(folder)))
    return int(failed)


def templates(folder: Path) -> list[Path]:
    """All templates of an assembly and of its stages."""
    found = sorted(folder.rglob("*.template.json"))
    if not found:
        raise FileNotFoundError(f"no template in {folder}; run `cdk synth` first")
    return found


def validation_findings(folder: Path) -> list[str]:
    """What the validation report of a synthesis still holds, warnings too."""
    report = folder / "validation-report.json"
    if not report.exists():
        return []
    content = json.loads(report.read_text())
    return [
        f"{violation['ruleName']}: {violation['description']}"
        for plugin in content["pluginReports"]
        for violation in plugin["violations"]
    ]


def information(folder: Path) -> list[str]:
    """What constructs tell whoever synthesizes, such as how soon a dead task gets no traffic; no findings."""
    return [
        f"{construct.removeprefix('/')}: {_ACK.sub('', entry['data'])}"
        for path in sorted(folder.rglob("*.metadata.json"))
        for construct, entries in json.loads(path.read_text()).items()
        for entry in entries
        if entry["type"] == "aws:cdk:info"
    ]


def missing_context(folder: Path) -> list[str]:
    """Values that CDK would have to look up in an account."""
    return [
        f"{manifest}: {item['key']}"
        for manifest in sorted(folder.rglob("manifest.json"))
        for item in json.loads(manifest.read_text()).get("missing", [])
    ]


def wildcards(folder: Path) -> list[str]:
    """Statements of identity policies that allow on ``*`` what could name a resource, and actions with a ``*``."""
    return [
        f"{path.name}: {logical_id} allows {action} on {resource!r}"
        for path in templates(folder)
        for logical_id, statement in identity_statements(json.loads(path.read_text()))
        for action in _listed(statement.get("Action"))
        for resource in _listed(statement.get("Resource"))
        if statement.get("Effect") == "Allow"
        and ("*" in str(action) or (resource == "*" and not _takes_no_resource(action, statement)))
    ]


def _takes_no_resource(action: object, statement: Mapping[str, object]) -> bool:
    return action in ON_ANY_RESOURCE and ONLY_WITH.get(str(action), "") in str(statement.get("Condition"))


def identity_statements(template: Template) -> Iterator[tuple[str, Mapping[str, object]]]:
    """All statements of the template's roles and policies, with the logical id of each."""
    resources = template["Resources"]
    assert isinstance(resources, dict)
    for logical_id, resource in resources.items():
        if not resource["Type"].startswith("AWS::IAM::"):
            continue
        properties = resource["Properties"]
        documents = [properties.get("PolicyDocument"), *(p["PolicyDocument"] for p in properties.get("Policies", ()))]
        for document in documents:
            for statement in document["Statement"] if document else ():
                yield logical_id, statement


def lint(folder: Path) -> list[str]:
    """What cfn-lint says of the templates."""
    program = str(Path(sys.executable).with_name("cfn-lint"))
    options = ("--format", "parseable", "--ignore-checks", *LINT_IGNORED, "--")
    done = subprocess.run(
        [program, *options, *map(str, templates(folder))], capture_output=True, text=True, check=False, timeout=300
    )
    return (done.stdout + done.stderr).splitlines()


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else [value]


if __name__ == "__main__":
    sys.exit(main())
