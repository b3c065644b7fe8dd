"""What is the best plan of groups? Asked of a solver, CP-SAT; the one module that knows it.

Begins from the plan found at once (group_placing.py) and settles three things in turn (GP-12): what
people are short of, what moves against a published plan, and the rest. Each is proved or bounded.
The solver is loaded by the first call, takes some hundred megabytes and belongs in a process of its
own, never in one that serves pages (decision 17).

Two workers do not find the same plan twice when time runs out; `Options(repeatable=True)` does, and
takes longer. No plan leaves here that group_checker.py finds a breach in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from scheduling.group_board import Held
from scheduling.group_checker import breaches
from scheduling.group_model import Model
from scheduling.group_placing import place
from scheduling.group_plan import Plan
from scheduling.groups import RULES, Bar, GroupFacts, Pin, Session, may_hold, may_sit

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

LEVELS: Final[tuple[str, ...]] = tuple(RULES["GP-12"]["order"])
_SHARES: Final[Mapping[str, int]] = RULES["GP-14"]["shares"]
_PIN_SECONDS: Final[int] = RULES["GP-14"]["pin_seconds"]


@dataclass(frozen=True)
class Options:
    """How long to look, in seconds of solving, and with how many workers.

    `repeatable`: one worker and the solver's own count of work instead of the clock, so that the
    same facts give the same plan on any machine.
    """

    seconds: int = RULES["GP-14"]["seconds"]
    workers: int = RULES["GP-14"]["workers"]
    seed: int = RULES["GP-14"]["seed"]
    repeatable: bool = False


def seconds_for(people: int) -> int:
    """How long to look for a plan of so many people: GP-14."""
    rule = RULES["GP-14"]
    small = (each["seconds"] for each in rule["wings"] if people <= each["people"])
    return int(next(small, rule["seconds"]))


@dataclass(frozen=True)
class Level:
    """How good the plan is in one respect. No plan as good in those before it has fewer than `bound`."""

    name: str
    value: int
    bound: int

    @property
    def gap(self) -> int:
        return self.value - self.bound

    @property
    def proved(self) -> bool:
        return self.value <= self.bound


@dataclass(frozen=True)
class Progress:
    """Where the search stands: told at the start of each level and with each better plan."""

    level: str
    value: int | None
    bound: int | None
    seconds: int


@dataclass(frozen=True)
class Clash:
    """Pins that cannot all be kept: leave any one of them out and the others can.

    `bars`: the reasons, where one pin alone is against the rules.
    """

    pins: tuple[Pin, ...]
    bars: tuple[Bar, ...] = ()


@dataclass(frozen=True)
class Solved:
    """The plan, how good it is, and the pins that clash if there are any.

    With a clash nothing was solved: `levels` is empty and the plan is the one found at once, as it
    is when the solver could not tell in time whether the pins clash.
    """

    plan: Plan
    levels: tuple[Level, ...] = ()
    clash: Clash | None = None


class BrokenPlan(RuntimeError):
    """The checker found a breach in a plan that was solved: a fault of ours, and no plan at all."""


Listener = Callable[[Progress], bool | None]
"""Told of progress; answers False to stop, with the best plan so far."""


def solve(
    facts: GroupFacts, options: Options | None = None, progress: Listener | None = None
) -> Solved:
    """The best plan found in the time given. Takes the facts in any order. Raises BrokenPlan."""
    from ortools.sat.python import cp_model

    options = options or Options()
    start = place(facts)
    model = Model(facts, cp_model.CpModel())
    if start.unkept:
        # The plan made at once could not keep every pin. Can any plan?
        held, clash = _try_pins(facts, model)
        if held is None:
            return Solved(start, clash=clash)
        start = place(facts, held)
    solved = _Search(model, start, options, progress or (lambda _: None)).run()
    if broken := breaches(facts, solved.plan.sessions):
        raise BrokenPlan("; ".join(broken))
    return solved


def at_once(facts: GroupFacts) -> Solved:
    """The plan made at once, with no word on how good one could be. Loads no solver."""
    plan = place(facts)
    if not plan.unkept and (broken := breaches(facts, plan.sessions)):
        raise BrokenPlan("; ".join(broken))
    return Solved(plan)


def _try_pins(facts: GroupFacts, model: Model) -> tuple[list[Held] | None, Clash | None]:
    """A plan that keeps every pin, or the pins that stand in each other's way.

    Neither when the solver could say neither in time.
    """
    from ortools.sat.python import cp_model

    for pin, var in model.pins.items():
        if var is None:
            return None, Clash((pin,), _against(facts, pin))

    def ask(kept: Iterable[Pin]) -> tuple[Any, cp_model.CpSolver]:
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.max_time_in_seconds = _PIN_SECONDS
        model.cp.clear_assumptions()
        model.cp.add_assumptions([model.pins[pin] for pin in kept])
        return solver.solve(model.cp), solver

    kept = list(model.pins)
    status, solver = ask(kept)
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        model.cp.clear_assumptions()
        return model.read(solver.boolean_value), None
    if status != cp_model.INFEASIBLE:
        return None, None
    named = set(solver.sufficient_assumptions_for_infeasibility())
    core = [pin for pin, var in model.pins.items() if var is not None and var.index in named]
    if core and ask(core)[0] == cp_model.INFEASIBLE:
        kept = core
    clash = without_idle(kept, lambda few: ask(few)[0] == cp_model.INFEASIBLE)
    return None, Clash(clash, _against(facts, clash[0]) if len(clash) == 1 else ())


def _against(facts: GroupFacts, pin: Pin) -> tuple[Bar, ...]:
    """What the facts alone have against a pin."""
    if isinstance(pin, Session):
        return tuple(may_hold(facts, pin))
    session = next((each for each in facts.sessions if each.id == pin.session_id), None)
    if session is None:
        return ()
    return *may_sit(facts, facts.person[pin.person_id], session), *may_hold(facts, session)


def without_idle(pins: Sequence[Pin], clash: Callable[[Sequence[Pin]], bool]) -> tuple[Pin, ...]:
    """Of pins that clash, so many that leaving out any one ends the clash: a deletion filter."""
    kept = list(pins)
    for pin in pins:
        rest = [each for each in kept if each is not pin]
        if clash(rest):
            kept = rest
    return tuple(kept)


class _Search:
    """One level after another, each held to what the one before it came to."""

    def __init__(self, model: Model, start: Plan, options: Options, tell: Listener) -> None:
        self._model, self._options, self._tell = model, options, tell
        self._plan = start
        self._spent_ms = 0
        self._stopped = False
        self._best: int | None = None

    def run(self) -> Solved:
        for var in self._model.pins.values():
            self._model.cp.add(var == 1)
        bounds = {level: self._settle(level) for level in LEVELS}
        points = self._plan.points
        return Solved(
            self._plan,
            tuple(Level(each, getattr(points, each), bounds[each]) for each in LEVELS),
        )

    def _settle(self, level: str) -> int:
        """The best plan in this respect that is no worse in those before. Answers the bound."""
        cost = self._model.cost(level)
        value: int = getattr(self._plan.points, level)
        bound = 0
        if isinstance(cost, int):
            return cost  # nothing that could be chosen costs anything
        if value > 0 and not self._stopped:
            bound = self._solve(level, cost)
            value = getattr(self._plan.points, level)
        self._model.cp.add(cost <= value)
        return min(bound, value)

    def _solve(self, level: str, cost: Any) -> int:
        from ortools.sat.python import cp_model

        left_ms = self._options.seconds * 1000 - self._spent_ms
        allowed_ms = left_ms * _SHARES.get(level, 100) // 100
        if allowed_ms <= 0:
            return 0
        self._model.hint(self._plan.sessions)
        self._model.cp.minimize(cost)
        solver = cp_model.CpSolver()
        given = solver.parameters
        given.random_seed = self._options.seed
        given.num_workers = 1 if self._options.repeatable else self._options.workers
        if self._options.repeatable:
            given.max_deterministic_time = allowed_ms / 1000
        else:
            given.max_time_in_seconds = allowed_ms / 1000
        self._say(Progress(level, getattr(self._plan.points, level), None, self._spent_ms // 1000))
        if self._stopped:
            return 0
        solver.best_bound_callback = lambda bound: self._hear_bound(solver, level, _whole(bound))
        self._best = None
        status = solver.solve(self._model.cp, _told(self._hear, level))
        self._spent_ms += int(
            (solver.response_proto.deterministic_time if self._options.repeatable
             else solver.wall_time) * 1000
        )  # fmt: skip
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            found = place(self._model.facts, self._model.read(solver.boolean_value))
            self._plan = min(self._plan, found, key=lambda each: each.points)
            return _whole(solver.best_objective_bound)
        return 0

    def _hear(self, level: str, value: int, bound: int, ms: int) -> bool:
        """Pass on a better plan; is the search to go on?"""
        self._best = value
        self._say(Progress(level, value, bound, (self._spent_ms + ms) // 1000))
        return not self._stopped

    def _hear_bound(self, solver: cp_model.CpSolver, level: str, bound: int) -> None:
        """Pass on that no plan can be better than this, which the search found out meanwhile."""
        value = getattr(self._plan.points, level) if self._best is None else self._best
        self._say(Progress(level, value, min(bound, value), self._spent_ms // 1000))
        if self._stopped:
            solver.stop_search()

    def _say(self, progress: Progress) -> None:
        if self._tell(progress) is False:
            self._stopped = True


def _told(
    hear: Callable[[str, int, int, int], bool], level: str
) -> cp_model.CpSolverSolutionCallback:
    """What the solver calls with each better plan. Its class exists once the solver is loaded."""
    from ortools.sat.python import cp_model

    class Told(cp_model.CpSolverSolutionCallback):
        def on_solution_callback(self) -> None:
            value, bound = _whole(self.objective_value), _whole(self.best_objective_bound)
            if not hear(level, value, bound, int(self.wall_time * 1000)):
                self.stop_search()

    return Told()


def _whole(number: Any) -> int:
    """The solver's number as points. Points are whole, so a bound just below one is that one."""
    return int(ceil(number - Fraction(1, 1000)))
