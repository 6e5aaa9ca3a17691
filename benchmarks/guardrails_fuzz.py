"""Judges many arbitrary templates: ``python -m benchmarks.guardrails_fuzz [100000]``. See README.md in this folder."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent.parent))  # for `python benchmarks/guardrails_fuzz.py`

from tests.guardrails.arbitrary import Template, arbitrary, spoiled
from tests.guardrails.test_fuzz import judge_it


def main(arguments: list[str]) -> int:
    """Judges half as many arbitrary templates and half as many spoiled ones, and prints what came of it."""
    count = int(arguments[0]) if arguments else 100_000
    began = time.process_time()
    for name, kind in (("arbitrary", arbitrary()), ("spoiled", spoiled())):
        judged = many(kind, count // 2)
        sys.stdout.write(f"{name}: {judged['templates']} templates, {judged['findings']} findings, no exception\n")
    sys.stdout.write(f"{time.process_time() - began:.0f} s of CPU\n")
    return 0


def many(kind: st.SearchStrategy[Template], count: int) -> Counter[str]:
    """Judges so many templates; an exception ends it with the smallest template that shows it."""
    judged: Counter[str] = Counter()

    @seed(20251122)
    @settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(kind)
    def ask(template: Template) -> None:
        judged["findings"] += judge_it(template)
        judged["templates"] += 1

    ask()
    return judged


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
