"""What every command about releases shares: its options, its progress, and what each outcome comes to.

rich is not used: these commands also run in CodeBuild, whose image has boto3 and no rich.
"""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC

from constructs_lib.checks import environment_name, name
from constructs_lib.command_line import BUSY, FINE, FOUND, INTERRUPTED, CouldNotRun
from constructs_lib.delivery.image_names import ALLOWED, is_image_name, is_release_number
from constructs_lib.delivery.operations.ledger_store import Busy as LedgerBusy
from constructs_lib.delivery.operations.ledger_store import LostRace, Overtaken
from constructs_lib.delivery.operations.outcomes import Busy, Interrupted, NeedsRepair, NothingToDo, Refused
from constructs_lib.delivery.operations.settings_store import SettingsNotFound
from constructs_lib.delivery.readiness import Check
from constructs_lib.ops.aws_session import one_sentence
from constructs_lib.ops.delivery_world import Door
from constructs_lib.ops.outside import Outside
from constructs_lib.ops.plain_tables import aligned, one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command has to tell at its end (lessons W4, Q5).

    Args:
        code: the exit code.
        lines: the result for people.
        result: the result for programs.
        complaint: the sentence for stderr when the answer is no; empty when it is not.
    """

    code: int
    lines: Sequence[str] = ()
    result: Mapping[str, object] = field(default_factory=dict)
    complaint: str = ""


def add_delivery(parser: ArgumentParser, *, service: bool = True) -> None:
    """The options of every command about releases, and ENV."""
    what = "production, shop/production or shop/production/web" if service else "production or shop/production"
    parser.add_argument("env", metavar="ENV", type=place if service else environment, help=what)
    add_aws_and_json(parser)


def add_image(parser: ArgumentParser, help_: str, *, number: bool = False) -> None:
    """The image that a command is about, as the last of its words; with ``number`` a release's number names it too."""
    kind = image_or_number if number else image_name
    parser.add_argument("digest", metavar="DIGEST|N" if number else "DIGEST", nargs="?", type=kind, help=help_)
    parser.set_defaults(last_word="digest", last_type=kind)


def add_aws_and_json(parser: ArgumentParser) -> None:
    """The options of every command about releases."""
    parser.add_argument("--region", help="the AWS region; by default AWS_DEFAULT_REGION, AWS_REGION or the profile's")
    parser.add_argument("--profile", help="the AWS profile, as boto3 finds it by default")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout; progress goes to stderr")


def place(text: str) -> str:
    """The type of ENV: an environment, and before it an application, and after it a service, if they are given."""
    return _place(text, 3, "an environment such as production, shop/production or shop/production/web")


def environment(text: str) -> str:
    """The type of ENV where a whole environment is meant."""
    return _place(text, 2, "an environment such as production or shop/production, and no service")


def image_name(text: str) -> str:
    """The type of DIGEST."""
    if not is_image_name(text):
        raise ArgumentTypeError(f"must be {ALLOWED}, got {text!r}; `moorings history ENV` shows them")
    return text


def image_or_number(text: str) -> str:
    """The type of DIGEST or N, where what ran here before is meant."""
    if not is_release_number(text) and not is_image_name(text):
        raise ArgumentTypeError(
            f"must be a release's number such as 12, {ALLOWED}, got {text!r}; `moorings history ENV` shows them"
        )
    return text


def reason(text: str) -> str:
    """The type of a reason."""
    if not text.strip():
        raise ArgumentTypeError("must be a text for whoever asks why, got an empty one")
    return text.strip()


def answered(options: Namespace, outside: Outside, work: Callable[[Door], Answer]) -> int:
    """Does the work, prints its answer, and returns its exit code. Each outcome has one, whatever the command.

    Raises:
        CouldNotRun: wrong input, or AWS did not answer.
    """
    try:
        with one_sentence():
            answer = work(Door.open(options.region, options.profile, outside, progress(options, outside)))
    except (SettingsNotFound, ValueError) as error:
        raise CouldNotRun(one_line(str(error))) from error
    except Refused as refused:
        answer = _no("refused", str(refused), FOUND, refused.checks)
    except NothingToDo as nothing:
        answer = Answer(code=FINE, lines=(str(nothing),), result=_result("nothing to do", str(nothing)))
    except NeedsRepair as broken:
        answer = _no("repair", str(broken), FOUND)
    except (Busy, LedgerBusy, LostRace, Overtaken) as busy:
        answer = _no("busy", str(busy), BUSY)
    except Interrupted as interrupted:
        answer = _no("interrupted", str(interrupted), INTERRUPTED)
    except KeyboardInterrupt:
        command = " ".join(("moorings status", *([options.env] if getattr(options, "env", None) else [])))
        answer = _no("interrupted", f"interrupted; `{command}` says how things stand", INTERRUPTED)
    return say(answer, options, outside)


def progress(options: Namespace, outside: Outside) -> Callable[[str], None]:
    """Takes progress, one line each; what it says twice in a row is written once."""
    last = ""

    def line(text: str) -> None:
        nonlocal last
        if text != last:
            outside.tell(f"{outside.now().astimezone(UTC):%H:%M:%S}  {one_line(text)}", aside=options.json)
        last = text

    return line


def say(answer: Answer, options: Namespace, outside: Outside) -> int:
    """Prints an answer; its exit code, which is that of what was done even when nobody reads on."""
    with suppress(BrokenPipeError):
        if options.json:
            outside.say_json(answer.result)
        else:
            outside.write("".join(f"{line}\n" for line in answer.lines))
        outside.finish()
    if answer.complaint:
        outside.complain(one_line(answer.complaint))
    return answer.code


def checks_as_text(checks: Sequence[Check]) -> list[str]:
    """A line a check, and under one that is not good its fix."""
    width = max((len(check.name) for check in checks), default=0)
    lines = []
    for check, line in zip(
        checks, aligned([(check.result.ljust(4), check.name, one_line(check.seen)) for check in checks]), strict=True
    ):
        lines.append(line)
        if check.fix and check.result == "NG":
            lines.append(f"{'':{width + 8}}fix: {one_line(check.fix)}")
    return lines


def checks_as_json(checks: Sequence[Check]) -> list[dict[str, object]]:
    """All fields of each."""
    return [
        {"check": check.name, "result": check.result, "seen": check.seen, "fix": check.fix or None} for check in checks
    ]


def _no(word: str, sentence: str, code: int, checks: Sequence[Check] = ()) -> Answer:
    lines = checks_as_text(checks)
    return Answer(code=code, lines=lines, result=_result(word, sentence, checks), complaint=sentence)


def _result(word: str, sentence: str, checks: Sequence[Check] = ()) -> dict[str, object]:
    return {"result": word, "reason": sentence, "release": None, "checks": checks_as_json(checks)}


def _place(text: str, most: int, allowed: str) -> str:
    parts = text.split("/")
    try:
        if not 1 <= len(parts) <= most:
            raise ValueError(text)
        environment_name("environment", parts[0] if len(parts) == 1 else parts[1])
        for part in (*parts[:1], *parts[2:]):
            name("name", part)
    except ValueError as error:
        raise ArgumentTypeError(f"must be {allowed}, got {text!r}") from error
    return text
