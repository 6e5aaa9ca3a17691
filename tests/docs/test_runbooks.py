"""A runbook for each alarm and message, with commands that exist (lessons W3, W5)."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from constructs_lib.observability.evidence.queries import QUERIES
from constructs_lib.observability.runbooks import runbook_of
from constructs_lib.observability.runtime.messages.kinds import RUNBOOKS as OF_MESSAGES
from constructs_lib.ops import cli
from scripts.alarms import every_alarm
from tests.stacks.everything import everything

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "runbooks"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.stem != "README")
HEADINGS = ["What it means", "What users notice", "Look first", "Do", "When it is over", "Lesson"]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:moorings|aws) [^`]+)`")
OF_THE_CLI = {"query", "output", "region"}
"""Options of AWS's own command line, beside those of an operation."""


def commands(program: str) -> list[Any]:
    """Every command of a program that a runbook names, in a block or in a sentence, once, with its first page."""
    found = []
    for path in [*PAGES, FOLDER / "README.md"]:
        text = path.read_text()
        lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
        lines += INLINE.findall(BLOCK.sub("", text))
        found += [(path.stem, line) for line in lines if line.startswith(f"{program} ")]
        found += [(path.stem, line) for line in re.findall(rf"\$\(({program} [^)]*)\)", text)]
    once = {line: page for page, line in reversed(found)}
    return [pytest.param(line, id=f"{page}: {line[:60]}") for line, page in once.items()]


@pytest.fixture(scope="module")
def descriptions(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What all alarms of an environment that uses everything say of themselves."""
    from stacks.application import application

    folder = tmp_path_factory.mktemp("everything")
    application(everything(), checked=False, outdir=str(folder)).synth()
    return [
        _text(resource["Properties"]["AlarmDescription"])
        for template in sorted(folder.rglob("*.template.json"))
        for resource in json.loads(template.read_text())["Resources"].values()
        if resource["Type"] in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
        and "AlarmName" in resource["Properties"]
    ]


def _text(description: Any) -> str:
    """A description as CloudWatch gets it; a generated name has 80 characters at most, as SQS takes them."""
    if isinstance(description, str):
        return description
    parts = description["Fn::Join"][1]
    return "".join(part if isinstance(part, str) else "n" * 80 for part in parts)


def test_each_alarm_and_message_has_a_runbook_and_each_runbook_one_of_them(descriptions: list[str]) -> None:
    """The link of every alarm leads to a file, and no file is left over."""
    base = "https://github.com/your-organisation/your-infrastructure/blob/main/docs/runbooks/"
    opened = [text.partition(f" Runbook: {base}")[2] for text in descriptions]
    assert len(opened) > 60
    # The table of lesson W3 is made of plain values: it has the same kinds, but for alarms of a whole component.
    assert {f"{runbook_of(spec)}.md" for spec in every_alarm()} == {*opened} - {"degraded.md", "outage.md"}
    assert {*opened, *(f"{name}.md" for name in OF_MESSAGES)} == {path.name for path in PAGES}


def test_no_description_is_longer_than_cloudwatch_takes(descriptions: list[str]) -> None:
    """1,024 characters, the link included."""
    assert max(len(text) for text in descriptions) <= 1024


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_runbook_is_short_and_like_the_others(path: Path) -> None:
    """At night one looks at the same place: its name, six headings, nothing empty, and a screen or two."""
    text = path.read_text()
    assert text.startswith(f"# {path.stem}: ")
    sections = re.split(r"^## (.*)\n", text, flags=re.MULTILINE)
    assert sections[1::2] == HEADINGS
    assert all(section.strip() for section in sections[2::2])
    assert re.search(r"\[(.+?)\]\(\.\./", sections[-1]), "no link to its lesson"
    assert len(text.splitlines()) <= 60


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_saved_queries_exist(path: Path) -> None:
    """A query is named as Logs Insights shows it."""
    named = set(re.findall(r"\*\*(.+?)\*\*", path.read_text()))
    assert named <= {query.name for query in QUERIES}


def test_every_saved_query_is_of_use() -> None:
    """Each is looked at in some runbook."""
    text = "".join(path.read_text() for path in PAGES)
    assert [query.name for query in QUERIES if f"**{query.name}**" not in text] == []


@pytest.mark.parametrize("line", commands("moorings"))
def test_our_commands_exist(line: str) -> None:
    """The command line's own parser takes them."""
    words, parser = shlex.split(line, comments=True)[1:], cli._parser()
    if "--help" in words:
        words = [word for word in words if word != "--help"]
        assert words[0] in parser.format_help()
        return
    if len(words) == 1:  # named in a sentence
        assert re.search(rf"^    {words[0]}\s", parser.format_help(), re.MULTILINE)
        return
    options, left = parser.parse_known_args(words)
    cli._take_late(parser, options, left)
    assert options.run


def test_words_for_users_say_to_which_incident() -> None:
    """A post without an incident that is open and without a component is refused, so no runbook shows one."""
    posts = [one.values[0] for one in commands("moorings") if "status-page post" in one.values[0]]
    assert len(posts) == 2
    assert [line for line in posts if not {"--id", "--component"} & set(shlex.split(line))] == []


def test_letters_are_not_sent_again_by_sqs() -> None:
    """SQS moves back the letters of other queues only; ours are of EventBridge and Lambda."""
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
    assert [path.stem for path in PAGES if "start-message-move-task" in path.read_text()] == []


@pytest.mark.parametrize("line", commands("aws"))
def test_aws_commands_exist(line: str) -> None:
    """Service, operation and options are those of AWS's API."""
    _, service, operation, *words = shlex.split(line, comments=True)
    model = botocore.session.get_session().get_service_model(service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in operations
    shape = model.operation_model(operations[operation]).input_shape
    assert shape is not None
    known = {xform_name(name, "-") for name in shape.members} | OF_THE_CLI
    given = {word.removeprefix("--") for word in words if word.startswith("--")}
    assert given <= known
    required = {xform_name(name, "-") for name in shape.required_members} if words else set()
    assert required <= given


def test_the_commands_are_found() -> None:
    """What the two tests above look at."""
    assert len(commands("moorings")) > 25
    assert len(commands("aws")) > 15
