"""How the tests run a command: in this process, with a clock that stands and output that can be read."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from constructs_lib.images.runtime.aws import Clients
from constructs_lib.ops.cli import main
from constructs_lib.ops.outside import Outside

NOW = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)


def no_aws(_region: str | None, _profile: str | None) -> Clients:
    """A command that is offline must not ask for clients."""
    raise AssertionError("this command must not call AWS")


def no_address(_url: str) -> bytes:
    """A command that needs no address of ECR must not get one."""
    raise AssertionError("this command must not get anything by HTTP")


@dataclass(frozen=True)
class Done:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Terminal(io.StringIO):
    """An output that is a terminal; COLUMNS says how wide it is."""

    def isatty(self) -> bool:
        return True


def run(
    *arguments: object,
    connect: Callable[[str | None, str | None], Clients] = no_aws,
    sleep: Callable[[float], None] = lambda _seconds: None,
    out: io.StringIO | None = None,
    session: Callable[[str | None, str | None], Any] = no_aws,
    now: Callable[[], datetime] = lambda: NOW,
    environ: Mapping[str, str] | None = None,
    fetch: Callable[[str], bytes] = no_address,
) -> Done:
    """One command."""
    out, err = out or io.StringIO(), io.StringIO()
    outside = Outside(
        out=out,
        err=err,
        connect=connect,
        now=now,
        sleep=sleep,
        session=session,
        environ=environ or {},
        fetch=fetch,
    )
    code = main([str(argument) for argument in arguments], outside)
    return Done(code, out.getvalue(), err.getvalue())


def policy(*rules: dict[str, Any]) -> str:
    """A lifecycle policy as text; each rule is a selection, and expires."""
    return json.dumps(
        {
            "rules": [
                {"rulePriority": number, "selection": selection, "action": {"type": "expire"}}
                for number, selection in enumerate(rules, 1)
            ]
        }
    )


def newest(count: int, **selection: Any) -> dict[str, Any]:
    """The selection of a rule that keeps the newest ``count`` of ``any``, or of what else is named."""
    return {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": count, **selection}


SHIELD = newest(9999, tagStatus="tagged", tagPatternList=["pin-*"])
"""The rule that keeps what is pinned."""
