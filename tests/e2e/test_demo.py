"""``make demo`` as a person runs it, with credentials in the environment that must not be used."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
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


def run(state: Path, *words: str, code: int = 0) -> str:
    """One run of the demo; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "demo", *words, "--state-dir", str(state)],
        cwd=ROOT,
        env={**os.environ, **HOSTILE, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, str]]:
    """The local cloud's state after two runs of the demo, and what each printed."""
    state = tmp_path_factory.mktemp("demo")
    try:
        yield state, run(state), run(state)
    finally:
        assert control.stop(state)


def test_the_demo_runs_twice_and_never_asks_aws(demo: tuple[Path, str, str]) -> None:
    """One image is built, released, promoted and released again, whatever credentials there are; and that only once."""
    state, first, second = demo
    for environment, tasks in (("staging", 2), ("production", 3)):
        assert f"shop/{environment}/web, 1 image(s)" in first
        assert f"shop--{environment}--web--release" in first
        assert f"{tasks} of {tasks} run" in first
    assert "shop--production--web--promotion" in first
    assert len(digests := re.findall("sha256:[0-9a-f]{64}", first)) == 2
    assert len(set(digests)) == 1, "both environments run the same bytes"
    built, released = re.findall(r"1\. release of (staging-\d{8}T\d{6}Z-[0-9a-f]{12}), successful(.*?) *│", first)
    assert built[0] == released[0]
    assert (built[1], released[1]) == ("", ", from shop/staging/web release 1")
    assert _tables(first) == _tables(second)
    assert (state / "cdk.log").read_text().count("(no changes)") >= 10
    said = (state / "moorings.log").read_text()
    assert said.count("release 1 is successful") == 2
    assert said.count("$ moorings release") == 2, "the second run releases nothing"


def test_the_lines_of_the_readme_run_after_the_demo(demo: tuple[Path, str, str]) -> None:
    """Build, promote, release and roll back, ten lines as they stand; none fails, and the ledger tells the story."""
    state, *_ = demo
    (lines,) = re.findall(r"^```bash\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(lines.splitlines()) == 10
    elsewhere = lines.replace("-m local_cloud ", f"-m local_cloud --state-dir {state} ")
    done = subprocess.run(
        ["/bin/bash", "-euxo", "pipefail", "-c", elsewhere],
        cwd=ROOT,
        env={**os.environ, **HOSTILE, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.findall(
        r"^ *(\d)  .*?  (release|rollback) +successful  ([0-9a-f]{12})  staging-", done.stdout, re.MULTILINE
    )
    assert [(number, action) for number, action, _ in told] == [("3", "rollback"), ("2", "release"), ("1", "release")]
    assert told[0][2] == told[2][2] != told[1][2], "the first image runs again"


def test_break_and_heal_show_the_seconds_of_each_hop(demo: tuple[Path, str, str]) -> None:
    """The page that was printed turns red and back; asked twice, nothing changes; our own part is below its limit."""
    state, _, printed = demo
    (address,) = re.findall(
        r"status page of production, as CloudFront would serve it: (http://127\.0\.0\.1:\d+/)", printed
    )
    broken = run(state, "break")
    assert own_seconds(broken) < 5
    assert "the page tells of an outage" in broken
    assert "One takes 2 s here, 60 s on AWS" in broken
    assert "Messages on the topic of severity page: 1\n" in broken
    assert address in broken
    assert "is broken already; the page says outage" in run(state, "break")
    healed = run(state, "heal")
    assert own_seconds(healed) < 5
    assert "Messages on the topic of severity page: 0\n" in healed
    assert "is not broken; the page says operational" in run(state, "heal")


def test_nothing_can_be_broken_before_the_demo_runs(tmp_path: Path) -> None:
    """One sentence says what to type."""
    assert run(tmp_path, "break", code=1) == "the demo does not run; start it with `make demo`\n"


def own_seconds(printed: str) -> float:
    """What the command says of our own part."""
    (seconds,) = re.findall(r"^Our own part \(bold\), from the alarm to the page: ([\d.]+) s", printed, re.MULTILINE)
    return float(seconds)


def _tables(printed: str) -> list[str]:
    return [line for line in printed.splitlines() if line.startswith("│")]
