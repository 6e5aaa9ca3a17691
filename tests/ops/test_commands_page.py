"""What docs/commands.md shows is what the commands print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from unittest.mock import patch

import pytest

from constructs_lib.delivery.operations.promotion import promote
from constructs_lib.images.runtime.pins import Slot, slot_name
from tests.ops.delivery import Account
from tests.ops.support import run
from tests.ops.world import NAME, World

PAGE = Path(__file__).resolve().parents[2] / "docs" / "commands.md"
FILE = re.compile(r"^`([\w.-]+)`:\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
DIGEST = re.compile(r"sha256:([0-9a-f]{12})[0-9a-f]{52}|\b([0-9a-f]{12})\b(?= {2})")


TIME = re.compile(r"^\d\d:\d\d:\d\d(?=  )|\d{4}-\d\d-\d\d \d\d:\d\d(?= UTC)", re.MULTILINE)


def without_digests(text: str) -> str:
    """The text with each digest as a number, in the order in which they come, and without times of releases."""
    seen: dict[str, int] = {}
    text = TIME.sub("TIME", text)
    return DIGEST.sub(lambda match: f"#{seen.setdefault(match[1] or match[2], len(seen))}", text)


def transcript(block: str, world: World, account: Account) -> str:
    """What a terminal would show if the commands of the block were typed."""
    shown, code = "", 0
    for command in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
        shown += f"$ {command}\n"
        if command == "echo $?":
            shown += f"{code}\n"
            continue
        program, *arguments = shlex.split(command)
        assert program == "moorings"
        without_stacks = arguments[0] in ("check", "images", "ports")
        done = run(*arguments, connect=world.connect) if without_stacks else account.moorings(*arguments)
        code = done.code
        shown += done.out + done.err
    return shown


def released(account: Account) -> None:
    """Staging ran two builds; production runs the first, and its repository has no other."""
    staging, production = "shop/staging/web", "shop/production/web"
    account.stack(staging)
    account.stack(production)
    first, second = account.image(1, staging, production), account.image(2, staging)
    for env, image, hours in (("staging", first, 2), ("production", first, 20), ("staging", second, 1)):
        assert account.moorings("release", env, image).code == 0
        account.clock.sleep(hours * 3600 - 5 * 60)


@pytest.mark.parametrize("number", range(len(BLOCK.findall(PAGE.read_text()))))
def test_the_page_shows_what_is_printed(
    number: int, world: World, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands of each block, with the page's files and what it says of the account, print what it shows."""
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
    if "$ moorings status-page" in block:
        account.status_page()
    elif not re.search(r"^\$ moorings (check|images|ports)", block, re.MULTILINE):
        released(account)
    with patch.dict(promote.__kwdefaults__, {"open_address": account.ecr.open_address}):
        shown = transcript(block, world, account)
    assert without_digests(shown) == without_digests(block)


COMMANDS = (
    *("check", "images check", "images list", "images preview", "images verify"),
    *("status", "verify", "promote", "release", "rollback", "restart", "freeze", "thaw", "history", "diff", "ports"),
    *(f"status-page {name}" for name in ("show", "post", "resolve", "override", "maintenance")),
)


def test_every_command_has_a_block() -> None:
    """None of them is described without being run."""
    shown = "".join(BLOCK.findall(PAGE.read_text()))
    for command in COMMANDS:
        assert re.search(rf"^\$ moorings {command}\b", shown, re.MULTILINE), command


ACTION = re.compile(r"`(?:([a-z0-9]+):)?([A-Z][A-Za-z]+)`")
SERVICES = {"elbv2": "elasticloadbalancing"}


def documented(command: str) -> set[str]:
    """The actions that the page's table names for a command, and those that all of them need."""
    text = PAGE.read_text()
    found: set[str] = set()
    for row in re.findall(rf"^\| (?:all of them|`{command}`[^|]*) \|(.*)\|$", text, re.MULTILINE):
        service = ""
        for named, action in ACTION.findall(row):
            service = named or service
            found.add(f"{service}:{action}")
    return found


@pytest.mark.parametrize(
    ("words", "writes"),
    [
        (["show", "production"], False),
        (["show", "shop/production"], False),
        (["post", "production", "--component", "web", "--en", "x"], True),
        (["override", "production", "web", "--state", "outage"], True),
    ],
)
def test_the_page_names_the_actions_of_the_status_page(account: Account, words: list[str], writes: bool) -> None:
    """What reads needs less than what writes."""
    account.status_page()
    assert account.moorings("status-page", *words).code == 0
    called = {call.replace(".", ":") for call in account.aws.calls}
    # S3 has no right of its own for a head.
    called = {"s3:GetObject" if call == "s3:HeadObject" else call for call in called}
    assert called <= documented("status-page")
    assert ("s3:PutObject" in called) == writes


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("status", ["production"]),
        ("verify", ["production"]),
        ("promote", ["production"]),
        ("release", ["production"]),
        ("rollback", ["production"]),
        ("restart", ["production"]),
        ("freeze", ["production", "--reason", "x"]),
        ("thaw", ["production"]),
        ("history", ["production"]),
        ("diff", ["staging", "production"]),
    ],
)
def test_the_page_names_the_actions_that_a_command_needs(account: Account, command: str, words: list[str]) -> None:
    """Every call that the command makes is in the table, and what the table names is called or explained there."""
    released(account)
    with patch.dict(promote.__kwdefaults__, {"open_address": account.ecr.open_address}):
        if command in ("verify", "release", "rollback"):
            assert account.moorings("promote", "production").code == 0
        if command == "rollback":
            assert account.moorings("release", "production").code == 0
        account.aws.calls.clear()
        assert account.moorings(command, *words).code in (0, 1)
    service = {call: call.partition(".")[0] for call in account.aws.calls}
    called = {f"{SERVICES.get(name, name)}:{call.partition('.')[2]}" for call, name in service.items()}
    free = {"sts:GetCallerIdentity"}  # needs no permission
    assert called - free <= documented(command)
    not_always = {
        *("ssm:DescribeParameters", "iam:PassRole", "sts:AssumeRole", "ecr:DescribeImageScanFindings"),
        *("ssm:DeleteParameters", "ecs:ListTasks", "ecs:DescribeTasks", "cloudformation:DescribeStackEvents"),
        *("cloudformation:CancelUpdateStack", "ecr:UploadLayerPart", "ecr:PutImage", "ssm:GetParameter"),
    }
    assert documented(command) - called <= not_always
