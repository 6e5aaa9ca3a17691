"""What users install: the wheel, in an environment that has nothing else of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The distribution, built from this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def installed(wheel: Path, folder: Path, extra: str = "") -> Path:
    """The Python of a fresh environment with the wheel, in the versions that this project pins."""
    uv = str(Path(sys.executable).with_name("uv"))
    # A busy machine or a slow index is no failure: uv tries again.
    patience = {"UV_HTTP_RETRIES": "8", "UV_HTTP_TIMEOUT": "60", "UV_HTTP_CONNECT_TIMEOUT": "30"}
    environment = {**os.environ, "UV_COMPILE_BYTECODE": "0", **patience}
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True, env=environment)
    pinned = ["--constraints", str(ROOT / "requirements.txt")]
    install = [uv, "pip", "install", "--quiet", "--python", str(folder), *pinned, f"{wheel}{extra}"]
    subprocess.run(install, check=True, env=environment)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and its ``cdk`` extra."""
    return installed(wheel, tmp_path_factory.mktemp("fresh") / "venv", "[cdk]")


@pytest.fixture(scope="module")
def alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and what it needs by itself."""
    return installed(wheel, tmp_path_factory.mktemp("alone") / "venv")


def test_the_wheel_carries_what_runs_elsewhere(wheel: Path) -> None:
    """Build script and Lambda code are in the wheel; app, tests and local cloud are not."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {"constructs_lib/delivery/build.sh", "constructs_lib/delivery/runtime/handler.py"} <= set(names)
    assert {"constructs_lib/py.typed", "constructs_lib/guardrails/explanations/MOOR-W2b.yaml"} <= set(names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"constructs_lib", "moorings"}


def test_the_base_install_needs_no_cdk(wheel: Path) -> None:
    """Without an extra the wheel depends on PyYAML only: the rules and the pure modules are for everybody."""
    metadata = next(name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("METADATA"))
    required = [
        line
        for line in zipfile.ZipFile(wheel).read(metadata).decode().splitlines()
        if line.startswith("Requires-Dist") and "extra ==" not in line
    ]
    assert required == ["Requires-Dist: pyyaml>=6"]


def test_the_command_line_says_what_it_needs(wheel: Path) -> None:
    """The extra ``ops`` brings what ``moorings`` loads, and nothing else."""
    archive = zipfile.ZipFile(wheel)
    metadata = next(name for name in archive.namelist() if name.endswith("METADATA"))
    required = [line for line in archive.read(metadata).decode().splitlines() if line.endswith("extra == 'ops'")]
    assert {line.split()[1].split(">")[0].lower() for line in required} == {"boto3", "rich"}


def test_the_command_is_installed_and_checks_a_policy_without_its_extra(python: Path, tmp_path: Path) -> None:
    """``moorings`` and ``python -m constructs_lib.ops`` judge a JSON file in an environment without boto3 and rich."""
    policy = tmp_path / "policy.json"
    rule = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10}
    policy.write_text(json.dumps({"rules": [{"rulePriority": 1, "selection": rule, "action": {"type": "expire"}}]}))
    for command in ([python.with_name("moorings")], [python, "-m", "constructs_lib.ops"]):
        done = subprocess.run(
            [*command, "images", "check", policy], cwd=tmp_path, env={}, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (1, "")
        assert "an image in use tagged pin-0, then 10 newer ones" in done.stdout
        refused = subprocess.run(
            [*command, "verify", "web"], cwd=tmp_path, env={}, capture_output=True, text=True, check=False
        )
        assert refused.returncode == 2
        assert refused.stderr.endswith("which is not installed; install 'moorings[ops]'\n")


TEMPLATE = """\
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: web
          Image: web@sha256:0000000000000000000000000000000000000000000000000000000000000000
          LogConfiguration: {LogDriver: awslogs, Options: {mode: blocking}}
"""


def test_a_stranger_checks_a_template_with_nothing_but_the_wheel(alone: Path, tmp_path: Path) -> None:
    """One command, without CDK and boto3, names the line, the incident and the fix; rules can be explained, too."""
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    absent = "import importlib.util as u; print([n for n in ('aws_cdk', 'boto3', 'jsii', 'rich') if u.find_spec(n)])"
    found = subprocess.run([alone, "-c", absent], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
    for command in ([str(alone.with_name("moorings")), "check"], [str(alone), "-m", "constructs_lib.guardrails"]):
        done = subprocess.run(
            [*command, "template.yaml"], cwd=tmp_path, env={}, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (1, "")
        assert "template.yaml:8  error  MOOR-W2b" in done.stdout
        assert "Properties/ContainerDefinitions/0/LogConfiguration/Options/mode" in done.stdout
        assert "WebORCA, March 2025" in done.stdout
        assert "Fix: Set the log option mode to non-blocking" in done.stdout
        told = subprocess.run([*command, "--explain", "W2b"], cwd=tmp_path, env={}, capture_output=True, check=True)
        assert b"## Passes\n\n```yaml\nResources:\n" in told.stdout


@pytest.mark.parametrize("flags", ["none", "all"])
def test_every_example_synthesizes_in_somebody_elses_app(flags: str, python: Path, tmp_path: Path) -> None:
    """Each example uses one construct in a stack that is not ours, with none of CDK's feature flags and with all."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"] if flags == "all" else {}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "JSII_NODE": os.environ["JSII_NODE"],
        "CDK_VALIDATION": "false",
        "CDK_CONTEXT_JSON": json.dumps(context),
    }
    program = "import runpy, sys\nfor path in sys.argv[1:]: runpy.run_path(path, run_name='__main__'); print(path)"
    done = subprocess.run(
        [python, "-c", program, *map(str, EXAMPLES)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == [str(path) for path in EXAMPLES]
    assert len(EXAMPLES) >= 7
