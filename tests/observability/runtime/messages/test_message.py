"""What a person reads (lesson W5): before, the event as AWS sends it; after, a mail and a chat message."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.observability.runbooks import Runbooks
from constructs_lib.observability.runtime.messages.classify import classify
from constructs_lib.observability.runtime.messages.message import Message, message
from constructs_lib.observability.runtime.messages.summary import line
from tests.fake_aws.sns import MOST_BYTES
from tests.observability.runtime.messages.test_classify import TOLD
from tests.observability.runtime.messages.world import PLACE
from tests.observability.sample_events import huge, sample, samples

BASE = "https://example.com/runbooks/"
HOSTILE = {name: each for name, each in samples("hostile").items() if "detail" in each}


def made(event: object, before: list[str] | None = None, runbooks: str | None = BASE) -> Message:
    """The message of an event that needs a person."""
    kind = classify(event, PLACE)
    assert kind is not None
    return message(kind, event, PLACE, before=[] if before is None else before, runbooks=runbooks, evidence="/log")


def with_reason(reason: str) -> dict[str, Any]:
    """A task that cannot start, with any reason behind ECS's own word."""
    event: dict[str, Any] = sample("task-stopped-image-gone")
    event["detail"]["stoppedReason"] = f"CannotPullContainerError: {reason}"
    event["detail"]["containers"][0] |= {"reason": reason, "image": reason, "name": reason[:200]}
    return event


def test_before_a_topic_gets_the_event_as_aws_sends_it() -> None:
    """W5's before: a plain rule to a topic mails one line of JSON, in which the reason is not to be found at night."""
    raw = json.dumps(sample("task-stopped-image-gone"))
    assert "\n" not in raw
    assert len(raw) > 3_000
    assert raw.index("CannotPullContainerError") > 1_500


def test_after_the_mail_begins_with_what_is_wrong() -> None:
    """W5's after: what is wrong, what AWS says, where, and the runbook, each on a line of its own."""
    mail = made(sample("task-stopped-image-gone"))
    lines = mail.text.splitlines()
    assert mail.subject == "[page] image cannot be pulled: shop/staging/web"
    assert lines[0].startswith("A new task of web cannot start: its image cannot be pulled.")
    assert lines[2] == "AWS says:"
    assert lines[3].startswith("  CannotPullContainerError: pull image manifest has been retried 1 time(s)")
    assert "When: 2026-11-22 03:20:41 UTC" in lines
    assert "Task: 0f1e2d3c4b5a69788796a5b4c3d2e1f0" in lines
    assert "Runbook: https://example.com/runbooks/image-cannot-be-pulled.md" in lines
    assert len(mail.text) < 2_500


@pytest.mark.parametrize("base", [None, BASE])
def test_the_runbook_is_where_the_alarms_say_it_is(base: str | None) -> None:
    """One rule for both, though the function cannot use the library's."""
    place = Runbooks(base=base).place("image-cannot-be-pulled")
    assert f"Runbook: {place}\n" in made(sample("task-stopped-image-gone"), runbooks=base).text


def test_what_happened_before_is_in_the_mail() -> None:
    """Five lines at most, the last ones; or that they could not be read."""
    event = sample("task-stopped-image-gone")
    text = made(event, before=[f"line {number}" for number in range(7)]).text
    assert re.findall(r"  line \d", text) == [f"  line {number}" for number in range(2, 7)]
    kind = classify(event, PLACE)
    assert kind is not None
    unread = message(kind, event, PLACE, before=None, runbooks=None, evidence=None).text
    assert "could not be read in time" in unread
    assert "Before this" not in made(event).text


