"""Do CloudFormation templates repeat what went wrong for others? Judged offline, without AWS, Node or CDK."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from constructs_lib.command_line import FINE, Console, CouldNotRun, Parser, assignment

if TYPE_CHECKING:
    from constructs_lib.guardrails.baseline import Key
    from constructs_lib.guardrails.reports.answer import Answer

HELP: Final = "do templates repeat what went wrong for others? offline"

FORMATS: Final = ("text", "json", "sarif", "github", "junit")

SYNTHESIZED: Final = Path("cdk.out")
"""What is judged when nothing is named."""

Render: TypeAlias = "Callable[[Answer], str]"


def configure(parser: ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="templates, or folders that hold them; those that are named together are judged as deployed together "
        f"(default: {SYNTHESIZED})",
    )
    parser.add_argument(
        "--format", choices=FORMATS, default="text", help="text for people (default), others for programs"
    )
    parser.add_argument(
        "--parameter",
        type=assignment,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="the value of a template's parameter, in place of its default; may be repeated",
    )
    parser.add_argument(
        "--only-templates",
        action="store_true",
        help="pass over files that do not look like templates, as a hook names them",
    )
    baselines = parser.add_mutually_exclusive_group()
    baselines.add_argument("--baseline", type=Path, metavar="FILE", help="leave out the findings that are in it")
    baselines.add_argument(
        "--write-baseline",
        type=Path,
        metavar="FILE",
        help="write all findings to it, and exit with 0; what it has of files that are not judged stays",
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--explain", metavar="RULE", help="print the page of a rule, such as MOOR-W2b")
    instead.add_argument("--list-rules", action="store_true", help="print all rules")
    parser.set_defaults(run=_run)


def run(words: Sequence[str], console: Console) -> int:
    """Runs the command. Whatever stops it, the output is of the format that was asked for.

    Args:
        words: its arguments.
        console: where it writes.
    """
    parser = Parser(prog="moorings check", description=__doc__)
    configure(parser)
    try:
        return _run(parser.parse_intermixed_args(words), console)
    except (BrokenPipeError, SystemExit):
        raise
    except CouldNotRun as error:
        why = str(error)
    except KeyboardInterrupt:
        why = "interrupted before it was done"
    except Exception as error:  # a traceback would be no result, and end with the exit code of one
        why = _defect(error)
    form = wanted_format(words)
    if form == "text":
        raise CouldNotRun(why)
    from constructs_lib.guardrails.reports.answer import Answer

    return _tell(Answer(errors=(why,)), form, console)


def wanted_format(words: Sequence[str]) -> str:
    """The format that arguments ask for, be they right or wrong; text when they ask for none that there is."""
    found = "text"
    for number, word in enumerate(words):
        if word == "--":
            break
        name, equals, value = word.partition("=")
        if len(name) > len("--") and "--format".startswith(name):
            value = value if equals else "".join(words[number + 1 : number + 2])
            found = value if value in FORMATS else "text"
    return found


def _run(options: Namespace, console: Console) -> int:
    if options.explain is not None or options.list_rules:
        return _describe(options, console)
    paths: list[Path] = options.files or [_synthesized()]
    from constructs_lib.guardrails import baseline as baselines
    from constructs_lib.guardrails.check import check
    from constructs_lib.guardrails.reports.answer import Answer

    known = baselines.Baseline(folder=Path()) if options.baseline is None else baselines.read(options.baseline)
    given = dict(options.parameter)
    report = check(paths, given=given, today=console.now().date(), only_templates=options.only_templates)
    errors = list(report.problems)
    strange = sorted(set(given).difference(report.parameters))
    if options.only_templates:  # those that have it may not be among the files of this commit
        for name in strange:
            console.complain(_one_line(f"--parameter {name} is of no use here: no template that was judged has it"))
    elif strange and not errors:  # what could not be read may have it
        errors.append(f"--parameter must name a parameter of a template, got {strange[0]!r}; look at its name")
    if options.write_baseline is not None:
        if errors:
            errors.append(f"--write-baseline {options.write_baseline} was not written: not everything could be judged")
        else:
            kept = _kept(options.write_baseline, report.files)
            known = baselines.of(report.findings, options.write_baseline.parent, kept)
            baselines.write(options.write_baseline, known)
    parts = known.part(report.findings, report.files)
    answer = Answer(
        findings=parts.new,
        errors=tuple(errors),
        templates=len(report.files),
        accepted=report.accepted,
        known=parts.known,
        gone=parts.gone,
        partial=parts.elsewhere > 0,
    )
    return _tell(answer, options.format, console)


def _kept(path: Path, judged: Sequence[str]) -> Mapping[Key, int]:
    """What the baseline that is there knows of other files. What is there and is none is not written over."""
    from constructs_lib.guardrails import baseline as baselines

    if not path.exists():
        return {}
    try:
        return baselines.read(path).elsewhere(judged)
    except CouldNotRun as error:
        raise CouldNotRun(
            f"--write-baseline must name a baseline or a new file, got {path}, which is none that can be read; "
            "delete it first, or name another"
        ) from error


def _tell(answer: Answer, form: str, console: Console) -> int:
    for error in answer.errors:
        console.complain(_one_line(error))
    console.write(_render(form, console)(answer))
    return answer.exit_code


def _render(form: str, console: Console) -> Render:
    """The others' modules are not loaded."""
    if form == "json":
        from constructs_lib.guardrails.reports import as_json

        return as_json.render
    if form == "sarif":
        from constructs_lib.guardrails.reports import as_sarif

        return as_sarif.render
    if form == "github":
        from constructs_lib.guardrails.reports import as_github

        return as_github.render
    if form == "junit":
        from constructs_lib.guardrails.reports import as_junit

        return as_junit.render
    from constructs_lib.guardrails.reports import as_text

    return partial(as_text.render, width=_width(console))


def _width(console: Console) -> int:
    """The columns of a terminal. A file and a program have as many as the text likes."""
    from shutil import get_terminal_size

    from constructs_lib.guardrails.reports.as_text import WIDTH

    return get_terminal_size((WIDTH, 0)).columns if console.out.isatty() else WIDTH


def _describe(options: Namespace, console: Console) -> int:
    if options.format != "text":
        raise CouldNotRun(f"--format {options.format} must come without --explain and --list-rules; they are text only")
    from constructs_lib.guardrails.described import described, find
    from constructs_lib.guardrails.explanation import page
    from constructs_lib.guardrails.reports.as_text import table

    if options.list_rules:
        console.write(table([(rule.id, rule.severity, rule.title) for rule in described()]))
        return FINE
    rule = find(options.explain)
    if rule is None:
        raise CouldNotRun(f"--explain must name a rule such as MOOR-W2b, got {options.explain!r}; see --list-rules")
    console.write(page(rule))
    return FINE


def _synthesized() -> Path:
    if not SYNTHESIZED.is_dir():
        raise CouldNotRun(
            f"there must be templates to check, got none and no folder {SYNTHESIZED} here; name files or folders, "
            "or synthesize first"
        )
    return SYNTHESIZED


def _one_line(sentence: str) -> str:
    from constructs_lib.guardrails.reports.answer import printable

    return printable(sentence)


def _defect(error: Exception) -> str:
    from traceback import extract_tb

    place = extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
    return f"the check failed on this input with {what}; this is a defect of moorings, so please report it"
