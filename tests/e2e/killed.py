"""``python -m tests.e2e.killed POINT WORDS…``: a release command whose process dies at a point.

Nothing is cleaned up, as when a machine goes away: no ``finally``, no signal handler, no last call to AWS.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.ops.cli import main
from constructs_lib.ops.outside import real
from tests.e2e.delivery_support import Clock, world

if TYPE_CHECKING:
    from boto3.session import Session

DIED: Final = 86
"""The exit code of a process that died where it should."""


def _entry(state: str) -> Callable[[str, Mapping[str, Any]], bool]:
    def matches(call: str, given: Mapping[str, Any]) -> bool:
        return call == "PutParameter" and "/releases/" in given["Name"] and json.loads(given["Value"])["state"] == state

    return matches


def _digest(call: str, given: Mapping[str, Any]) -> bool:
    return call == "PutParameter" and given["Name"].endswith("/digest")


def _call(name: str) -> Callable[[str, Mapping[str, Any]], bool]:
    return lambda call, _given: call == name


WRITES: Final[Mapping[str, Callable[[str, Mapping[str, Any]], bool]]] = {
    "the entry": _entry("begun"),
    "the pin": _call("PutImage"),
    "the state pinned": _entry("pinned"),
    "the copy": _call("RegisterTaskDefinition"),
    "the state preparing": _entry("preparing"),
    "the task": _call("RunTask"),
    "the copy's end": _call("DeregisterTaskDefinition"),
    "the parameter": _digest,
    "the state written": _entry("written"),
    "the update": _call("UpdateStack"),
    "the state updating": _entry("updating"),
    "the state waiting": _entry("waiting"),
    "the state undoing": _entry("undoing"),
    "the end": _entry("successful"),
    "the bad end": _entry("failed"),
}
"""What a release writes, in its order. Some of it a release may not write at all."""


def dying(session: Session, point: str) -> Session:
    """The session, whose process ends right before or right after it sends what the point names.

    ``before the pin``, ``after the update``, ``after the parameter 2``: the number says which time.
    """
    when, _, rest = point.partition(" ")
    name, _, number = rest.rpartition(" ") if rest[-1].isdigit() else (rest, "", "1")
    left, matches = int(number), WRITES[name]

    def look(model: Any, context: dict[str, Any], **_: object) -> None:
        nonlocal left
        if matches(model.name, context["given"]):
            left -= 1
            context["last"] = left == 0
        if context.get("last") and when == "before":
            os._exit(DIED)

    def remember(params: Mapping[str, Any], context: dict[str, Any], **_: object) -> None:
        context["given"] = params

    def die(context: dict[str, Any], **_: object) -> None:
        if context.get("last"):
            os._exit(DIED)

    session.events.register("provide-client-params.*", remember)
    session.events.register("before-call.*", look)
    session.events.register("after-call.*", die)
    return session


def run(arguments: list[str]) -> int:
    """Runs the command; returns only if the point was never reached."""
    point, *words = arguments
    outside = world(Clock(), sys.stdout, sys.stderr)
    make = real().session
    return main(words, replace(outside, session=lambda region, profile: dying(make(region, profile), point)))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
