"""`moorings ports` says what the synthesis says, and the pages show what it prints (lesson W1)."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from constructs_lib.services.ports.local_ports import KERNEL
from constructs_lib.services.ports.port_budget import PortBudget
from constructs_lib.services.ports.port_remedies import remedies
from tests.ops.support import Done, run

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "docs" / "ports.md", ROOT / "docs" / "lessons" / "W1-port-budget.md"]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
FIVE = ("--sessions", 50_000, "--requests", 6, "--tasks", 20, "--destinations", 1, "--nat-gateways", 3)


def ports(*more: object, requests: object = 6) -> Done:
    """The write-up's sessions, with what a test adds."""
    return run("ports", "--sessions", 50_000, "--requests", requests, "--tasks", 20, *more)


def test_the_sentences_are_those_of_the_synthesis() -> None:
    """One function makes them, so that nobody has to compare two answers."""
    done = ports()
    budget = PortBudget(expected_sessions=50_000, requests_per_session=6, tasks=20)
    lines = done.out.splitlines()
    assert lines[0] == budget.load
    for path in budget.paths:
        assert f"  {path.sentence}" in lines
    kernel = PortBudget(expected_sessions=50_000, requests_per_session=6, tasks=20, local_ports=KERNEL)
    assert f"  {kernel.paths[1].sentence}" in lines
    for said in remedies(kernel):
        assert f"  {said}" in lines
    assert done.code == 0


def test_both_ranges_stand_side_by_side() -> None:
    """Before and after, and how many sessions fit into each."""
    lines = ports(requests=12).out.splitlines()
    columns = [re.split(r" {2,}", line) for line in lines[2:7]]
    assert columns == [
        ["", "needs", "ports 32768 to 60999, the kernel's", "ports 10240 to 65535, the default here"],
        ["load balancer to task", "7500", "12 % of 64512, holds", "12 % of 64512, holds"],
        ["task to database or cache", "37500", "133 % of 28232, runs out", "68 % of 55296, is tight"],
        ["open files of a task", "15000", "23 % of 65535, holds", "23 % of 65535, holds"],
        ["sessions that fit", "37642", "73728"],
    ]
    assert "With the kernel's ports, 32768 to 60999:" in lines
    assert "With these ports, 10240 to 65535:" in lines


@pytest.mark.parametrize(
    ("more", "requests", "code"),
    [((), 6, 0), ((), 12, 0), ((), 17.6, 0), ((), 17.7, 1), (("--nat-gateways", 3), 6, 1), (("--tasks", 10), 12, 1)],
)
def test_the_exit_code_is_the_answer(more: tuple[object, ...], requests: float, code: int) -> None:
    """0 while it holds, tight or not; 1 when any path runs out with the range that services here get."""
    assert ports(*more, requests=requests).code == code


def test_every_number_is_used() -> None:
    """Each option reaches the arithmetic."""
    said = ports(
        *("--destinations", 2, "--nat-gateways", 2, "--nat-addresses", 3, "--kept", "pooled", "--pool-size", 40),
        *("--upstream-seconds", 7),
    ).out
    assert "x 7 s open" in said
    assert "a pool of 40 = 40 of 110592 ports (10240 to 65535) to 2 destinations" in said
    assert "20 tasks x a pool of 40 = 800 of 330000 connections of 2 NAT gateways with 3 addresses" in said
    assert "50000 sessions / 20 tasks = 2500 of" in ports("--kept", "per-session").out
    assert "/ 20 tasks x 1.5 connections x (15 s open" in ports("--per-request", 1.5).out


def test_programs_get_the_same_as_json() -> None:
    """Both ranges with every path, and nothing else on stdout."""
    done = ports("--json", requests=12)
    made = done.json
    assert (made["holds"], done.code) == (True, 0)
    assert [(one["name"], one["verdict"], one["sessions_held"]) for one in made["ranges"]] == [
        ("kernel", "runs out", 37_642),
        ("moorings", "tight", 73_728),
    ]
    path = made["ranges"][0]["paths"][1]
    assert {key: path[key] for key in ("name", "holds", "needs", "verdict")} == {
        "name": "task to database or cache",
        "holds": 28_232,
        "needs": 37_500,
        "verdict": "runs out",
    }
    assert path["headroom"] == pytest.approx(-0.328, abs=0.001)
    assert "= 37500 of 28232 ports" in path["sentence"]
    assert made["ranges"][0]["remedies"][1] == "Or run 54 tasks instead of 20."
    assert made["load"].startswith("50000 sessions x 12 requests a minute = 10000 requests a second")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sessions", "0"), "--sessions: must be a whole number from 1"),
        (("--requests", "0"), "--requests: must be a number above 0"),
        (("--per-request", "2000"), "per_request must be a number from 0.001 to 1000, got 2000.0"),
        (("--requests", "nan"), "--requests: must be a number above 0"),
        (("--requests", "many"), "--requests: must be a number above 0"),
        (("--tasks", "5001"), "tasks must be a whole number from 1 to 5000"),
        (("--pool-size", "5"), "pool_size must be None unless kept is 'pooled'"),
        (("--kept", "pooled"), "pool_size must be given when kept is 'pooled', got None"),
        (("--kept", "forever"), "--kept: invalid choice"),
        (("--nat-addresses", "2"), "--nat-addresses says nothing without --nat-gateways"),
        (("--nat-gateways", "1", "--nat-addresses", "9"), "nat_addresses must be a whole number from 1 to 8"),
    ],
)
def test_wrong_input_is_one_sentence(words: tuple[str, str], said: str) -> None:
    """Exit code 2, and nothing on stdout."""
    done = ports(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("moorings: ")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_neither_boto3_nor_rich_nor_cdk_is_loaded() -> None:
    """Whoever has the base install may ask."""
    program = (
        "import sys\n"
        "for name in ('boto3', 'botocore', 'rich', 'aws_cdk', 'jsii', 'constructs'): sys.modules[name] = None\n"
        "from constructs_lib.ops.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    words = [str(word) for word in ("ports", *FIVE)]
    done = subprocess.run(
        [sys.executable, "-c", program, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == run("ports", *FIVE).out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_pages_show_what_is_printed(page: Path) -> None:
    """Their numbers are the command's, by running each command that they show."""
    found = BLOCK.findall(page.read_text())
    assert found
    for block in found:
        shown, code = "", 0
        for command in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
            shown += f"$ {command}\n"
            if command == "echo $?":
                shown += f"{code}\n"
                continue
            program, *words = shlex.split(command)
            assert program == "moorings"
            done = run(*words)
            code, shown = done.code, shown + done.out + done.err
        assert shown == block


def test_the_page_names_every_number_of_a_budget() -> None:
    """A team that fills in the page has filled in the command."""
    text = PAGES[0].read_text()
    for option in ("--sessions", "--requests", "--tasks", "--destinations", "--nat-gateways"):
        assert f"`{option}`" in text
