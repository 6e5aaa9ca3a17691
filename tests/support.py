"""What the tests of several slices share: reading templates, judging error sentences, and a child without CDK."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ec2 as ec2

Template = dict[str, Any]
ROOT = Path(__file__).parents[1]
REGION = "eu-west-1"
DIGEST = "sha256:" + "a1" * 32
TOKEN = "${Token[AWS.Region.4]}"


def all_flags() -> dict[str, Any]:
    """CDK's recommended feature flags, as cdk.json has them."""
    return dict(json.loads((ROOT / "cdk.json").read_text())["context"])


FLAG_SETS = [pytest.param({}, id="no flags"), pytest.param(all_flags(), id="all flags")]
"""Contexts of an app, for fixtures that are made with each: our constructs must hold in other people's apps."""


def stack(app: App | None = None, name: str = "Stack", region: str | None = REGION) -> Stack:
    """A stack whose account is not known, as in an app that runs in any account."""
    return Stack(App() if app is None else app, name, env=Environment(region=region))


def vpc(scope: Stack) -> ec2.IVpc:
    """A VPC of somebody else: nothing is made for it, so that a synthesis stays cheap."""
    return ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=[f"{REGION}a", f"{REGION}b"],
        private_subnet_ids=["subnet-private-a", "subnet-private-b"],
        public_subnet_ids=["subnet-public-a", "subnet-public-b"],
    )


def synthesize(of: Stack) -> Template:
    """The template of a stack, as CloudFormation gets it."""
    root = of.node.root
    assert isinstance(root, App)
    template: Template = root.synth().get_stack_by_name(of.stack_name).template
    return template


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """The properties of all resources of a type, by logical id."""
    return {key: value.get("Properties", {}) for key, value in template["Resources"].items() if value["Type"] == kind}


def only(template: Template, kind: str) -> dict[str, Any]:
    """The properties of the one resource of a type."""
    (properties,) = of_type(template, kind).values()
    return properties


def listed(value: Any) -> list[Any]:
    """IAM writes a list of one as its only member."""
    return value if isinstance(value, list) else [value]


def statements(template: Template, role: str) -> list[dict[str, Any]]:
    """Every statement that a role has: its own, and those of policies attached to it."""
    documents = [policy["PolicyDocument"] for policy in template["Resources"][role]["Properties"].get("Policies", [])]
    documents += [
        policy["PolicyDocument"]
        for policy in of_type(template, "AWS::IAM::Policy").values()
        if {"Ref": role} in policy["Roles"]
    ]
    return [statement for document in documents for statement in document["Statement"]]


def refused(make: Callable[[], object], what: str, value: object, allowed: str) -> str:
    """Asserts that ``make`` fails with one sentence: what, the value, what is allowed, the fix. Returns the fix."""
    with pytest.raises(ValueError, match=" must be ") as error:
        make()
    text = str(error.value)
    start, got, fix = text.partition(f", got {value!r}; ")
    assert got, f"the sentence does not show the value {value!r}: {text}"
    assert start.startswith(f"{what} must be "), text
    assert allowed in start.removeprefix(f"{what} must be "), text
    assert len(fix.split()) >= 2, f"the sentence names no fix: {text}"
    assert "\n" not in text
    return fix


def run_without_cdk(code: str) -> str:
    """Runs code that must raise ValueError in a child, and asserts that neither CDK nor Node's bridge was loaded."""
    indented = "\n".join("    " + line for line in code.strip().splitlines())
    program = (
        "import sys\n"
        f"try:\n{indented}\n"
        "except ValueError as error: print(error)\n"
        "else: sys.exit('nothing was refused')\n"
        "loaded = {'aws_cdk', 'jsii', 'constructs'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {loaded}' if loaded else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def containers(template: Template) -> dict[str, dict[str, Any]]:
    """The containers of the one task definition, by name."""
    return {made["Name"]: made for made in only(template, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]}


def references(value: Any) -> set[str]:
    """The logical ids that a part of a template refers to."""
    if isinstance(value, list):
        return set().union(*(references(item) for item in value))
    if not isinstance(value, dict):
        return set()
    if set(value) == {"Ref"}:
        return {value["Ref"]}
    if set(value) == {"Fn::GetAtt"}:
        return {value["Fn::GetAtt"][0]}
    return references(list(value.values()))
