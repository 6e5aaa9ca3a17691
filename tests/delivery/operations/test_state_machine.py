"""Any order of builds, releases, failures, promotions, freezes, kills and rivals leaves the world in order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from constructs_lib.delivery.ledger import RELEASES_KEPT, Action, successful
from constructs_lib.delivery.operations import freeze
from constructs_lib.delivery.operations.outcomes import Busy, Interrupted, NothingToDo, Refused
from tests.delivery.operations.cuts import Killed
from tests.delivery.operations.shop import FAMILY, Shop
from tests.delivery.operations.test_release_killed import WRITING
from tests.fake_aws.ecs_one_off import Ending
from tests.fake_aws.ecs_scheduler import Behaviour

ENVIRONMENTS = ("staging", "production")
environments = st.sampled_from(ENVIRONMENTS)
actions: st.SearchStrategy[Action] = st.sampled_from(["release", "rollback", "restart"])
behaviours: st.SearchStrategy[Behaviour] = st.sampled_from(["good", "good", "cannot start", "never healthy"])
endings: st.SearchStrategy[Ending] = st.sampled_from(["good", "good", "good", "fails", "cannot pull", "hangs"])
calls = st.integers(min_value=0, max_value=100)
KEPT_SECONDS = 240


class Delivery(RuleBasedStateMachine):
    """A staging and a production that people and processes work on."""

    def __init__(self) -> None:
        super().__init__()
        self.shop = Shop(tasks=1, migrates=True)
        self.builds: list[str] = []
        self.old: set[str] = set()
        self.newest = dict.fromkeys(ENVIRONMENTS, 0)
        self.wrong: list[str] = []
        self._watch_what_starts()

    def _watch_what_starts(self) -> None:
        change = self.shop.ecs.change

        def watched(service: str, task_definition: str, *, desired: int | None = None) -> str:
            environment = service.split("/")[1]
            digest = self.shop.ecs.digest(task_definition)
            if digest in self.shop.ecr.repositories[f"shop/{environment}/web"].images:
                if digest not in self.shop.pinned(environment):
                    self.wrong.append(f"{environment} starts {digest}, which nothing pins")
                known = self.old if environment == "staging" else set()
                if digest not in known | self.shop.ecs.ended_well(FAMILY.format(environment)):
                    self.wrong.append(f"{environment} starts {digest}, whose task before the release never ended well")
                if environment == "production" and digest not in self._good("staging"):
                    self.wrong.append(f"production starts {digest}, which staging never ran")
            return change(service, task_definition, desired=desired)

        self.shop.ecs.change = watched  # type: ignore[method-assign]

    def _good(self, environment: str) -> list[str]:
        return [entry.digest for entry in successful(self.shop.entries(environment))]

    def _command(self, environment: str, action: Action, target: str | None = None, line: int = 0) -> None:
        world = self.shop.world(self.shop.connect(line)[1]) if line else None
        with suppress(Refused, Busy, NothingToDo, Interrupted):
            self.shop.run(environment, action, target, world=world)

    @initialize()
    def first(self) -> None:
        """Something runs in staging."""
        self.builds += self.shop.given("staging", 2)
        self.old = set(self.builds)
        self.wrong.clear()

    @rule(behaviour=behaviours, ending=endings)
    def build(self, behaviour: Behaviour, ending: Ending) -> None:
        """A build for staging."""
        self.builds.append(self.shop.build(behaviour=behaviour, migration=ending))

    @rule(environment=environments, action=actions)
    def command(self, environment: str, action: Action) -> None:
        """Somebody runs a command to its end."""
        self._command(environment, action)

    @rule(data=st.data(), environment=environments)
    def release_another(self, data: st.DataObject, environment: str) -> None:
        """Somebody names what to release; it may not be there, or never have run in staging."""
        self._command(environment, "release", data.draw(st.sampled_from(self.builds)))

    @precondition(lambda self: self.shop.entries("staging"))
    @rule(data=st.data())
    def go_back_to(self, data: st.DataObject) -> None:
        """Somebody names an entry to go back to."""
        number = data.draw(st.sampled_from([entry.number for entry in self.shop.entries("staging")]))
        self._command("staging", "rollback", str(number))

    @rule(data=st.data())
    def promote(self, data: st.DataObject) -> None:
        """Somebody brings an image to production's repository, tried or not."""
        self.shop.promote(data.draw(st.sampled_from(self.builds)))

    @rule(environment=environments)
    def freeze(self, environment: str) -> None:
        """Somebody freezes an environment, or lifts it."""
        ssm = self.shop.world().clients.ssm
        if not freeze.thaw(ssm, "shop", environment):
            freeze.freeze(ssm, "shop", environment, who="somebody", reason="a sale", now=self.shop.clock.now())

    @rule(environment=environments, action=actions, at=calls, after=st.booleans(), interrupted=st.booleans())
    def broken_off(self, environment: str, action: Action, at: int, after: bool, interrupted: bool) -> None:
        """A command ends at one of its calls."""
        self.shop.cut(at, KeyboardInterrupt if interrupted else Killed, after=after)
        with suppress(Killed, KeyboardInterrupt):
            self._command(environment, action)
        self.shop.connect(0)

    @rule(environment=environments, action=actions, rival=actions, at=calls, stalled=st.booleans())
    def at_once(self, environment: str, action: Action, rival: Action, at: int, stalled: bool) -> None:
        """While a command waits for an answer, another runs to its end, perhaps after the first one's lease."""
        self._with(at, lambda: self._command(environment, rival, line=1), stalled=stalled)
        self._command(environment, action)
        self.shop.aws.before = lambda _operation, _params: None

    def _with(self, at: int, rival: Callable[[], None], *, stalled: bool) -> None:
        count = 0

        def before(operation: str, _params: Any) -> None:
            nonlocal count
            count += 1
            # Nobody can help it when a process stands still between its last look and its write: reads only.
            if count > at >= 0 and not operation.endswith(WRITING):
                self.shop.aws.before = lambda _operation, _params: None
                if stalled:
                    self.shop.clock.sleep(KEPT_SECONDS)
                rival()

        self.shop.aws.before = before

    @rule(minutes=st.integers(min_value=1, max_value=10))
    def time_passes(self, minutes: int) -> None:
        """Leases run out, and updates come to their ends."""
        self.shop.clock.sleep(60 * minutes)

    @invariant()
    def nothing_wrong_was_started(self) -> None:
        """What a service starts is pinned, and in production it ran in staging before."""
        assert self.wrong == []

    @invariant()
    def one_task_before_a_release_at_a_time(self) -> None:
        """None was started while another one had not stopped, and at most one copy of its definition is left."""
        assert not any(self.shop.ecs.unfinished_at_start)
        for environment in ENVIRONMENTS:
            was_open = any(entry.open for entry in self.shop.entries(environment))
            assert len(self.shop.ecs.of_family(FAMILY.format(environment))) <= 1 + was_open

    @invariant()
    def one_at_a_time(self) -> None:
        """At most one entry is alive, and numbers only go up."""
        for environment in ENVIRONMENTS:
            entries = self.shop.entries(environment)
            assert sum(entry.alive(self.shop.clock.now()) for entry in entries) <= 1
            numbers = [entry.number for entry in entries]
            assert len(numbers) == len(set(numbers))
            assert max(numbers, default=0) >= self.newest[environment]
            self.newest[environment] = max(numbers, default=0)

    @invariant()
    def the_ledger_says_what_runs(self) -> None:
        """Unless something is open, the last successful digest runs, and the parameter says so."""
        for environment in ENVIRONMENTS:
            entries = self.shop.entries(environment)
            if not any(entry.open for entry in entries):
                expected = next(iter(self._good(environment)), "none")
                assert self.shop.running(environment) == self.shop.parameter(environment) == expected

    @invariant()
    def nothing_needed_can_expire(self) -> None:
        """What runs, and what one may go back to, is pinned."""
        for environment in ENVIRONMENTS:
            needed = {self.shop.running(environment), *self._good(environment)[: RELEASES_KEPT + 1]} - {"none"}
            assert needed <= self.shop.pinned(environment)

    def teardown(self) -> None:
        """However it stands: when leases have run out and a freeze is lifted, one command mends it."""
        for environment in ENVIRONMENTS:
            freeze.thaw(self.shop.world().clients.ssm, "shop", environment)
            self.shop.clock.sleep(KEPT_SECONDS)
            was_open = any(entry.open for entry in self.shop.entries(environment))
            self._command(environment, "release")
            if was_open and self.shop.ecr.repositories[f"shop/{environment}/web"].images:
                self._command(environment, "rollback")
        self.the_ledger_says_what_runs()
        self.nothing_wrong_was_started()


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(max_examples=25, stateful_step_count=14, deadline=None)
