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
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import os
import resource
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from types import CodeType
from typing import Any

from tests.support import noticed
from tests.support.mutants import DOSING, Change, changes

ROOT = DOSING.parent
SURVIVORS = ROOT / "tests/dosing/survivors.toml"

CPU_SECONDS = 60
"""More than any surviving change needs; one that makes a loop endless is noticed by this."""
MEMORY = 3 * 2**30
SAY_SECONDS = 30

SURVIVED, BY_EXAMPLES, BY_TESTS, BY_LIMIT = "survived", "worked examples", "tests", "time or memory"
OTHER_VERDICT = "survived and changes a verdict"
CODES = {
    0: SURVIVED, noticed.EXAMPLES: BY_EXAMPLES, noticed.TESTS: BY_TESTS,
    noticed.OTHER_VERDICT: OTHER_VERDICT,
}  # fmt: skip

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


# -- every change, one process each --------------------------------------------------------

CameOf = dict[Change, str]
_Work = tuple[Change, CodeType, tuple[str, CodeType] | None]


def _fork(module: str, put: Callable[[], None], quick: bool) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = noticed.TESTS
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        noticed.silent()
        put()
        status = noticed.by_what(module, quick)
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
        noticed.prepare(modules)
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
        noticed.load_rules()
        if quick:
            try_all(bodies)
        elif noticed.run_tests(
            noticed.tests_of(modules), noticed.Collected(lambda: try_all(bodies))
        ):
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
