"""What docs/commands.md shows is what the commands print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from constructs_lib.images.runtime.pins import Slot, slot_name
from tests.ops.support import run
from tests.ops.world import NAME, World

PAGE = Path(__file__).resolve().parents[2] / "docs" / "commands.md"
FILE = re.compile(r"^`([\w.-]+)`:\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
DIGEST = re.compile(r"sha256:([0-9a-f]{12})[0-9a-f]{52}|\b([0-9a-f]{12})\b(?= {2})")


def without_digests(text: str) -> str:
    """The text with each digest as a number, in the order in which they come."""
    seen: dict[str, int] = {}
    return DIGEST.sub(lambda match: f"#{seen.setdefault(match[1] or match[2], len(seen))}", text)


def transcript(block: str, world: World) -> str:
    """What a terminal would show if the commands of the block were typed."""
    shown, code = "", 0
    for command in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
        shown += f"$ {command}\n"
        if command == "echo $?":
            shown += f"{code}\n"
            continue
        program, *arguments = shlex.split(command)
        assert program == "moorings"
        done = run(*arguments, connect=world.connect)
        code = done.code
        shown += done.out + done.err
    return shown


@pytest.mark.parametrize("number", range(len(BLOCK.findall(PAGE.read_text()))))
def test_the_page_shows_what_is_printed(
    number: int, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands of each block, with the page's files and the repository that it describes, print what it shows."""
    text = PAGE.read_text()
    for name, content in FILE.findall(text):
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    world.ecr.policies[NAME] = (tmp_path / "one-liner.json").read_text()
    v40, _, v42 = (world.push([tag], days=days) for tag, days in (("v40", 9), ("v41", 5), ("v42", 1)))
    world.runs(v40, "web")
    world.runs(v42, "worker")
    pin = Slot(namespace="use", writer="5d1f0a", name=slot_name("worker"), number=0)
    world.ecr.tag(NAME, pin.tag, v42)
    block = BLOCK.findall(text)[number]
    assert without_digests(transcript(block, world)) == without_digests(block)


def test_every_command_has_a_block() -> None:
    """None of the five is described without being run."""
    shown = "".join(BLOCK.findall(PAGE.read_text()))
    for command in ("check", "images check", "images list", "images preview", "verify"):
        assert f"$ moorings {command} " in shown
