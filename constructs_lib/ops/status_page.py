"""Reads and writes an environment's status page: what alarms and people say, and what is announced."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from constructs_lib.command_line import BUSY, FINE, FOUND, CouldNotRun
from constructs_lib.observability.runtime.status.aws import failures, why
from constructs_lib.observability.runtime.status.changes import Announce, Change, Override, Post, Resolve
from constructs_lib.observability.runtime.status.objects import OvertakenError
from constructs_lib.observability.runtime.status.publish import publish
from constructs_lib.observability.runtime.status.state import PageState
from constructs_lib.observability.runtime.status.store import StateUnreadableError, changed
from constructs_lib.observability.runtime.status.values import STATES, InvalidStateError, Text
from constructs_lib.ops.aws_session import one_sentence
from constructs_lib.ops.delivery_command import Answer, add_delivery, say
from constructs_lib.ops.outside import Outside
from constructs_lib.ops.plain_tables import one_line
from constructs_lib.ops.status_page_place import Place, find
from constructs_lib.ops.status_page_view import as_json, as_text

HELP: Final = "what users read when something is wrong: show, post, resolve, override, maintenance"

_LARGEST_FILE: Final = 10_000


def configure(parser: ArgumentParser) -> None:
    """The command's own commands."""
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    show = commands.add_parser("show", help="what the page says now, and why")
    add_delivery(show, service=False)
    show.set_defaults(run=_show)
    _configure_post(commands.add_parser("post", help="opens an incident, or adds to an entry that is there"))
    _configure_resolve(commands.add_parser("resolve", help="ends an incident, or calls a maintenance off"))
    _configure_override(commands.add_parser("override", help="says what a component is, whatever its alarms say"))
    _configure_maintenance(
        commands.add_parser("maintenance", help="announces a maintenance, which begins by the clock")
    )


def _configure_post(parser: ArgumentParser) -> None:
    add_delivery(parser, service=False)
    _add_entry(parser, "of an entry that is there, to add to it; by default a new one from the time")
    _add_components(parser)
    help_ = "what these components are until the incident is resolved; by default what their alarms say"
    parser.add_argument("--state", choices=STATES, help=help_)
    _add_texts(parser)
    parser.set_defaults(run=_post)


def _configure_resolve(parser: ArgumentParser) -> None:
    add_delivery(parser, service=False)
    parser.add_argument("entry", metavar="ID", help="of the incident or the maintenance; `show` tells it")
    _add_texts(parser)
    parser.set_defaults(run=_resolve)


def _configure_override(parser: ArgumentParser) -> None:
    add_delivery(parser, service=False)
    parser.add_argument("component", metavar="COMPONENT", help="such as web")
    parser.add_argument("--state", choices=STATES, help="what it is until --end")
    parser.add_argument("--end", action="store_true", help="the alarms are believed again")
    parser.set_defaults(run=_override)


def _configure_maintenance(parser: ArgumentParser) -> None:
    add_delivery(parser, service=False)
    _add_entry(parser, "of a maintenance that is announced, to change its times; by default a new one from the time")
    _add_components(parser)
    for name in ("--starts", "--ends"):
        parser.add_argument(name, type=time, required=True, metavar="TIME", help="such as 2026-04-02T22:00+09:00")
    _add_texts(parser)
    parser.set_defaults(run=_maintenance)


def _add_entry(parser: ArgumentParser, help_: str) -> None:
    parser.add_argument("--id", metavar="ID", dest="entry", help=help_)


def _add_components(parser: ArgumentParser) -> None:
    help_ = "such as web; may be given several times"
    parser.add_argument("--component", action="append", default=[], metavar="NAME", dest="components", help=help_)


def _add_texts(parser: ArgumentParser) -> None:
    for name, language in (("--en", "English"), ("--ja", "Japanese")):
        help_ = f"in {language}, as text or as @FILE; without it that page shows the other language"
        parser.add_argument(name, type=words, metavar="TEXT", help=help_)


def words(text: str) -> str:
    """The type of a text, or of ``@`` and the name of a file that holds it."""
    if not text.startswith("@"):
        found = text
    else:
        try:
            with Path(text[1:]).open("rb") as file:
                raw = file.read(_LARGEST_FILE + 1)
            found = raw.decode() if len(raw) <= _LARGEST_FILE else ""
        except (OSError, ValueError) as error:
            raise ArgumentTypeError(f"must be a text, or @ and a file of UTF-8, got {text!r}: {error}") from error
    if not found.strip():
        raise ArgumentTypeError(f"must be words for users, at most {_LARGEST_FILE} bytes, got {text!r}")
    return found.strip()


