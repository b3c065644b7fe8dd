"""Does anything notice that one line of dosing/ is not as it was? Asked in a process of its own.

The own tests of the changed module that take next to no time, every worked example, then all its
own tests and those of the dose check; a survivor is tried against mixed requests as well.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import zip_longest
from math import inf
from time import process_time
from typing import Any

from tests.support.mutants import DOSING

MIXED = 4000
QUICK = 0.02
"""Seconds of a test that is asked before the worked examples are."""
STRIDE = 23
"""Examples are tried in great strides, so that those of every rule come early."""
EXAMPLES, TESTS, OTHER_VERDICT = 11, 12, 13
"""What noticed a change, and a survivor that changes a verdict all the same; 0 for any other."""

OWN_TESTS = {
    "alcohol": ["dosing/test_alcohol.py"],
    "carry_over": ["dosing/test_carry_over.py", "scheduling/test_practice.py"],
    "check": ["dosing/test_check.py", "dosing/test_rulebook.py"],
    "complexity": ["dosing/test_complexity.py", "scheduling/test_practice.py"],
    "continuation": ["dosing/test_continuation.py"],
    "contradictions": ["dosing/test_refusals.py"],
    "days": ["dosing/test_interlock.py", "scheduling"],
    "examples": ["dosing/test_examples.py", "dosing/test_rulebook.py"],
    "interlock": [
        "dosing/test_interlock.py",
        "scheduling/test_practice.py",
        "scheduling/test_consumption.py",
    ],
    "medicines": ["dosing/test_continuation.py"],
    "reading": ["dosing/test_refusals.py"],
    "reasoning": ["dosing/test_check.py", "dosing/test_rulebook.py"],
    "rulebook": ["dosing/test_rule_files.py", "dosing/test_rulebook.py"],
    "shape": ["dosing/test_shape.py", "dosing/test_refusals.py", "scheduling"],
    "units": ["dosing/test_units.py"],
    "words": ["dosing/test_words.py"],
}
"""Asked of a module besides the tests of the dose check, which no change may break."""
DOSE_CHECK = [
    f"dosing/test_{name}.py"
    for name in ("facts", "contract_examples", "refusals", "properties", "tightening")
]
NO_PART_OF_THE_CHECK = {"carry_over", "complexity", "continuation", "interlock"}
"""Modules the dose check does not import: only their own tests can tell."""
FROM_THE_FACTS = {"check", "reasoning", "tightening"}
"""Modules that come in once the facts are known, as the families do."""
FROM_THE_REQUEST = {"facts", "rulebook"}
"""Modules that come in once a request is read."""

_judged: list[Callable[[str], bool]] = []
"""Once the rules are loaded: does every example still hold, asked from where a module comes in?"""
_as_it_stands: list[tuple[str, str]] = []
"""Mixed requests and their verdicts before anything is changed."""
_took: dict[str, float] = {}
"""Seconds of processor time of each test before anything is changed."""
_collected: list[Any] = []
"""The tests, once they are imported for all later changes, the quickest first."""


def by_what(module: str, quick: bool) -> int:
    """In the child: by what is the change noticed? 0 when by nothing."""
    if quick:
        try:
            return 0 if _judged[0](module) else EXAMPLES
        except Exception:  # a rule that raises speaks loudly enough
            return EXAMPLES
    own = OWN_TESTS.get(module, [])
    try:
        importlib.import_module(f"dosing.{module or 'check'}")
    except Exception:  # the service would not start
        return TESTS
    if module in NO_PART_OF_THE_CHECK:
        return 0 if _tests_hold(own) else TESTS
    if not _tests_hold(own[:1], within=QUICK):
        return TESTS
    try:
        if not (_judged[0](module) if _judged else _examples_hold(module)):
            return EXAMPLES
    except (Exception, SystemExit):  # a module that cannot be imported, a rule that raises
        return EXAMPLES
    # Once collected they are asked all together; importing them takes a while, so own ones first.
    rest = [path for path in DOSE_CHECK if path not in own]
    for paths in ([*own, *rest],) if _collected else (own[1:], rest):
        if not _tests_hold(paths):
            return TESTS
    return OTHER_VERDICT if _verdicts_differ() else 0


def _in_order(module: str, every: Sequence[Any], family: Callable[[Any], str]) -> list[Any]:
    own = [each for each in every if family(each) == module]
    return own + [each for start in range(STRIDE) for each in every[start::STRIDE]]


def _examples_hold(module: str) -> bool:
    from dosing.check import check, rulebook
    from dosing.examples import a_request, all_examples, bases, judge, says_otherwise

    if any(check(a_request(base))["findings"] for base in bases()):
        return False
    book = rulebook()
    every = _in_order(module, list(all_examples(book)), lambda each: book.rules[each.rule].family)
    return all(says_otherwise(each, judge(each, book)) is None for each in every)


def load_rules() -> None:
    """Import the rules and work out what most examples need, once for all later changes."""
    from dosing.check import FAMILIES, check_dose, find, rulebook
    from dosing.examples import a_request, all_examples, bases, says_otherwise
    from dosing.facts import derive
    from dosing.reading import read_request
    from tests.support.known import known_facts, read_examples

    book = rulebook()
    every = []
    for each in all_examples(book):
        sent = a_request(each.base, each.rule_set, **each.changes)
        read = read_request(sent)
        defined = book.defined(read.rule_set, read.on)
        every.append((each, sent, read, defined, derive(read, defined)))
    passing = [a_request(base) for base in bases()]
    later = {*FAMILIES, *FROM_THE_FACTS}
    for rule_set in book.set_versions:
        known_facts(rule_set)

    def hold(module: str) -> bool:
        if module not in later:
            read_examples.cache_clear()
            known_facts.cache_clear()
        for sent in passing:
            read = read_request(sent)
            if check_dose(derive(read, book.defined(read.rule_set, read.on)), book):
                return False
        ordered = _in_order(module, every, lambda each: book.rules[each[0].rule].family)
        for example, sent, read, defined, facts in ordered:
            if module not in later:
                again = read if module in FROM_THE_REQUEST else read_request(sent)
                facts = derive(again, defined)
            if says_otherwise(example, find(example.rule, facts, book)) is not None:
                return False
        return True

    _judged.append(hold)
    for path in DOSING.glob("*.py"):
        importlib.import_module(f"dosing.{path.stem}")
    gc.collect()
    gc.freeze()


class _QuickestFirst:
    """Tests in the order of the time each took before anything was changed: most changes are
    noticed by one that takes next to none."""

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items.sort(key=lambda item: _took.get(item.nodeid, 0.0))


class _Timed:
    """Processor time, which is the same on a busy machine."""

    def __init__(self) -> None:
        self.took: dict[str, float] = {}
        self._began = 0.0

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._began = process_time()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.took[nodeid] = process_time() - self._began


class Collected(_QuickestFirst):
    """Collects once for many children; each runs the tests it asks until one fails."""

    def __init__(self, then: Callable[[], None]) -> None:
        self._then = then

    def pytest_runtestloop(self, session: Any) -> bool:
        _collected.extend(session.items)
        gc.collect()
        gc.freeze()
        self._then()
        return True

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            os._exit(TESTS)


def _tests_hold(paths: Sequence[str], within: float = inf) -> bool:
    """Of these tests those that take no longer, and were not asked before."""
    if not paths:
        return True
    if not _collected:
        return run_tests(paths, _QuickestFirst()) == 0
    asked = tuple(f"tests/{path}" for path in paths)
    items = [
        item
        for item in _collected
        if item.nodeid.startswith(asked) and _took.get(item.nodeid, 0.0) <= within
    ]
    for item, following in zip_longest(items, items[1:]):
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        _collected.remove(item)
    return True


def run_tests(paths: Sequence[str], plugin: object, *more: str) -> int:
    import pytest

    options = [
        "-x", "-s", "-o", "addopts=", "--disable-plugin-autoload", "-p", "hypothesispytest",
        "-p", "no:cacheprovider", "-p", "no:terminal", "-m", "not proof",
    ]  # fmt: skip
    tests = [f"tests/{path}" for path in paths]
    return int(pytest.main([*options, *more, *tests], plugins=[plugin]))


def _verdicts_differ() -> bool:
    from tests.support.mixed_requests import verdict

    return any(repr(verdict(json.loads(request))) != was for request, was in _as_it_stands)


def _write_verdicts(to: int) -> None:
    from tests.support.mixed_requests import mixed_requests, verdict

    with os.fdopen(to, "w") as file:
        for request in mixed_requests(MIXED):
            file.write(json.dumps([json.dumps(request), repr(verdict(request))]) + "\n")


def tests_of(modules: Sequence[str]) -> list[str]:
    own = dict.fromkeys(path for module in modules for path in OWN_TESTS.get(module, []))
    return [*own, *(path for path in DOSE_CHECK if path not in own)]


def _time_tests(modules: Sequence[str], to: int) -> None:
    timed = _Timed()
    # The only run that keeps what it compiled, for all later ones.
    sys.dont_write_bytecode = False
    silent()
    if run_tests(tests_of(modules), timed) == 0:
        with os.fdopen(to, "w") as file:
            file.write(json.dumps(timed.took) + "\n")


def _in_a_child(write: Callable[[int], None]) -> list[Any]:
    """The lines of JSON that it writes, without importing the rules here."""
    there, here = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(there)
            write(here)
        finally:
            os._exit(0)
    os.close(here)
    with os.fdopen(there) as file:
        lines = [json.loads(line) for line in file]
    os.waitpid(pid, 0)
    return lines


def prepare(modules: Sequence[str]) -> None:
    """Import once what every try needs, and nothing that is changed or imports what is."""
    import hypothesis
    import jsonschema  # noqa: F401
    import pytest  # noqa: F401

    os.chdir(DOSING.parent)
    sys.dont_write_bytecode = True
    # The same examples in every run: a survivor of today is a survivor of tomorrow.
    hypothesis.settings.register_profile("mutation", derandomize=True, database=None)
    hypothesis.settings.load_profile("mutation")
    with contextlib.redirect_stdout(io.StringIO()):
        run_tests(["config"], object(), "--collect-only")
    assert not [name for name in sys.modules if name.split(".")[0] == "dosing"]
    # A file pytest does not find would look like a change that is noticed.
    asked = {path for paths in (DOSE_CHECK, *OWN_TESTS.values()) for path in paths}
    assert all((DOSING.parent / "tests" / path).exists() for path in asked)
    _as_it_stands.extend(map(tuple, _in_a_child(_write_verdicts)))
    assert len(_as_it_stands) == MIXED
    for took in _in_a_child(partial(_time_tests, modules)):
        _took.update(took)
    if not _took:
        raise SystemExit("the tests must hold before anything is changed")
    gc.collect()
    gc.freeze()


def silent() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
