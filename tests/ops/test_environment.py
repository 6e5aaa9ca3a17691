"""These tests see no AWS, whatever others of the session have put into the environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SEES_AWS = "test_images_verify.py::test_json_without_yes_has_exactly_this_shape"
FINDS_NO_REGION = "test_outside.py::test_what_boto3_misses_has_a_fix"


@pytest.mark.parametrize("test", [SEES_AWS, FINDS_NO_REGION], ids=["endpoint", "region"])
def test_a_local_cloud_of_the_session_does_not_leak_in(test: str) -> None:
    """With a local cloud's variables set, the clients made for the whole session and those of one test are AWS's."""
    around = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_REGION": "eu-west-3", "AWS_ACCESS_KEY_ID": "test"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/ops/{test}"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **around}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
