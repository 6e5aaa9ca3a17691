"""The hook for pre-commit and the workflow for GitHub, as a team would use them, without network."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.guardrails.sarif import complaints
from tests.guardrails.test_command import BAD, GOOD

ROOT = Path(__file__).resolve().parents[2]
GIT = shutil.which("git") or "git"
WORKFLOW = ROOT / "docs" / "examples" / "github-actions.yml"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables of a machine whose PATH has ``moorings`` and little else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "moorings"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m constructs_lib.ops "$@"\n')
    script.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with no file yet."""
    folder = tmp_path / "repository"
    folder.mkdir()
    subprocess.run([GIT, "init", "--quiet", folder], check=True)
    return folder


def add(repository: Path, name: str, text: str) -> None:
    """Puts a file into the repository's index."""
    path = repository / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    subprocess.run([GIT, "-C", repository, "add", name], check=True)


def hook() -> dict[str, Any]:
    """The hook as pre-commit reads it."""
    (found,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert isinstance(found, dict)
    return found


def commit(repository: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """What pre-commit does with the hook: its entry, ``args`` and the files of the index that its expression finds."""
    names = subprocess.run(
        [GIT, "-C", repository, "ls-files"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    chosen = [name for name in names if re.search(hook()["files"], name)]
    command = [*shlex.split(hook()["entry"]), *arguments, *chosen]
    return subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, check=False)


def test_the_hook_is_what_pre_commit_takes() -> None:
    """Its keys are pre-commit's, and its entry is the command that the distribution installs."""
    found = hook()
    assert found.keys() <= {"id", "name", "description", "entry", "language", "files", "types", "require_serial"}
    assert (found["id"], found["language"], found["types"]) == ("moorings-check", "python", ["text"])
    assert found["require_serial"] is True
    assert 'moorings = "constructs_lib.ops.cli:main"' in (ROOT / "pyproject.toml").read_text()
    assert shlex.split(found["entry"])[0] == "moorings"


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("template.yaml", True),
        ("template.yml", True),
        ("infrastructure/template.json", True),
        ("web.template", True),
        ("web.template.json", True),
        ("web-template.yaml", True),
        ("a/b/my_template.yml", True),
        ("cloudformation/web.yaml", True),
        ("deploy/cfn/nested/web.json", True),
        ("values.yaml", False),
        ("package.json", False),
        ("templates/deployment.yaml", False),
        ("mytemplate.yaml", False),
        ("template.yaml.j2", False),
        ("commit-template", False),
        ("cloudformation/README.md", False),
    ],
)
def test_the_hook_chooses_what_is_named_like_a_template(name: str, chosen: bool) -> None:
    """A file that is no template would be an unusable input, so Helm's templates and others are left alone."""
    assert bool(re.search(hook()["files"], name)) is chosen


def test_the_hook_stops_a_commit_with_a_bad_template(repository: Path, environment: dict[str, str]) -> None:
    """With a good one it lets it pass, beside files that are no templates."""
    add(repository, "package.json", "{}")
    add(repository, "stacks/topic.template.yaml", GOOD)
    done = commit(repository, environment)
    assert (done.returncode, done.stderr) == (0, "")
    add(repository, "cloudformation/task.yaml", BAD)
    done = commit(repository, environment)
    assert (done.returncode, done.stderr) == (1, "")
    assert "cloudformation/task.yaml:13  error  MOOR-W2b  Task: " in done.stdout.replace("\n   ", " ")


def test_the_hook_lets_ordinary_files_pass(repository: Path, environment: dict[str, str]) -> None:
    """Parameters beside templates are none, so a commit of them alone has nothing to be judged."""
    add(repository, "cfn/params.json", '[{"ParameterKey": "Environment", "ParameterValue": "staging"}]')
    done = commit(repository, environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0 templates: nothing was judged.\n", "")


def test_the_hook_takes_parameters_that_this_commit_has_no_use_for(
    repository: Path, environment: dict[str, str]
) -> None:
    """A team gives them once for all its templates, and a commit has some of those."""
    add(repository, "cfn/task.yaml", BAD)
    assert commit(repository, environment, "--parameter", "Mode=non-blocking").returncode == 0
    (repository / "cfn/task.yaml").unlink()
    add(repository, "cfn/topic.yaml", GOOD)
    subprocess.run([GIT, "-C", repository, "rm", "--quiet", "--cached", "cfn/task.yaml"], check=True)
    done = commit(repository, environment, "--parameter", "Mode=non-blocking")
    assert (done.returncode, done.stderr) == (
        0,
        "moorings: --parameter Mode is of no use here: no template that was judged has it\n",
    )


def test_the_page_configures_this_hook() -> None:
    """What the documents show for ``.pre-commit-config.yaml`` names the hook that there is, and a revision."""
    page = (ROOT / "docs" / "commands.md").read_text()
    (block,) = re.findall(r"^```yaml\n(repos:\n.*?)^```", page, re.MULTILINE | re.DOTALL)
    (entry,) = yaml.safe_load(block)["repos"]
    assert entry.keys() == {"repo", "rev", "hooks"}
    assert [one["id"] for one in entry["hooks"]] == [hook()["id"]]


def steps() -> list[dict[str, Any]]:
    """The workflow's steps."""
    found: list[dict[str, Any]] = yaml.safe_load(WORKFLOW.read_text())["jobs"]["check"]["steps"]
    return found


@pytest.mark.parametrize(("text", "code", "found"), [(GOOD, 0, False), (BAD, 1, True), ("Resources: {", 2, False)])
def test_the_workflows_steps_make_what_it_uploads(
    text: str, code: int, found: bool, repository: Path, environment: dict[str, str]
) -> None:
    """Whatever the check ends with, the file to upload is valid SARIF about this repository."""
    add(repository, "stacks/web.yaml", text.replace("Resources: {", "Resources: {  # AWS::"))
    codes = []
    for command in (step["run"] for step in steps() if "run" in step):
        if command.startswith("python -m pip install "):
            continue  # the environment stands for it; tests/docs/test_wheel.py tries the installation
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command]  # as GitHub runs a step
        codes.append(
            subprocess.run(shell, cwd=repository, env=environment, check=False, capture_output=True).returncode
        )
    assert codes == [code]
    log = (repository / "moorings.sarif").read_text()
    assert complaints(log) == []
    assert ('"uri": "stacks/web.yaml"' in log) is found
    assert ('"ruleId": "MOOR-W2b"' in log) is found


def test_the_workflow_uploads_what_was_made_even_after_findings() -> None:
    """The upload runs after a step that failed, takes the file that was written, and may write it."""
    workflow = yaml.safe_load(WORKFLOW.read_text())
    upload = steps()[-1]
    assert upload["uses"].startswith("github/codeql-action/upload-sarif@")
    assert upload["if"] == "${{ !cancelled() }}"
    assert workflow["permissions"]["security-events"] == "write"
    assert f"> {upload['with']['sarif_file']}" in steps()[-2]["run"]
