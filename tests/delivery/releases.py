"""A release, as the tests of its constructs describe it, and a way to run the buttons' shell without AWS."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from constructs_lib.delivery.settings import DeliverySettings, Upstream
from tests.delivery.support import allowed
from tests.stacks.iam import text
from tests.support import Template

ACCOUNT = "111122223333"
OTHER = "444455556666"
SCRIPTS = Path(__file__).parents[2] / "constructs_lib" / "delivery"
UPSTREAM = Upstream(environment="staging", account=ACCOUNT, region="eu-west-1", repository="shop/staging/web")
ACROSS = replace(UPSTREAM, account=OTHER, reader_role=f"arn:aws:iam::{OTHER}:role/shop--staging--reader")
SETTINGS = DeliverySettings(
    application="shop",
    environment="production",
    service="web",
    account=ACCOUNT,
    region="eu-west-1",
    stack="shop--production--services",
    role=f"arn:aws:iam::{ACCOUNT}:role/shop--production--release",
    cluster="cluster",
    ecs_service="service",
    target_group=f"arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:targetgroup/web/1",
    repository="shop/production/web",
    platform="linux/arm64",
    upstream=UPSTREAM,
)


def arn(service: str, resource: str, account: str = ACCOUNT) -> str:
    """An ARN in the tests' region."""
    return f"arn:aws:{service}:eu-west-1:{account}:{resource}"


def rights(template: Template, role: str, *, but: tuple[str, ...] = ("logs:", "s3:")) -> set[tuple[str, str]]:
    """What a role may do, each action with its resource as text; without those of some services."""
    return {(action, plain(resource)) for action, resource in allowed(template, role) if not action.startswith(but)}


def plain(value: Any) -> str:
    """A value as text, in AWS's usual partition."""
    return text(value).replace("<AWS::Partition>", "aws")


def run_button(script: str, folder: Path, answer: str = "", **variables: str) -> tuple[int, list[str] | None, str]:
    """Runs a button's script with a ``python3`` that only writes down what it is asked.

    Returns the exit code, the arguments of the command (None when it was not started), and what was said.
    """
    programs, source, asked = folder / "bin", folder / "source", folder / "asked.json"
    programs.mkdir()
    source.mkdir()
    (source / "naming.py").write_text("")
    (folder / "answer").write_text(answer)
    real = Path(os.__file__).parents[2] / "bin" / "python3"
    (programs / "python3").write_text(
        "#!/bin/bash\n"
        f'if [[ "$1" != -m ]]; then exec {real} "$@"; fi\n'
        f'{real} -c \'import json, os, sys; json.dump([*sys.argv[1:], os.environ["PYTHONPATH"] == os.getcwd(), '
        f'os.path.exists("constructs_lib/naming.py")], open("{asked}", "w"))\' "$@"\n'
        f"cat {folder / 'answer'}\n"
    )
    (programs / "python3").chmod(0o755)
    environment = {
        "PATH": f"{programs}:/usr/bin:/bin",
        "TMPDIR": str(folder),
        "CODEBUILD_SRC_DIR": str(source),
        "RESULT": str(folder / "result"),
        **variables,
    }
    done = subprocess.run(
        ["/bin/bash", str(SCRIPTS / script)], cwd=source, env=environment, capture_output=True, text=True, check=False
    )
    words: list[Any] | None = json.loads(asked.read_text()) if asked.exists() else None
    if words is not None:
        *words, path_is_folder, package_is_there = words
        assert path_is_folder
        assert package_is_there
    return done.returncode, words, done.stdout + done.stderr
