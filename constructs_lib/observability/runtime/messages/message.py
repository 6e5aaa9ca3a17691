"""The texts that go to SNS: one for people, one for chat, and the subject. Standard library only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..plain_text import for_mail_subject, for_markdown  # noqa: TID252  (the package has another name in Lambda)
from .kinds import Kind
from .place import Place
from .summary import facts, said

EVENTS_SHOWN: Final = 5
FOLDER: Final = "docs/runbooks"
"""Where a runbook is, when nobody has said at which address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is published (lesson W5).

    Args:
        subject: of the mail; printable ASCII, less than 100 characters.
        text: for people: mail, and every protocol that has no text of its own.
        chat: for Amazon Q Developer in chat applications, as JSON; whoever subscribes by HTTPS gets it too.
    """

    subject: str
    text: str
    chat: str

    def structure(self) -> str:
        """As SNS takes it with ``MessageStructure=json``
        (https://docs.aws.amazon.com/sns/latest/api/API_Publish.html)."""
        return json.dumps({"default": self.text, "email": self.text, "https": self.chat})


def message(
    kind: Kind, event: object, place: Place, *, before: Sequence[str] | None, runbooks: str | None, evidence: str | None
) -> Message:
    """The message of one event.

    Args:
        kind: what it means.
        event: it.
        place: where.
        before: lines about what happened before; ``None`` when it could not be read in time.
        runbooks: base address of the runbooks.
        evidence: name of the log group that holds all events.
    """
    headline = f"{kind.name.replace('-', ' ')}: {place.name}/{kind.component}"
    runbook = f"{runbooks}{kind.runbook}.md" if runbooks else f"{FOLDER}/{kind.runbook}.md"
    return Message(
        subject=for_mail_subject(f"[{kind.severity}] {headline}"),
        text=_text(kind, event, before=before, runbook=runbook, evidence=evidence),
        chat=_chat(kind, event, headline, place, before=before, runbook=runbook),
    )


def _text(kind: Kind, event: object, *, before: Sequence[str] | None, runbook: str, evidence: str | None) -> str:
    told = said(event)
    lines = [
        kind.sentence,
        "",
        *(["AWS says:", f"  {told}", ""] if told else []),
        *(f"{name}: {value}" for name, value in facts(event)),
        f"Runbook: {runbook}",
        *_before(before),
    ]
    if evidence:
        lines += ["", f"All events: log group {evidence}"]
    lines.append(f"Of the same fault no more is said for {kind.quiet_minutes} minutes.")
    return "\n".join(lines) + "\n"


def _before(before: Sequence[str] | None) -> list[str]:
    if before is None:
        return ["", "What happened before could not be read in time."]
    return ["", "Before this (UTC):", *(f"  {line}" for line in before[-EVENTS_SHOWN:])] if before else []


def _chat(kind: Kind, event: object, headline: str, place: Place, *, before: Sequence[str] | None, runbook: str) -> str:
    """A custom notification; one of another form is dropped in silence
    (https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html).

    What AWS or somebody else wrote stands in code spans only. The same fault has the same thread.
    """
    told = said(event)
    named = [f"{name}: {for_markdown(value)}" for name, value in facts(event)]
    earlier = [for_markdown(line) for line in (before or ())[-EVENTS_SHOWN:]]
    parts = [kind.sentence, for_markdown(told), "\n".join(named)]
    parts += ["\n".join(["Before this (UTC):", *earlier])] if earlier else []
    thread = hashlib.sha256(f"{place.name}/{kind.duplicate_key}".encode(errors="replace")).hexdigest()[:32]
    return json.dumps(
        {
            "version": "1.0",
            "source": "custom",
            "content": {
                "textType": "client-markdown",
                "title": f"[{kind.severity}] {headline}",
                "description": "\n\n".join(part for part in parts if part),
                "nextSteps": [f"Runbook: {runbook}"],
                "keywords": [kind.severity, kind.component],
            },
            "metadata": {"threadId": thread, "summary": kind.sentence, "eventType": kind.name},
        }
    )
