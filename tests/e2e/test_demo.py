"""``make demo`` as a person runs it, with credentials in the environment that must not be used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_cloud import control

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_SESSION_TOKEN": "example",
    "AWS_PROFILE": "somebody-elses",
    "AWS_ENDPOINT_URL": "https://192.0.2.1",
    "HTTPS_PROXY": "http://192.0.2.1:9",
    "CDK_DEFAULT_ACCOUNT": "999999999999",
}


def run(state: Path) -> str:
    """One run of the demo; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "demo", "--state-dir", str(state)],
        cwd=ROOT,
        env={**os.environ, **HOSTILE, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_demo_runs_twice_and_never_asks_aws(tmp_path: Path) -> None:
    """Both environments come up whatever credentials there are; a second run deploys nothing and shows the same."""
    try:
        first = run(tmp_path)
        second = run(tmp_path)
    finally:
        assert control.stop(tmp_path)
    for environment, tasks in (("staging", 2), ("production", 3)):
        assert f"shop/{environment}/web, 1 image(s)" in first
        assert f"shop--{environment}--web" in first
        assert f"{tasks} of {tasks} run" in first
    assert first.count("sha256:") == 2
    assert "Bringing the services up by digest" in first
    assert "Bringing the services up by digest" not in second
    assert _tables(first) == _tables(second)
    log = (tmp_path / "cdk.log").read_text()
    assert log.count("(no changes)") >= 10


def _tables(printed: str) -> list[str]:
    return [line for line in printed.splitlines() if line.startswith("│")]
