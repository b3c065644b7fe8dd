"""Would anything notice if one line of dosing/ were wrong? One small change at a time is tried.

A change survives when every worked example, every published example and the tests of the dose
check and of the changed module still hold with it. Each survivor must stand in
tests/dosing/survivors.toml with the reason why it changes no verdict. One that stands there and is
noticed after all is a fault; so is one that changes the verdict of any of some thousand mixed
requests, whatever is said of it.

Each change runs in a process of its own, forked from this one. Where only the body of a function
changed, it is put into the loaded function; else the rules are imported afresh, changed module and
all. Why no library: docs/decisions/0014.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import io
import json
import os
import resource
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import zip_longest
from time import monotonic
from types import CodeType
from typing import Any

from tests.support.mutants import DOSING, Change, changes

ROOT = DOSING.parent
SURVIVORS = ROOT / "tests/dosing/survivors.toml"

CPU_SECONDS = 60
"""More than any surviving change needs; one that makes a loop endless is noticed by this."""
MEMORY = 3 * 2**30
MIXED = 4000
SAY_SECONDS = 30
QUICK = 0.02
"""Seconds of a test that is asked before the worked examples are."""
STRIDE = 23
"""Examples are tried in great strides, so that those of every rule come early."""

SURVIVED, BY_EXAMPLES, BY_TESTS, BY_LIMIT = "survived", "worked examples", "tests", "time or memory"
OTHER_VERDICT = "survived and changes a verdict"
CODES = {0: SURVIVED, 11: BY_EXAMPLES, 12: BY_TESTS, 13: OTHER_VERDICT}

OWN_TESTS = {
    "alcohol": ["dosing/test_alcohol.py"],
    "carry_over": ["dosing/test_carry_over.py", "scheduling/test_practice.py"],
    "check": ["dosing/test_check.py", "dosing/test_rulebook.py"],
    "complexity": ["dosing/test_complexity.py", "scheduling/test_practice.py"],
    "continuation": ["dosing/test_continuation.py"],
    "days": ["dosing/test_interlock.py", "scheduling"],
    "examples": ["dosing/test_examples.py", "dosing/test_rulebook.py"],
    "interlock": [
        "dosing/test_interlock.py",
        "scheduling/test_practice.py",
        "scheduling/test_consumption.py",
    ],
    "medicines": ["dosing/test_continuation.py"],
    "request": ["dosing/test_refusals.py"],
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
RUN_WHEN_LOADED = {
    "check": {"rulebook", "site_rulebook"},
    "examples": {
        "Example", "_base", "_bases", "_change", "_resolved", "a_request", "all_examples", "bases",
    },
    "interlock": {"_gate_rule", "_load"},
    "medicines": {"Product"},
    "reasoning": {"reasons"},
    "rulebook": {
        "Rulebook", "_by_span", "_exact", "_no_overlap", "_rules", "_same", "_source", "_stands",
        "_versions", "load_rulebook", "read_exactly", "source_keys",
    },
    "shape": {"OneOf", "Record"},
}  # fmt: skip
"""Functions and classes that do their work while the rules load, or keep what they worked out."""


# -- a change put in place -----------------------------------------------------------------


class _Changed(importlib.abc.MetaPathFinder):
    """Gives one module of dosing/ its changed code; every other comes as it stands."""

    def __init__(self, module: str, code: CodeType) -> None:
        self._name = f"dosing.{module}"
        self._code = code

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        if fullname != self._name:
            return None
        code = self._code

        class Loader(importlib.machinery.SourceFileLoader):
            def get_code(self, fullname: str) -> CodeType:
                return code

        file = str(DOSING / f"{fullname.removeprefix('dosing.')}.py")
        return importlib.util.spec_from_file_location(fullname, file, loader=Loader(fullname, file))


def _functions(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    """The outermost functions and methods of a module, by qualified name."""
    for each in code.co_consts:
        if not isinstance(each, CodeType) or each.co_name.startswith("<"):
            continue
        if each.co_flags & inspect.CO_OPTIMIZED:
            yield each.co_qualname, each
        else:
            yield from _functions(each)


def _body(was: CodeType, now: CodeType) -> tuple[str, CodeType] | None:
    """The one function whose body changed; None when the change lies outside any body."""
    before = dict(_functions(was))
    other = [(name, code) for name, code in _functions(now) if before.get(name) != code]
    return other[0] if len(other) == 1 else None


def _put_in(module: str, name: str, code: CodeType) -> None:
    at: Any = sys.modules[f"dosing.{module}"]
    for part in name.split("."):
        at = vars(at)[part]
    at = at.fget if isinstance(at, property) else inspect.unwrap(at)
    at.__code__ = code


# -- does anything notice? -----------------------------------------------------------------

_judged: list[Callable[[str], bool]] = []
"""Once the rules are loaded: does every example still hold, asked from where a module comes in?"""
_as_it_stands: list[tuple[str, str]] = []
"""Mixed requests and their verdicts before anything is changed."""
_took: dict[str, float] = {}
"""Seconds of each test before anything is changed."""
_collected: list[Any] = []
"""The tests, once they are imported for all later changes, the quickest first."""


def _try(module: str, quick: bool) -> int:
    """In the child: is the change noticed, and by what? The exit status, see CODES."""
    if quick:
        try:
            return 0 if _judged[0](module) else 11
        except Exception:  # a rule that raises speaks loudly enough
            return 11
    own = OWN_TESTS.get(module, [])
    try:
        importlib.import_module(f"dosing.{module or 'check'}")
    except Exception:  # the service would not start
        return 12
    if module in NO_PART_OF_THE_CHECK:
        return 0 if _tests_hold(own) else 12
    if _collected and not _tests_hold(own, within=QUICK):
        return 12
    try:
        if not (_judged[0](module) if _judged else _examples_hold(module)):
            return 11
    except (Exception, SystemExit):  # a module that cannot be imported, a rule that raises
        return 11
    # Once collected they are asked all together; importing them takes a while, so own ones first.
    rest = [path for path in DOSE_CHECK if path not in own]
    for paths in ([*own, *rest],) if _collected else (own, rest):
        if paths and not _tests_hold(paths):
            return 12
    return 13 if _verdicts_differ() else 0


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


def _load_rules() -> None:
    """Import the rules and work out what most examples need, once for all later changes."""
    from dosing.check import FAMILIES, check_dose, find, rulebook
    from dosing.examples import a_request, all_examples, bases, says_otherwise
    from dosing.facts import derive
    from dosing.request import read_request
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
                again = read if module == "facts" else read_request(sent)
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
    def __init__(self) -> None:
        self.took: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.took[report.nodeid] = self.took.get(report.nodeid, 0.0) + report.duration


class _Collected(_QuickestFirst):
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
            os._exit(12)


def _tests_hold(paths: Sequence[str], within: float = CPU_SECONDS) -> bool:
    """Of these tests those that take no longer, and were not asked before."""
    if not _collected:
        return _pytest(paths, _QuickestFirst()) == 0
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


def _pytest(paths: Sequence[str], plugin: object, *more: str) -> int:
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


def _tests_of(modules: Sequence[str]) -> list[str]:
    own = dict.fromkeys(path for module in modules for path in OWN_TESTS.get(module, []))
    return [*own, *(path for path in DOSE_CHECK if path not in own)]


def _time_tests(modules: Sequence[str], to: int) -> None:
    timed = _Timed()
    # The only run that keeps what it compiled, for all later ones.
    sys.dont_write_bytecode = False
    _silent()
    if _pytest(_tests_of(modules), timed) == 0:
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


# -- every change, one process each --------------------------------------------------------

CameOf = dict[Change, str]
_Work = tuple[Change, CodeType, tuple[str, CodeType] | None]


def _prepare(modules: Sequence[str]) -> None:
    """Import once what every try needs, and nothing that is changed or imports what is."""
    import hypothesis
    import jsonschema  # noqa: F401
    import pytest  # noqa: F401

    os.chdir(ROOT)
    sys.dont_write_bytecode = True
    # The same examples in every run: a survivor of today is a survivor of tomorrow.
    hypothesis.settings.register_profile("mutation", derandomize=True, database=None)
    hypothesis.settings.load_profile("mutation")
    with contextlib.redirect_stdout(io.StringIO()):
        _pytest(["config"], object(), "--collect-only")
    assert not [name for name in sys.modules if name.split(".")[0] == "dosing"]
    # A file pytest does not find would look like a change that is noticed.
    asked = {path for paths in (DOSE_CHECK, *OWN_TESTS.values()) for path in paths}
    assert all((ROOT / "tests" / path).exists() for path in asked)
    _as_it_stands.extend(map(tuple, _in_a_child(_write_verdicts)))
    assert len(_as_it_stands) == MIXED
    for took in _in_a_child(partial(_time_tests, modules)):
        _took.update(took)
    if not _took:
        raise SystemExit("the tests must hold before anything is changed")
    gc.collect()
    gc.freeze()


def _silent() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _fork(module: str, put: Callable[[], None], quick: bool) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 12
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        _silent()
        put()
        status = _try(module, quick)
    finally:
        os._exit(status)


def _every(modules: Sequence[str]) -> tuple[list[_Work], list[_Work]]:
    """The changes that need the rules imported afresh, and those of one function's body."""
    work: list[_Work] = []
    for module in modules:
        file = str(DOSING / f"{module}.py")
        tree, every = changes(module)
        was = compile(tree, file, "exec")
        for change in every:
            change.apply()
            code = compile(ast.fix_missing_locations(tree), file, "exec")
            change.undo()
            body = _body(was, code)
            if body and body[0].split(".")[0] in RUN_WHEN_LOADED.get(module, ()):
                body = None
            work.append((change, code, body))
    return [each for each in work if each[2] is None], [each for each in work if each[2]]