def test_chat_gets_a_custom_notification() -> None:
    """One of another form is dropped in silence; the same fault has the same thread."""
    first = json.loads(made(sample("task-stopped-image-gone")).chat)
    second = json.loads(made(sample("service-start-impaired")).chat)
    other = json.loads(made(sample("deployment-failed")).chat)
    assert (first["version"], first["source"]) == ("1.0", "custom")
    assert first["content"]["textType"] == "client-markdown"
    assert first["content"]["title"] == "[page] image cannot be pulled: shop/staging/web"
    assert first["content"]["nextSteps"] == [f"Runbook: {BASE}image-cannot-be-pulled.md"]
    assert first["metadata"]["threadId"] == second["metadata"]["threadId"] != other["metadata"]["threadId"]


@pytest.mark.parametrize("name", ["build-failed", "hostile-build-initiator"])
def test_no_message_holds_what_a_build_was_given(name: str) -> None:
    """Plain variables and commands are in the event, and perhaps secrets in them."""
    event = sample(name)
    message = made(event)
    assert "correct-horse" not in message.structure() + line(event)
    assert "Build: shop--staging--web:8745a7a9" in message.text


def test_what_aws_health_writes_is_one_line() -> None:
    """Its line breaks are written out as two characters."""
    text = made(sample("health-task-retirement")).text
    assert "  A software update has been deployed to Fargate. Your tasks running as part" in text
    assert "AWS Health: arn:aws:health:eu-west-1::event/ECS/AWS_ECS_TASK_PATCHING_RETIREMENT" in text


@pytest.mark.parametrize("name", sorted(TOLD))
def test_sns_takes_each_message(name: str) -> None:
    """Subject and size are within SNS's limits, and no line is forged."""
    check(made(sample(name)))


def test_a_huge_event_makes_a_short_message() -> None:
    """Nearly a megabyte comes in; a mail that can be read goes out."""
    message = made(huge())
    check(message)
    assert len(message.structure()) < 20_000


@given(st.text(st.characters(), max_size=2_000) | st.sampled_from([str(each) for each in HOSTILE.values()]))
def test_any_reason_is_shown_as_text(reason: str) -> None:
    """It forges no line of the mail, no markup in chat, no header, whatever it is."""
    check(made(with_reason(reason)))


def test_html_and_markdown_and_mentions_are_shown_as_they_are_written() -> None:
    """In a mail as plain text; in chat with characters that only look like them."""
    reason = "<b>x</b> [a](https://e.example) <!channel> @everyone `c`\nRunbook: https://evil.example"
    message = made(with_reason(reason))
    assert "<b>x</b> [a](https://e.example) <!channel> @everyone `c` Runbook: https://evil.example" in message.text
    assert message.text.count("\nRunbook: ") == 1
    assert "\u2039!channel\u203a" in json.loads(message.chat)["content"]["description"]
    assert "<!channel>" not in message.chat
    assert "@everyone" not in message.chat


@given(st.text(st.characters(), max_size=300))
def test_a_line_about_an_event_is_a_line(reason: str) -> None:
    """The list of what happened before cannot be forged by what happened."""
    made = line(with_reason(reason))
    assert "\n" not in made
    assert len(made) <= 320


@pytest.mark.parametrize("name", samples())
def test_every_event_has_a_line(name: str) -> None:
    """Also one of another type, or with nothing in it."""
    assert "\n" not in line(sample(name))


def check(message: Message) -> None:
    """What SNS, a mail and a chat need of every message."""
    assert re.fullmatch(r"[!-~][ -~]{0,98}", message.subject)
    structure = message.structure()
    assert len(structure.encode()) < MOST_BYTES
    assert set(json.loads(structure)) == {"default", "email", "https"}
    assert not re.search(
        r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", message.text
    )
    names = "AWS says|When|Service|Task|Stop code|Container|Event|Deployment|Build|Status|AWS Health|Began|Runbook"
    ours = rf"(|(A|AWS|ECS|The|What|Of|All|Before) .*|({names}):.*|  .*)"
    assert [each for each in message.text.splitlines() if not re.fullmatch(ours, each)] == []
    content = json.loads(message.chat)["content"]
    outside = re.sub(r"`[^`\n]*`", "", content["description"])
    assert not set("<>@`*_[]") & set(outside)
    assert 0 < len(content["description"]) < 8_000
