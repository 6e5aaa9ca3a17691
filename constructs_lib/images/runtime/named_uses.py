"""Which images schedules, rules, state machines and releases name (lesson Q2)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from .aws import at_once
from .gaps import Gaps
from .model import Source, Use, UsedImage
from .references import ImageReference, RepositoryId, is_digest
from .task_definitions import Wanted

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient
    from types_boto3_events.type_defs import ListEventBusesResponseTypeDef
    from types_boto3_scheduler import EventBridgeSchedulerClient
    from types_boto3_ssm import SSMClient
    from types_boto3_stepfunctions import SFNClient

NOT_RELEASED: Final = "none"
"""The value of a release parameter before the first release. ``constructs_lib.naming`` has the same, by a test."""

_PAGE: Final = 100
_STATE_MACHINES_A_PAGE: Final = 1000
_VERSIONS_A_PAGE: Final = 50
_CLUSTER: Final = ":cluster/"
_ECS_ACTION: Final = ":::aws-sdk:ecs:"
"""Part of a universal target of EventBridge Scheduler, such as ``arn:aws:scheduler:::aws-sdk:ecs:runTask``."""


def read_schedules(scheduler: EventBridgeSchedulerClient, gaps: Gaps) -> list[Wanted]:
    """What EventBridge Scheduler starts. A list says where a schedule aims, but not which task definition."""
    call = "scheduler:ListSchedules"
    listing = scheduler.get_paginator("list_schedules").paginate(PaginationConfig={"PageSize": _PAGE})
    named = [
        (schedule["GroupName"], schedule["Name"])
        for page in gaps.pages(call, "the account", listing)
        for schedule in page["Schedules"]
        if _starts_tasks(schedule["Target"]["Arn"])
    ]
    described = at_once(lambda item: list(_schedule(scheduler, item[0], item[1], gaps)), named)
    return [wanted for each in described for wanted in each]


def _starts_tasks(target: str) -> bool:
    return _ECS_ACTION in target or (target.split(":")[2:3] == ["ecs"] and _CLUSTER in target)


def _schedule(scheduler: EventBridgeSchedulerClient, group: str, name: str, gaps: Gaps) -> Iterator[Wanted]:
    call, of = "scheduler:GetSchedule", f"{group}/{name}"
    schedule = gaps.ask(call, of, lambda: scheduler.get_schedule(GroupName=group, Name=name))
    if schedule is None:
        return
    target = schedule["Target"]
    definitions = []
    if "EcsParameters" in target:
        definitions.append(target["EcsParameters"]["TaskDefinitionArn"])
    if _ECS_ACTION in target["Arn"]:
        definitions += _named_in(target.get("Input", "{}"), f"the input of schedule {of}", gaps)
    for definition in definitions:
        yield Wanted(
            task_definition=definition,
            source="schedule",
            name=schedule["Arn"],
            starts=schedule["State"] == "ENABLED",
        )


def read_rules(events: EventBridgeClient, clusters: Sequence[str], gaps: Gaps) -> list[Wanted]:
    """What EventBridge rules start, on every bus."""
    pairs = [(bus, cluster) for bus in _buses(events, gaps) for cluster in clusters]
    names = at_once(lambda pair: _rules_of(events, pair[0], pair[1], gaps), pairs)
    rules = sorted({(bus, rule) for (bus, _), each in zip(pairs, names, strict=True) for rule in each})
    buses = sorted({bus for bus, _ in rules})
    disabled = dict(zip(buses, at_once(lambda bus: _disabled(events, bus, gaps), buses), strict=True))
    targets = at_once(lambda rule: _task_definitions(events, rule[0], rule[1], gaps), rules)
    return [
        Wanted(task_definition=definition, source="rule", name=f"{bus}/{rule}", starts=rule not in disabled[bus])
        for (bus, rule), definitions in zip(rules, targets, strict=True)
        for definition in definitions
    ]


def _buses(events: EventBridgeClient, gaps: Gaps) -> list[str]:
    pages = gaps.pages("events:ListEventBuses", "the account", _pages_of_buses(events))
    return [bus["Name"] for page in pages for bus in page["EventBuses"]]


def _pages_of_buses(events: EventBridgeClient) -> Iterator[ListEventBusesResponseTypeDef]:
    """boto3 has no paginator for this list."""
    page = events.list_event_buses(Limit=_PAGE)
    yield page
    while "NextToken" in page:
        page = events.list_event_buses(Limit=_PAGE, NextToken=page["NextToken"])
        yield page


def _rules_of(events: EventBridgeClient, bus: str, cluster: str, gaps: Gaps) -> list[str]:
    listing = events.get_paginator("list_rule_names_by_target").paginate(
        TargetArn=cluster, EventBusName=bus, PaginationConfig={"PageSize": _PAGE}
    )
    pages = gaps.pages("events:ListRuleNamesByTarget", f"{cluster} on bus {bus}", listing)
    return [name for page in pages for name in page["RuleNames"]]


def _disabled(events: EventBridgeClient, bus: str, gaps: Gaps) -> set[str]:
    """The rules of a bus that are disabled. One list of all is less than a call for each."""
    listing = events.get_paginator("list_rules").paginate(EventBusName=bus, PaginationConfig={"PageSize": _PAGE})
    pages = gaps.pages("events:ListRules", f"bus {bus}", listing)
    return {rule["Name"] for page in pages for rule in page["Rules"] if rule["State"] == "DISABLED"}


def _task_definitions(events: EventBridgeClient, bus: str, rule: str, gaps: Gaps) -> list[str]:
    listing = events.get_paginator("list_targets_by_rule").paginate(
        Rule=rule, EventBusName=bus, PaginationConfig={"PageSize": _PAGE}
    )
    pages = gaps.pages("events:ListTargetsByRule", f"rule {bus}/{rule}", listing)
    targets = [target for page in pages for target in page["Targets"]]
    return [target["EcsParameters"]["TaskDefinitionArn"] for target in targets if "EcsParameters" in target]


def read_state_machines(stepfunctions: SFNClient, gaps: Gaps) -> list[Wanted]:
    """What state machines start. What one takes from its input is not known before it runs."""
    listing = stepfunctions.get_paginator("list_state_machines").paginate(
        PaginationConfig={"PageSize": _STATE_MACHINES_A_PAGE}
    )
    arns = [
        machine["stateMachineArn"]
        for page in gaps.pages("states:ListStateMachines", "the account", listing)
        for machine in page["stateMachines"]
    ]
    described = at_once(lambda arn: _state_machine(stepfunctions, arn, gaps), arns)
    return [wanted for each in described for wanted in each]


def _state_machine(stepfunctions: SFNClient, arn: str, gaps: Gaps) -> list[Wanted]:
    machine = gaps.ask(
        "states:DescribeStateMachine", arn, lambda: stepfunctions.describe_state_machine(stateMachineArn=arn)
    )
    if machine is None:
        return []
    source: Source = "state machine"
    return [
        Wanted(task_definition=definition, source=source, name=arn, starts=True)
        for definition in _named_in(machine["definition"], f"the definition of {arn}", gaps)
    ]


def _named_in(text: str, what: str, gaps: Gaps) -> list[str]:
    """Every task definition that a JSON text names, each once."""
    try:
        value = json.loads(text)
    except ValueError as error:
        gaps.add(f"{what} is no JSON: {error}")
        return []
    return list(dict.fromkeys(_strings(value)))


def _strings(value: object) -> Iterator[str]:
    """The texts under a key ``TaskDefinition``, however deep; one in ``{% %}`` is computed when the state runs."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(inner, str):
                if key in ("TaskDefinition", "taskDefinition") and not inner.startswith("{%"):
                    yield inner
            else:
                yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def read_releases(ssm: SSMClient, releases: Mapping[str, RepositoryId], gaps: Gaps, *, kept: int) -> list[UsedImage]:
    """The digest that each release parameter holds, and the ``kept`` newest others that it held before."""
    histories = at_once(lambda name: _history(ssm, name, gaps), list(releases))
    return [
        used
        for (name, repository), history in zip(releases.items(), histories, strict=True)
        for used in _releases(name, repository, history, gaps, kept)
    ]