def run(modules: Sequence[str], workers: int, quick: bool, say: Callable[[str], None]) -> CameOf:
    """Try every change of these modules.

    Quick: only those inside a function, and only the worked examples are asked.
    """
    if not quick:
        _prepare(modules)
    afresh, bodies = _every(modules)
    afresh = [] if quick else afresh
    came_of: CameOf = {}
    began, of = monotonic(), len(afresh) + len(bodies)
    said = began

    def wait(running: dict[int, Change]) -> None:
        nonlocal said
        pid, status = os.wait()
        change = running.pop(pid)
        what = BY_LIMIT if os.WIFSIGNALED(status) else CODES.get(os.WEXITSTATUS(status), BY_TESTS)
        came_of[change] = what
        if what not in (BY_EXAMPLES, BY_TESTS):
            say(f"{what}: {change}")
        now = monotonic()
        if now - said >= SAY_SECONDS:
            said, left = now, (now - began) / len(came_of) * (of - len(came_of))
            say(
                f"{len(came_of)} of {of} tried in {(now - began) / 60:.0f} min, {left / 60:.0f} to go"
            )

    def try_all(work: list[_Work]) -> None:
        _, status = os.waitpid(_fork("", lambda: None, quick), 0)
        if status:
            raise SystemExit("the examples and tests must hold before anything is changed")
        running: dict[int, Change] = {}
        for change, code, body in work:
            if len(running) >= workers:
                wait(running)
            running[_fork(change.module, _putter(change.module, code, body), quick)] = change
        while running:
            wait(running)

    if afresh:
        try_all(afresh)
    if bodies:
        _load_rules()
        if quick:
            try_all(bodies)
        elif _pytest(_tests_of(modules), _Collected(lambda: try_all(bodies))):
            raise SystemExit("not every change could be tried")
    return came_of


