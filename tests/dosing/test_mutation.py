"""Is each small mistake in a rule noticed? The short form; `make mutate` tries all of dosing/."""

from __future__ import annotations

import subprocess
import sys

from tests.support.mutants import DOSING, changes
from tests.support.mutation import ROOT, named


def test_every_named_survivor_is_still_a_change_of_the_code_and_has_its_reason():
    possible = {change.key for path in DOSING.glob("*.py") for change in changes(path.stem)[1]}

    assert set(named()) <= possible
    assert all(len(why) > 15 for why in named().values())


def test_each_small_change_of_a_rule_about_products_is_noticed_by_the_worked_examples():
    ran = subprocess.run(
        [sys.executable, "-m", "tests.support.mutation", "--quick", "products"],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stdout + ran.stderr
