"""``make demo-break`` and ``make demo-heal``: a fault, what the cloud makes of it, and the seconds at each hop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from rich.console import Console
from rich.table import Table

from demo.component import Component
from demo.hops import Arrival, Hop, own_seconds, watch
from demo.pager import Pager, pager
from demo.status_page import StatusPage
from local_cloud import control, controls

OWN_SECONDS = 5.0
"""What we aim at: from the composite alarm to the page."""

_LIMIT_MINUTES = 15
_LIMIT_SECONDS = 60


def break_it(console: Console, endpoint: control.Endpoint, page: StatusPage, component: Component) -> Sequence[Arrival]:
    """Breaks the component, and shows how it comes to the page; the hops, none if it is broken already.

    Raises:
        TooLateError: it did not come there.
    """
    if component.is_red():
        state = page.feed_state(component.name)
        already = f"{component.place} is broken already; the page says {state}. `make demo-heal` mends it."
        console.print(f"{already}\n{page.address}", soft_wrap=True)
        return ()
    on_page, on_notice = component.topics()
    with pager(page.environment.region, on_page, on_notice) as heard:
        began = time.time()
        component.fail(True)
        console.print(f"All tasks of {component.place} fail their health check from now on.")
        hops = (
            Hop(what="the load balancer's metric tells of unhealthy targets", probe=partial(_metric, component, began)),
            Hop(what="the first alarm is red", probe=partial(_red, component)),
            Hop(what="the composite alarm `degraded` is red", probe=partial(_turned, component, "degraded", "ALARM")),
            Hop(what="the message is on the topic that pages", probe=partial(_message, heard, on_page, "degraded")),
            *_on_page(page, component, well=False),
        )
        arrivals = watch(hops, seconds=_limit(endpoint))
        _show(console, endpoint, began, arrivals)
        outage = (
            Hop(what="the composite alarm `outage` is red", probe=partial(_turned, component, "outage", "ALARM")),
            Hop(what="the page tells of an outage", probe=partial(_says, page, component, "outage")),
        )
        _later(console, began, outage, endpoint)
        _count(console, heard, on_page, on_notice)
    console.print(f"The page: {page.address} · `make demo-heal` mends it.", soft_wrap=True)
    return arrivals


def heal(console: Console, endpoint: control.Endpoint, page: StatusPage, component: Component) -> Sequence[Arrival]:
    """Mends the component, and shows how it comes to the page; the hops, none if it is not broken.

    Raises:
        TooLateError: it did not come there.
    """
    if not component.is_red() and page.feed_state(component.name) == "operational":
        component.fail(False)  # a fault that no alarm has seen yet
        already = f"{component.place} is not broken; the page says operational. `make demo-break` breaks it."
        console.print(f"{already}\n{page.address}", soft_wrap=True)
        return ()
    on_page, on_notice = component.topics()
    with pager(page.environment.region, on_page, on_notice) as heard:
        began = time.time()
        component.fail(False)
        console.print(f"The tasks of {component.place} pass their health check again.")
        hops = (
            Hop(what="the load balancer finds all targets healthy", probe=partial(_healthy, component)),
            Hop(what="the last alarm is green", probe=component.green_since),
            Hop(what="the composite alarm `degraded` is green", probe=partial(_turned, component, "degraded", "OK")),
            Hop(what="the message is on the topic of notices", probe=partial(_message, heard, on_notice, "degraded")),
            *_on_page(page, component, well=True),
        )
        arrivals = watch(hops, seconds=_limit(endpoint))
        _show(console, endpoint, began, arrivals)
        _count(console, heard, on_page, on_notice)
    console.print(f"The page: {page.address}", soft_wrap=True)
    return arrivals


def _on_page(page: StatusPage, component: Component, *, well: bool) -> tuple[Hop, ...]:
    """The hops that are our own code: the event's function writes the state, and then what follows from it."""
    return (
        Hop(what="the page is written, in English", probe=partial(_html, page, "index.html", well), ours=True),
        Hop(what="the page is written, in Japanese", probe=partial(_html, page, "ja/index.html", well), ours=True),
        Hop(what="status.json is written", probe=partial(_feed, page, component, well), ours=True),
    )


def _html(page: StatusPage, path: str, well: bool) -> float | None:
    state = page.first_row(path)
    return _if(state is not None and (state == "operational") is well)


def _if(condition: bool) -> float | None:
    return time.time() if condition else None


def _metric(component: Component, since: float) -> float | None:
    return _if(component.has_unhealthy_targets(since))


def _red(component: Component) -> float | None:
    found = component.red_alarm()
    return found[1] if found else None


def _healthy(component: Component) -> float | None:
    return _if(component.all_healthy())


def _turned(component: Component, felt: str, value: str) -> float | None:
    return component.composite_changed(felt, value)


def _message(heard: Pager, topic: str, about: str) -> float | None:
    return next((one.at for one in heard.messages(topic) if f'/{about}"' in one.subject), None)


def _feed(page: StatusPage, component: Component, well: bool) -> float | None:
    state = page.feed_state(component.name)
    return _if(state is not None and (state == "operational") is well)


def _says(page: StatusPage, component: Component, state: str) -> float | None:
    return _if(page.feed_state(component.name) == state)


def _limit(endpoint: control.Endpoint) -> float:
    return _LIMIT_SECONDS + _LIMIT_MINUTES * controls.minute(endpoint)


def _show(console: Console, endpoint: control.Endpoint, began: float, arrivals: Sequence[Arrival]) -> None:
    minute = controls.minute(endpoint)
    table = Table()
    table.add_column("Seconds", justify="right")
    table.add_column("Since the change", justify="right")
    table.add_column("What has happened")
    before = began
    for arrival in arrivals:
        took, since = arrival.at - before, arrival.at - began
        table.add_row(f"{max(took, 0):.2f}", f"{since:.2f}", arrival.hop.what, style="bold" if arrival.hop.ours else "")
        before = max(before, arrival.at)
    console.print(table)
    own = own_seconds(arrivals)
    console.print(
        f"Our own part (bold), from the alarm to the page: {own:.2f} s, aimed at less than {OWN_SECONDS:.0f} s.",
        style="green" if own < OWN_SECONDS else "red",
    )
    console.print(
        f"The rest is CloudWatch's minutes. One takes {minute:g} s here, 60 s on AWS, where metrics also come later.\n"
        "`make synth` prints what each alarm may take there. Nothing here was measured on AWS.",
        soft_wrap=True,
    )


def _later(console: Console, began: float, hops: Sequence[Hop], endpoint: control.Endpoint) -> None:
    """What follows when alarms that need longer are red, too."""
    for arrival in watch(hops, seconds=_limit(endpoint)):
        console.print(f"  after {arrival.at - began:.2f} s {arrival.hop.what}")


def _count(console: Console, heard: Pager, on_page: str, on_notice: str) -> None:
    for what, topic in (("page", on_page), ("notice", on_notice)):
        subjects = [one.subject for one in heard.messages(topic)]
        console.print(f"Messages on the topic of severity {what}: {len(subjects)}", *subjects, sep="\n  ", markup=False)