def time(text: str) -> datetime:
    """The type of a time: with its zone, for a page is read in many."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ArgumentTypeError(f"must be a time with its zone such as 2026-04-02T22:00+09:00, got {text!r}")


def _show(options: Namespace, outside: Outside) -> int:
    def work(place: Place) -> Answer:
        state = place.store.read().state
        if state is None:
            raise CouldNotRun(f"{place.environment} has no page yet; its function makes it within a minute")
        now = outside.now()
        lines = [f"{place.environment}  {place.address}", *as_text(state, now)]
        return Answer(code=FINE, lines=lines, result=_result(place, as_json(state, now)))

    return _answered(options, outside, work)


def _post(options: Namespace, outside: Outside) -> int:
    now = outside.now()
    entry = options.entry or f"incident-{now:%Y%m%dt%H%M%Sz}"

    def change() -> Change:
        components, text = tuple(dict.fromkeys(options.components)), _text(options)
        return Post(at=now, entry=entry, text=text, components=components, state=options.state)

    return _changed(options, outside, change, f"posted to {entry}", entry)


def _resolve(options: Namespace, outside: Outside) -> int:
    now = outside.now()

    def change() -> Change:
        text = _text(options) if options.en or options.ja else None
        return Resolve(at=now, entry=options.entry, text=text)

    return _changed(options, outside, change, f"resolved {one_line(options.entry)}", options.entry)


def _override(options: Namespace, outside: Outside) -> int:
    if options.end == bool(options.state):
        raise CouldNotRun("give either --state or --end; see `moorings status-page override --help`")
    now = outside.now()
    said = (
        f"{options.component} is shown as {options.state}" if options.state else f"alarms speak for {options.component}"
    )

    def change() -> Change:
        return Override(at=now, component=options.component, state=options.state)

    return _changed(options, outside, change, one_line(said), None)


def _maintenance(options: Namespace, outside: Outside) -> int:
    now = outside.now()
    entry = options.entry or f"maintenance-{options.starts:%Y%m%dt%H%Mz}"

    def change() -> Change:
        components = tuple(dict.fromkeys(options.components))
        if not components:
            raise CouldNotRun("components must be named for a maintenance, got none; give --component")
        return Announce(
            at=now,
            entry=entry,
            components=components,
            starts=options.starts,
            ends=options.ends,
            text=_text(options),
            new=options.entry is None,
        )

    return _changed(options, outside, change, f"announced {entry}", entry)


def _text(options: Namespace) -> Text:
    if not options.en and not options.ja:
        raise CouldNotRun("words for users must be given, got none; give --en or --ja, best both")
    return Text(en=options.en or "", ja=options.ja or "")


def _changed(options: Namespace, outside: Outside, change: Callable[[], Change], done: str, entry: str | None) -> int:
    """Writes what a person says, then the pages. What is written is kept, even when the pages could not be."""

    def work(place: Place) -> Answer:
        said = change()
        state = place.store.change(lambda before: changed(before, [said], outside.now()))
        result = _result(place, {"result": done, "id": entry, "revision": state.revision})
        lines = (f"{place.environment}: {done}", place.address)
        late = _publish(place, state, outside)
        if late:
            kept = f"what you wrote is kept, as revision {state.revision}, but {late}"
            kept += "; the page's own function writes them within a minute"
            return Answer(code=FOUND, lines=lines, result={**result, "late": late}, complaint=kept)
        return Answer(code=FINE, lines=lines, result=result)

    return _answered(options, outside, work)


def _publish(place: Place, state: PageState, outside: Outside) -> str:
    """Why the pages could not be written; empty when they are."""
    try:
        publish(place.store.objects, state, outside.now())
    except OvertakenError as error:
        return f"not all pages could be written: {error}"
    except failures() as error:
        return f"not all pages could be written: {why(error)}"
    return ""


def _answered(options: Namespace, outside: Outside, work: Callable[[Place], Answer]) -> int:
    try:
        with one_sentence():
            answer = work(find(options, outside))
    except OvertakenError as error:
        said = f"nothing was written: {error}; try again"
        answer = Answer(code=BUSY, result={"result": "busy", "reason": said}, complaint=said)
    except (InvalidStateError, StateUnreadableError) as error:
        raise CouldNotRun(one_line(str(error))) from error
    return say(answer, options, outside)


def _result(place: Place, more: dict[str, object]) -> dict[str, object]:
    return {"environment": place.environment, "address": place.address, **more}
