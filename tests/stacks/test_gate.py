"""The gate of ``make synth``: it passes the app, and it stops what it is for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stacks import gate

ROOT = Path(__file__).resolve().parents[2]


def write(folder: Path, template: dict[str, object]) -> Path:
    """A folder that looks like an assembly with one template."""
    (folder / "x.template.json").write_text(json.dumps(template))
    return folder


def role(statement: dict[str, object]) -> dict[str, object]:
    """A template with one role that has one statement."""
    policy = {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    properties = {"AssumeRolePolicyDocument": trust, "Policies": [policy]}
    return {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}}


def printed_by(folder: Path, module: str, *words: str) -> str:
    """What a module prints in a process of its own, where CDK's validation is on; it must end well."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", module, *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_all_environments_pass(tmp_path: Path) -> None:
    """Validation, AwsSolutions, cfn-lint and our own checks find nothing in the app, warnings included; and the times
    from a fault to its page (W3), and from a dead task to no traffic (T4), are printed, which is no finding."""
    printed = printed_by(tmp_path, "stacks.gate")
    assert printed.count("OK  ") == 4
    told = [line for line in printed.splitlines() if line.startswith("--  ")]
    for environment, (pages, rotation) in zip(
        ("production", "staging"), zip(told[::2], told[1::2], strict=True), strict=True
    ):
        assert pages.startswith(f"--  {environment}/services: {environment}: seconds from a fault to its page. ")
        assert rotation == (
            f"--  {environment}/services/web: web: a dead task is out of rotation after at most 35 s; "
            "a new one is in rotation at most 85 s after its start"
        )
    report = json.loads((tmp_path / "cdk.out" / "validation-report.json").read_text())
    assert {plugin["pluginName"] for plugin in report["pluginReports"]} >= {
        "CloudFormation Validate",
        "AwsSolutions",
        "Moorings",
    }


@pytest.mark.parametrize(
    ("which", "findings"),
    [
        ("variants", []),
        ("two-accounts", []),
        ("plain-http", ["Annotation::moorings:plain-http: staging answers the internet over plain HTTP; "]),
    ],
)
def test_other_environments_pass_too(which: str, findings: list[str], tmp_path: Path) -> None:
    """A domain, an existing VPC, no NAT gateway, two accounts and pipelines bring no finding; plain HTTP for
    the internet brings one."""
    found = printed_by(tmp_path, "tests.stacks.variants", which, str(tmp_path / "out")).splitlines()
    assert len(found) == len(findings)
    assert all(line.startswith(start) for line, start in zip(found, findings, strict=True))


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ({"Effect": "Allow", "Action": "ecr:PutImage", "Resource": "*"}, "Role allows ecr:PutImage on '*'"),
        ({"Effect": "Allow", "Action": ["ecr:GetAuthorizationToken", "s3:GetObject"], "Resource": "*"}, "s3:GetObject"),
        ({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::x"}, "s3:*"),
        ({"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}, None),
        ({"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*"}, "cloudwatch:PutMetricData"),
        (
            {
                "Effect": "Allow",
                "Action": "cloudwatch:PutMetricData",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalTag/a": "b"}},
            },
            "cloudwatch:PutMetricData",
        ),
        (
            {
                "Effect": "Allow",
                "Action": "cloudwatch:PutMetricData",
                "Resource": "*",
                "Condition": {"StringEquals": {"cloudwatch:namespace": "Moorings/Sockets"}},
            },
            None,
        ),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, None),
    ],
)
def test_wildcards(statement: dict[str, object], found: str | None, tmp_path: Path) -> None:
    """A statement on ``*`` is stopped, except for the action that offers nothing else."""
    findings = gate.wildcards(write(tmp_path, role(statement)))
    assert len(findings) == (found is not None)
    assert found is None or found in findings[0]


def test_cfn_lint_judges(tmp_path: Path) -> None:
    """A template that CloudFormation would refuse is stopped."""
    folder = write(tmp_path, {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"Nope": 1}}}})
    assert any("Nope" in finding for finding in gate.lint(folder))


def test_a_lookup_is_found(tmp_path: Path) -> None:
    """An assembly that would need an account to synthesize is stopped."""
    (tmp_path / "manifest.json").write_text(json.dumps({"missing": [{"key": "availability-zones:account=1"}]}))
    assert len(gate.missing_context(tmp_path)) == 1


def test_a_warning_counts(tmp_path: Path) -> None:
    """What is left in the validation report is stopped, whatever its severity."""
    violation = {"ruleName": "W1", "description": "looks odd", "severity": "warning"}
    report = {"pluginReports": [{"pluginName": "x", "violations": [violation]}]}
    (tmp_path / "validation-report.json").write_text(json.dumps(report))
    assert gate.validation_findings(tmp_path) == ["W1: looks odd"]


def test_no_template_is_no_pass(tmp_path: Path) -> None:
    """An empty folder is an error and not a success."""
    with pytest.raises(FileNotFoundError, match="cdk synth"):
        gate.wildcards(tmp_path)


def test_no_manifest_of_the_app_misses_a_value(assembly: Path) -> None:
    """The app needs no look-up, so it synthesizes without an account."""
    assert list(assembly.rglob("manifest.json"))
    assert gate.missing_context(assembly) == []
