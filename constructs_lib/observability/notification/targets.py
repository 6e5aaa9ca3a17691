"""Who is told of an alarm: people by e-mail or chat, a system by HTTPS or by an event bus. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from constructs_lib.alarm_spec import Severity
from constructs_lib.checks import concrete, email, invalid, tuple_of

SEVERITIES: Final[tuple[Severity, ...]] = ("page", "notice")

_BUS: Final = re.compile(r"arn:aws[\w-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/[A-Za-z0-9_./-]+", re.ASCII)
_SECRET: Final = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}", re.ASCII)
_TENANT: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_TEAMS_CHANNEL: Final = re.compile(r"(?=.{1,255}$)[\w=+/.,-]*%3[aA][\w=+/.,-]*%40[\w=+/.,-]*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailTarget:
    """An e-mail address; AWS asks it to confirm first, once for each severity (lesson W3).

    Args:
        address: such as ``ops@example.com``.
        severities: what it is told of; ``page`` and ``notice`` by default.

    Raises:
        ValueError: no e-mail address, or a severity that does not exist.
    """

    address: str
    severities: tuple[Severity, ...] = SEVERITIES

    def __post_init__(self) -> None:
        email("address", self.address)
        _check(self.severities)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpsTarget:
    """An HTTPS endpoint of a system that wakes people, such as an on-call service (lesson W3).

    It must confirm the subscription that SNS sends it first, and gets SNS's JSON with the alarm in ``Message``
    (docs/observability.md). An address that holds a key, as many such services give, belongs into Secrets Manager.

    Args:
        url: begins with ``https://``; ``None``, the default: it is in ``secret``.
        secret: name of the secret of Secrets Manager whose text is the address, so that no template holds it; ``None``,
            the default: it is ``url``. Who may list the topic's subscriptions reads the address all the same.
        severities: what it is told of; ``page`` and ``notice`` by default.

    Raises:
        ValueError: both or none of ``url`` and ``secret``, plain HTTP, a name or password in the address, or a severity
            that does not exist.
    """

    url: str | None = None
    secret: str | None = None
    severities: tuple[Severity, ...] = SEVERITIES

    def __post_init__(self) -> None:
        if (self.url is None) == (self.secret is None):
            given = "none" if self.url is None else "both"
            raise invalid("url or secret", given, "one of the two", "pass the address, or the secret that holds it")
        if self.url is not None:
            _check_url(self.url)
        if self.secret is not None and not _SECRET.fullmatch(concrete("secret", self.secret)):
            raise invalid("secret", self.secret, "the name of a secret", "pass its name, not its ARN and not its value")
        _check(self.severities)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackTarget:
    """A channel of Slack, by Amazon Q Developer in chat applications (lesson W3).

    A person authorises the workspace once, in the console. The channel is told and can do nothing.

    Args:
        workspace: the id of the workspace, such as ``T0123456789``.
        channel: the id of the channel, such as ``C0123456789``; its name is none.
        severities: what it is told of; ``page`` and ``notice`` by default.

    Raises:
        ValueError: no id of Slack's, or a severity that does not exist.
    """

    workspace: str
    channel: str
    severities: tuple[Severity, ...] = SEVERITIES

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9A-Z]{1,255}", concrete("workspace", self.workspace)):
            fix = "copy it from the console after the workspace is authorised"
            raise invalid("workspace", self.workspace, "an id of capital letters and digits", fix)
        if not re.fullmatch(r"[A-Za-z0-9]{1,80}", concrete("channel", self.channel)):
            fix = "copy the channel's link; the id is its last part"
            raise invalid("channel", self.channel, "an id of letters and digits, not a name", fix)
        _check(self.severities)


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamsTarget:
    """A channel of Microsoft Teams, by Amazon Q Developer in chat applications (lesson W3).

    A person authorises the team once, in the console. The channel is told and can do nothing.

    Args:
        tenant: the id of the tenant, a UUID.
        team: the id of the team, a UUID.
        channel: the id of the channel as its link has it, such as ``19%3ab6ef35dc342d56ba%40thread.tacv2``.
        severities: what it is told of; ``page`` and ``notice`` by default.

    Raises:
        ValueError: no id of Teams's, or a severity that does not exist.
    """

    tenant: str
    team: str
    channel: str
    severities: tuple[Severity, ...] = SEVERITIES

    def __post_init__(self) -> None:
        for what, value in (("tenant", self.tenant), ("team", self.team)):
            if not _TENANT.fullmatch(concrete(what, value)):
                raise invalid(what, value, "a UUID", "copy it from the console after the team is authorised")
        if not _TEAMS_CHANNEL.fullmatch(concrete("channel", self.channel)):
            fix = "copy the channel's link; the id stands before the channel's name, with %3a and %40 as they are"
            raise invalid("channel", self.channel, "an id such as '19%3a…%40thread.tacv2'", fix)
        _check(self.severities)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBusTarget:
    """An event bus, of this account or another, that gets the environment's events as AWS sent them (lesson W5).

    It has no severities: it gets every change of every alarm, and a rule on it chooses.

    Args:
        bus_arn: such as ``arn:aws:events:eu-west-1:111122223333:event-bus/operations``; another account's bus must
            admit this account by its policy.

    Raises:
        ValueError: no ARN of an event bus.
    """

    bus_arn: str

    def __post_init__(self) -> None:
        if not _BUS.fullmatch(concrete("bus_arn", self.bus_arn)):
            raise invalid("bus_arn", self.bus_arn, "the ARN of an event bus", "copy it from EventBridge")


TopicTarget: TypeAlias = EmailTarget | HttpsTarget | SlackTarget | TeamsTarget
"""Told by one of the two topics, or by both."""

NotificationTarget: TypeAlias = TopicTarget | EventBusTarget


def check_targets(what: str, targets: Sequence[NotificationTarget]) -> None:
    """Refuses what is no target, and one that is there twice: it would be told twice of each alarm, or refused by AWS.

    Raises:
        ValueError: a list or a text instead of targets, or one address or channel twice.
    """
    kinds = (EmailTarget, HttpsTarget, SlackTarget, TeamsTarget, EventBusTarget)
    for target in targets:
        if not isinstance(target, kinds):
            raise invalid(what, target, "targets of notifications", "write EmailTarget(address='ops@example.com')")
    places = [place_of(target) for target in targets]
    for place, target in zip(places, targets, strict=True):
        if places.count(place) > 1:
            raise invalid(what, target, "named once", "give one target all its severities")


def place_of(target: NotificationTarget) -> tuple[str, ...]:
    """Who is told, whatever of: the same for two targets that name one address, channel or bus."""
    if isinstance(target, EmailTarget):
        return ("email", target.address)
    if isinstance(target, HttpsTarget):
        return ("url", target.url or "") if target.secret is None else ("secret", target.secret)
    if isinstance(target, SlackTarget):
        return ("slack", target.workspace, target.channel)
    if isinstance(target, TeamsTarget):
        return ("teams", target.tenant, target.team, target.channel)
    return ("bus", target.bus_arn)


def _check(severities: tuple[Severity, ...]) -> None:
    tuple_of("severities", severities, str, "('page',)")
    if not severities or len(set(severities)) < len(severities) or not set(severities) <= set(SEVERITIES):
        raise invalid("severities", severities, "'page', 'notice' or both, each once", "leave it out for both")


def _check_url(url: str) -> None:
    concrete("url", url)
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or not re.fullmatch(r"[\x21-\x7e]+", url):
        raise invalid("url", url, "an address that begins with https://", "SNS would send alarms readable by anybody")
    if parts.username is not None or parts.password is not None:
        raise invalid("url", url, "without a name or password", "keep the address in Secrets Manager and pass `secret`")