def _putter(module: str, code: CodeType, body: tuple[str, CodeType] | None) -> Callable[[], None]:
    if body is None:
        return lambda: sys.meta_path.insert(0, _Changed(module, code))
    return lambda: _put_in(module, *body)


# -- the survivors that are known ----------------------------------------------------------


def named() -> dict[str, str]:
    """The survivors somebody has judged, by key, and why each changes no verdict."""
    with SURVIVORS.open("rb") as file:
        reasons = tomllib.load(file)["reason"]
    return {key: reason["why"] for reason in reasons for key in reason["changes"]}


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - this is a command


def main() -> int:
    every = sorted(path.stem for path in DOSING.glob("*.py") if path.stem != "__init__")
    parser = argparse.ArgumentParser(description="Change one thing in dosing/: who notices?")
    parser.add_argument("modules", nargs="*", metavar="module", help=f"of {', '.join(every)}")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--quick", action="store_true", help="bodies and worked examples only")
    asked = parser.parse_args()
    if unknown := set(asked.modules) - set(every):
        parser.error(f"no module of dosing/: {', '.join(sorted(unknown))}")
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.support.mutation", *sys.argv[1:]])
    began = monotonic()

    came_of = run(asked.modules or every, asked.workers, asked.quick, _say)

    known = named()
    survivors = [change for change, what in came_of.items() if what in (SURVIVED, OTHER_VERDICT)]
    faults = [f"not named: {change}" for change in survivors if change.key not in known]
    for change, what in came_of.items():
        if change.key in known and what != SURVIVED:
            faults.append(f"named, but {what}: {change}")
    counts = Counter(came_of.values())
    tried, left = len(came_of), len(survivors)
    for fault in faults:
        _say(fault)
    _say(
        f"{tried} changes: {', '.join(f'{n} {what}' for what, n in counts.most_common())}. "
        f"Score {100 * (tried - left) / max(tried, 1):.1f} %; "
        f"faults {len(faults)}; {monotonic() - began:.0f} s."
    )
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
