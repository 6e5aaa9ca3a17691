"""``make replay``: incidents W1 and Q, and who learned of each incident when, as it was and with our stacks.

``python -m tests.incidents W1`` plays one alone. W1 and ``told`` are models and need nothing; Q is played on a cloud on
this machine.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from demo.cloud import LocalCloud
from demo.environments import ACCOUNT, demo_environments
from local_cloud import control
from stacks.node import use_wheel_node
from tests.incidents.story import Moment, World, play


def main(names: Sequence[str]) -> int:
    """Plays the incidents that are named, or all; fails unless each shows what it should."""
    plays = {"W1": w1, "Q": q, "told": who_learned_when}
    unknown = sorted(set(names) - plays.keys())
    if unknown:
        sys.stderr.write(
            f"there is no replay of {', '.join(unknown)}; name one of {', '.join(plays)}, or none for all\n"
        )
        return 2
    console = Console()
    return max([plays[name](console) for name in plays if name in names or not names])


def w1(console: Console) -> int:
    """When a page would have come, and whether the ports would have run out."""
    from tests.incidents.ports_replay import run

    return run(console)


def who_learned_when(console: Console) -> int:
    """When operators and users of each incident learned of it, and when they would have."""
    from tests.incidents.told_replay import run

    return run(console)


def q(console: Console) -> int:
    """Plays both worlds, prints them side by side, and fails unless the first lost images and the second none."""
    use_wheel_node()
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder, "cloud")
        cloud = LocalCloud.started(state)
        try:
            region = demo_environments()[0].region
            cloud.enter(region)
            before, after = (
                list(_played(console, "before", _before(region))),
                list(_played(console, "after", _after(cloud, Path(folder, "assembly"), region))),
            )
        finally:
            control.stop(state)
    console.print(table(before, after))
    console.print(
        "A task was replaced in every service at each step. ECS and the registry are the local cloud's; what a "
        "lifecycle policy deletes is our model of ECR (constructs_lib/images/lifecycle.py). AWS was not called."
    )
    return verdict(before, after)


def verdict(before: list[Moment], after: list[Moment]) -> int:
    """The exit code: 0 when the same story lost images before and none after."""
    same = [moment.happened for moment in before] == [moment.happened for moment in after]
    return 0 if same and any(moment.lost for moment in before) and not any(moment.lost for moment in after) else 1


def table(before: list[Moment], after: list[Moment]) -> Table:
    """Both worlds side by side."""
    made = Table("what happened", "before: keep the last 10", "after: our stacks", show_lines=True)
    for first, second in zip(before, after, strict=True):
        made.add_row(first.happened, _told(first), _told(second))
    return made


def _told(moment: Moment) -> str:
    if not moment.lost:
        return "every task starts"
    return f"[red]{' and '.join(sorted(moment.lost))} cannot pull[/]"


def _before(region: str) -> World:
    from tests.incidents.before import Before

    return Before(region, ACCOUNT)


def _after(cloud: LocalCloud, assembly: Path, region: str) -> World:
    from tests.incidents.after import After, deploy

    cloud.cdk("bootstrap", f"aws://{ACCOUNT}/{region}", region=region)
    return After(deploy(cloud, assembly))


def _played(console: Console, name: str, world: World) -> Iterator[Moment]:
    for moment in play(world):
        console.print(f"{name}: {moment.happened}", style="dim", highlight=False)
        yield moment


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
