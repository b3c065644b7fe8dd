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
STRIDE = 23
"""Examples are tried in great strides, so that those of every rule come early."""

SURVIVED, BY_EXAMPLES, BY_TESTS, BY_LIMIT = "survived", "worked examples", "tests", "time or memory"
OTHER_VERDICT = "survived and changes a verdict"
CODES = {0: SURVIVED, 11: BY_EXAMPLES, 12: BY_TESTS, 13: OTHER_VERDICT}

OWN_TESTS = {
    "alcohol": ["dosing/test_alcohol.py"],
    "carry_over": ["dosing/test_carry_over.py"],
    "check": ["dosing/test_check.py", "dosing/test_rulebook.py", "dosing/test_tightening.py"],
    "complexity": ["dosing/test_complexity.py"],
    "continuation": ["dosing/test_continuation.py"],
    "days": ["dosing/test_interlock.py", "scheduling"],
    "examples": ["dosing/test_rulebook.py"],
    "interlock": ["dosing/test_interlock.py"],
    "medicines": ["dosing/test_continuation.py"],
    "reasoning": ["dosing/test_rulebook.py"],
    "rulebook": ["dosing/test_rulebook.py", "dosing/test_tightening.py"],
    "shape": ["dosing/test_refusals.py", "scheduling"],
    "tightening": ["dosing/test_tightening.py"],
    "units": ["dosing/test_units.py"],
    "words": ["dosing/test_words.py"],
}
"""Asked of a module besides the tests of the dose check, which no change may break."""
DOSE_CHECK = [
    f"dosing/test_{name}.py"
    for name in ("facts", "contract_examples", "refusals", "properties", "tightening")
]
NO_PART_OF_THE_CHECK = {"carry_over", "complexity", "continuation", "interlock"}
"""Modules the worked examples do not reach: their own tests tell sooner."""
RUN_WHEN_LOADED = {
    "carry_over", "check", "complexity", "examples", "interlock", "medicines", "reasoning",
    "rulebook", "shape",
}  # fmt: skip
"""Modules whose functions do their work while the rules load, or keep what they worked out."""


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


def _try(module: str, quick: bool) -> int:
    """In the child: is the change noticed, and by what? The exit status, see CODES."""
    if quick:
        try:
            return 0 if _judged[0](module) else 11
        except Exception:  # a rule that raises speaks loudly enough
            return 11
    own = OWN_TESTS.get(module, [])
    if module in NO_PART_OF_THE_CHECK and _pytest(own) != 0:
        return 12
    try:
        if not (_judged[0](module) if _judged else _examples_hold(module)):
            return 11
    except (Exception, SystemExit):  # a module that cannot be imported, a rule that raises
        return 11
    for paths in (own, [path for path in DOSE_CHECK if path not in own]):
        if paths and _pytest(paths) != 0:
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

    book = rulebook()
    every = []
    for each in all_examples(book):
        sent = a_request(each.base, each.rule_set, **each.changes)
        read = read_request(sent)
        defined = book.defined(read.rule_set, read.on)
        every.append((each, sent, read, defined, derive(read, defined)))
    passing = [read_request(a_request(base)) for base in bases()]

    def hold(module: str) -> bool:
        for read in passing:
            if check_dose(derive(read, book.defined(read.rule_set, read.on)), book):
                return False
        ordered = _in_order(module, every, lambda each: book.rules[each[0].rule].family)
        for example, sent, read, defined, facts in ordered:
            if module not in FAMILIES:
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


def _pytest(paths: Sequence[str], *more: str) -> int:
    import pytest

    options = [
        "-x", "-q", "-o", "addopts=", "--disable-plugin-autoload", "-p", "hypothesispytest",
        "-p", "no:cacheprovider", "-m", "not proof",
    ]  # fmt: skip
    return int(pytest.main([*options, *more, *(f"tests/{path}" for path in paths)]))


def _verdicts_differ() -> bool:
    from tests.support.mixed_requests import verdict

    return any(repr(verdict(json.loads(request))) != was for request, was in _as_it_stands)


def _write_verdicts(to: int) -> None:
    from tests.support.mixed_requests import mixed_requests, verdict

    with os.fdopen(to, "w") as file:
        for request in mixed_requests(MIXED):
            file.write(json.dumps([json.dumps(request), repr(verdict(request))]) + "\n")


def _read_verdicts() -> None:
    """Worked out in a child, so that the rules are not yet imported here."""
    there, here = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(there)
            _write_verdicts(here)
        finally:
            os._exit(0)
    os.close(here)
    with os.fdopen(there) as file:
        _as_it_stands.extend(tuple(json.loads(line)) for line in file)
    os.waitpid(pid, 0)
    assert len(_as_it_stands) == MIXED


# -- every change, one process each --------------------------------------------------------

CameOf = dict[Change, str]
_Work = tuple[Change, CodeType, tuple[str, CodeType] | None]


def _prepare() -> None:
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
        _pytest(["config"], "--collect-only")
    assert not [name for name in sys.modules if name.split(".")[0] == "dosing"]
    # A file pytest does not find would look like a change that is noticed.
    asked = {path for paths in (DOSE_CHECK, *OWN_TESTS.values()) for path in paths}
    assert all((ROOT / "tests" / path).exists() for path in asked)
    _read_verdicts()
    gc.collect()
    gc.freeze()


def _fork(module: str, put: Callable[[], None], quick: bool) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 12
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
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
            work.append((change, code, None if module in RUN_WHEN_LOADED else _body(was, code)))
    return [each for each in work if each[2] is None], [each for each in work if each[2]]


def run(modules: Sequence[str], workers: int, quick: bool, say: Callable[[str], None]) -> CameOf:
    """Try every change of these modules.

    Quick: only those inside a function, and only the worked examples are asked.
    """
    if not quick:
        _prepare()
    afresh, bodies = _every(modules)
    afresh = [] if quick else afresh
    came_of: CameOf = {}
    began, of = monotonic(), len(afresh) + len(bodies)

    def wait(running: dict[int, Change]) -> None:
        pid, status = os.wait()
        change = running.pop(pid)
        what = BY_LIMIT if os.WIFSIGNALED(status) else CODES.get(os.WEXITSTATUS(status), BY_TESTS)
        came_of[change] = what
        if what not in (BY_EXAMPLES, BY_TESTS):
            say(f"{what}: {change}")
        if len(came_of) % 100 == 0:
            say(f"{len(came_of)} of {of} tried, {monotonic() - began:.0f} s")

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
        try_all(bodies)
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
