"""What can go wrong around a command: each time one sentence, exit code 2, and no traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from constructs_lib.ops.outside import real
from tests.ops.support import newest, policy, run
from tests.ops.world import NAME

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "constructs_lib.ops"]


@pytest.fixture
def checked(tmp_path: Path) -> Path:
    """A policy in a file whose name is not ASCII."""
    path = tmp_path / "für-web.json"
    path.write_text(policy(newest(10)))
    return path


def program(path: Path, stdout: Any, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """``images check`` in a process of its own."""
    return subprocess.run(
        [*COMMAND, "images", "check", str(path), *options],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_reader_who_has_read_enough_hears_nothing(form: str, unbuffered: str, checked: Path) -> None:
    """Into a pipe that is closed, as after ``| head -1``, nothing is said."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = program(checked, writing, "--format", form, PYTHONUNBUFFERED=unbuffered)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (2, "")


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_an_output_that_is_full_is_one_sentence(unbuffered: str, checked: Path) -> None:
    """A result that was not written is no result."""
    with Path("/dev/full").open("w") as full:
        done = program(checked, full, PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr) == (2, "moorings: the output cannot be written: No space left on device\n")


@pytest.mark.parametrize("options", [[], ["--pinned", ""]], ids=["no such file", "wrong option"])
def test_nobody_left_to_tell(options: list[str], tmp_path: Path) -> None:
    """A sentence that nobody can read is no traceback: with stdout and stderr gone the exit code is all there is."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        command = [*COMMAND, "images", "check", str(tmp_path / "none.json"), *options]
        done = subprocess.run(command, cwd=ROOT, stdout=writing, stderr=writing, check=False)
    finally:
        os.close(writing)
    assert done.returncode == 2


def test_a_letter_that_the_output_cannot_hold_is_one_sentence(checked: Path) -> None:
    """The sentence names the letter and the fix."""
    done = program(checked, subprocess.PIPE, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "moorings: the output's encoding must have '\\xfc', got ascii; set PYTHONIOENCODING=utf-8\n"


@pytest.mark.parametrize("url", ["garbage", "http://[::1", "http://127.0.0.1:99999"])
def test_an_endpoint_that_is_none_is_one_sentence(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before anything is asked."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    done = run("images", "verify", NAME, "--region", "eu-west-1", connect=real().connect)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith("moorings: AWS cannot be asked: ")
    assert "look at --region, AWS_ENDPOINT_URL" in done.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "You must specify a region; give --region"),
        (["--region", "eu-west-1"], "Unable to locate credentials; log in to AWS, or give --profile"),
        (
            ["--profile", "nobody"],
            "The config profile (nobody) could not be found; `aws configure list-profiles` names those that are there",
        ),
    ],
    ids=["region", "credentials", "profile"],
)
def test_what_boto3_misses_has_a_fix(words: list[str], sentence: str) -> None:
    """Nothing is set: the sentence says what to give."""
    done = run("images", "list", NAME, *words, connect=real().connect)
    assert (done.code, done.out, done.err) == (2, "", f"moorings: AWS cannot be asked: {sentence}\n")


@pytest.mark.parametrize(
    ("variables", "option", "region"),
    [
        ({"AWS_REGION": "eu-west-3"}, None, "eu-west-3"),
        ({"AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "eu-west-2"}, None, "eu-west-2"),
        ({"AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-1", "eu-west-1"),
    ],
    ids=["AWS_REGION", "AWS_DEFAULT_REGION first", "--region first"],
)
def test_the_region_is_found(
    variables: dict[str, str], option: str | None, region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """boto3 does not read AWS_REGION; the option goes before both."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    clients = real().connect(option, None)
    assert {clients.ecr.meta.region_name, clients.ecs.meta.region_name} == {region}


@pytest.fixture
def silent() -> Iterator[tuple[str, Callable[[], int]]]:
    """An endpoint that hangs up without a word, and how often it was called."""
    import threading

    called: list[int] = []
    server = socket.create_server(("127.0.0.1", 0))

    def hang_up() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            called.append(1)
            connection.recv(65536)
            connection.close()

    thread = threading.Thread(target=hang_up, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}", lambda: len(called)
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


def test_an_endpoint_that_does_not_answer_is_tried_three_times(
    silent: tuple[str, Callable[[], int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight times, as the guard tries, would keep a person waiting for more than a minute."""
    url, calls = silent
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with patch("botocore.endpoint.time.sleep"):
        done = run("images", "list", NAME, "--region", "eu-west-1", connect=real().connect)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert calls() == 3


@pytest.mark.parametrize(
    "words",
    [
        ["images", "list", NAME],
        ["images", "preview", NAME, "--policy", "none.json"],
        ["images", "check", "none.json", "--pinned", ""],
        ["images", "verify", NAME],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_json_with_exit_code_2_is_nothing(words: list[str]) -> None:
    """A command that did not run has no result: stdout is empty, and the sentence is on stderr."""
    done = run(*words, "--format", "json", connect=real().connect)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
