"""Which requirements and rules does no test prove?

Read from the tests themselves: every `@pytest.mark.proves(...)` is collected without running a
test, and set against docs/requirements.md and the rule tables. A test that is skipped or expected
to fail proves nothing and is not counted.

    python -m tests.support.trace              core requirements and every rule; exit 1 on a gap
    python -m tests.support.trace --all        the extended requirements too
    python -m tests.support.trace --only RP-02,RP-04
    python -m tests.support.trace --show RP-02     the tests that prove it
"""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "docs" / "requirements.md"
# | RP-01 | Every prescribing service ... | 000 §3.3 | core
REQUIREMENT = re.compile(
    r"^\| (?P<id>[A-Z]{2,3}-\d{2}) \| (?P<text>.+) \| .+ \| (?P<priority>core|ext|ctx)$",
    re.MULTILINE,
)
RULE = re.compile(r"[A-Z]+-[A-Z0-9]")
# The states, the ambiguities and the bold names of decision tables and reference data.
OTHER_NAMES = re.compile(r"^\| ([A-Z][A-Za-z]*\d+[a-z]?) \||^\*\*([TR]\d) ", re.MULTILINE)


@dataclass(frozen=True)
class Requirement:
    """One numbered line of the inventory: its words and whether it is core, ext or ctx."""

    id: str
    text: str
    priority: str


def requirements(inventory: str) -> dict[str, Requirement]:
    """Every numbered requirement of the inventory's text, by id."""
    return {
        found["id"]: Requirement(**found.groupdict()) for found in REQUIREMENT.finditer(inventory)
    }


def other_names(inventory: str) -> set[str]:
    """What a test may name besides: decision tables, states, reference data, ambiguities."""
    return {first or second for first, second in OTHER_NAMES.findall(inventory)}


def rules(root: Path = ROOT) -> dict[str, str]:
    """What each rule in the rule files asks, by id, whichever table of its file it stands in.

    Entries with a name instead of an id with a number are definitions that rules read.
    """
    return {
        name: entry["asks"]
        for package in ("dosing", "scheduling")
        for path in sorted((root / package).glob("*.toml"))
        for table in tomllib.loads(path.read_text(encoding="utf-8")).values()
        for entry in (table if isinstance(table, list) else [table])
        if isinstance(entry, dict) and "asks" in entry
        if RULE.match(name := entry.get("rule", entry["id"]))
    }


class _Collector:
    """Gathers the marks of every collected test, and whatever could not be collected."""

    def __init__(self) -> None:
        self.proofs: dict[str, list[str]] = defaultdict(list)
        self.tests = 0
        self.broken: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken.append(f"{report.nodeid}\n{report.longreprtext}")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.tests = len(session.items)
        for item in session.items:
            if any(item.get_closest_marker(name) for name in ("skip", "skipif", "xfail")):
                continue
            for mark in item.iter_markers("proves"):
                for name in mark.args:
                    self.proofs[name].append(item.nodeid)


def collect(*arguments: str) -> _Collector:
    """The marks of the tests pytest would run with these arguments; none of them is run."""
    collector = _Collector()
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        ended = pytest.main(
            ["--collect-only", "-qq", "-p", "no:randomly", *arguments], plugins=[collector]
        )
    if ended not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        collector.broken = collector.broken or [said.getvalue()]
    return collector


def unproved(wanted: Iterable[str], proofs: Mapping[str, list[str]]) -> list[str]:
    """The wanted ids no test proves, in the order given."""
    return [name for name in wanted if not proofs.get(name)]


def main(arguments: list[str] | None = None) -> int:
    """Print the gaps. 0 when there is none, 1 when there is, 2 when the tests do not collect."""
    parser = argparse.ArgumentParser(prog="make trace", description="Which ids does no test prove?")
    parser.add_argument("--only", "--issue", metavar="ID,ID", help="look at these ids alone")
    parser.add_argument("--all", action="store_true", help="extended requirements as well")
    parser.add_argument("--show", metavar="ID", help="name the tests that prove this id")
    options = parser.parse_args(arguments)

    inventory = REQUIREMENTS.read_text(encoding="utf-8")
    listed = requirements(inventory)
    ruled = rules()
    collected = collect("-m", "", str(ROOT / "tests"))
    if collected.broken:
        _say(*collected.broken, "The tests could not all be collected, so nothing is known.")
        return 2
    if options.show:
        _say(*sorted(collected.proofs.get(options.show, [])))
        return 0 if collected.proofs.get(options.show) else 1

    priorities = {"core", "ext"} if options.all else {"core"}
    wanted = (
        [name.strip() for name in options.only.split(",") if name.strip()]
        if options.only
        else [name for name, found in listed.items() if found.priority in priorities] + list(ruled)
    )
    missing = unproved(wanted, collected.proofs)
    for name in missing:
        words = listed[name].text if name in listed else ruled.get(name, "no such id")
        _say(f"{name:8} {words}")
    known = listed.keys() | ruled.keys() | other_names(inventory)
    strange = sorted(collected.proofs.keys() - known)
    if strange:
        _say("", "Tests name ids that neither the inventory nor a rule table knows:")
        for name in strange:
            _say(f"{name:8} {collected.proofs[name][0]}")
    _say(
        "",
        f"{len(wanted) - len(missing)} of {len(wanted)} ids are proved by a test; "
        f"{collected.tests} tests were read, none was run.",
    )
    return 1 if missing or (strange and not options.only) else 0


def _say(*lines: str) -> None:
    for line in lines:
        print(line)  # noqa: T201 - this is a command


if __name__ == "__main__":
    sys.exit(main())