def _history(ssm: SSMClient, name: str, gaps: Gaps) -> list[str]:
    """The values of a parameter, newest first. The oldest are listed first, so a part of the list tells nothing."""
    listing = ssm.get_paginator("get_parameter_history").paginate(
        Name=name, PaginationConfig={"PageSize": _VERSIONS_A_PAGE}
    )
    pages = list(gaps.pages("ssm:GetParameterHistory", name, listing))
    if not pages or "NextToken" in pages[-1]:
        return []
    versions = {version["Version"]: version["Value"] for page in pages for version in page["Parameters"]}
    return [versions[number] for number in sorted(versions, reverse=True)]


def _releases(
    name: str, repository: RepositoryId, history: Sequence[str], gaps: Gaps, kept: int
) -> Iterator[UsedImage]:
    current = next(iter(history), NOT_RELEASED)
    if is_digest(current):
        yield _release(name, repository, current, "release")
    elif current != NOT_RELEASED:
        gaps.add(f"the release parameter {name} must hold a digest or {NOT_RELEASED!r}, got {current!r}; release again")
    former = [value for value in dict.fromkeys(history) if value != current and is_digest(value)]
    for value in former[:kept]:
        yield _release(name, repository, value, "former release")


def _release(name: str, repository: RepositoryId, digest: str, source: Source) -> UsedImage:
    use = Use(owner=name.split("/")[-2], source=source, name=name, starts=source == "release")
    return UsedImage(reference=ImageReference(repository=repository, digest=digest), use=use)
