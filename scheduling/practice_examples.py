"""Do the rules of practice still do what their worked examples say? The service asks this as it starts.

Complexity ships its examples beside its file; those of every other rule that reasons stand in
practice.examples.toml. An example names what is given and the answer it expects; "@unknown" takes
an answer away. Days are written as dates, times as minutes before the moment the rule is asked.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from dosing import carry_over, complexity, interlock
from dosing.days import london_day
from dosing.rulebook import as_json_value
from dosing.units import as_text
from scheduling import aftercare, assessment, consumption, handover, practice, reviews
from scheduling.calendars import WorkingDays

UNKNOWN: Final = "@unknown"
FIRST_DOSES: Final = ("CX-", "AS-")
"""Rules that only a first dose waits for: the ids of one begin so."""

_CASES: Final = tomllib.loads((complexity.HERE / "complexity.examples.toml").read_text("utf-8"))
_WRITTEN: Final = tomllib.loads(
    (practice.HERE / "practice.examples.toml").read_text("utf-8"), parse_float=Decimal
)
_BASES: Final[Mapping[str, Mapping[str, Any]]] = {"CX": _CASES["plain"], "IL": _WRITTEN["ready"]}
"""What an example of these rules changes: a case with no reason, a dose every gate stands open for."""
_HOLDS, _SILENT, _OPEN = "holds", "silent", "unknown"

_AT: Final = datetime(2026, 11, 4, 9, tzinfo=UTC)
_MINUTE: Final = timedelta(minutes=1)
_ALCOHOL: Final = Decimal(35)
"""The limit the examples of complexity are written against: that of G-AL-01 in both sets."""


@dataclass(frozen=True, slots=True)
class PracticeExample:
    """One question put to a rule, and the answer it is to give, in words."""

    rule: str
    given: Mapping[str, Any]
    expects: str

    def did(self) -> str:
        """What the rule answers now."""
        asked = {**_BASES.get(self.rule[:2], {}), **self.given}
        known = {name: value for name, value in asked.items() if value != UNKNOWN}
        return _told(ASKED[self.rule](**known))

    def __str__(self) -> str:
        return f"{self.rule} (practice) answers {self.expects} on {dict(self.given)}"


def all_examples() -> Iterator[PracticeExample]:
    """Every worked example, in the order of the files."""
    for entry in _CASES["example"]:
        for outcome in (_HOLDS, _SILENT, _OPEN):
            for given in entry[outcome]:
                yield PracticeExample(entry["reason"], given, outcome)
    for entry in _WRITTEN["example"]:
        for each in entry["try"]:
            given = {name: value for name, value in each.items() if name != "gives"}
            yield PracticeExample(entry["rule"], given, _told(each["gives"]))


def try_examples() -> Iterator[str | None]:
    """For each worked example in turn, one line when the rules do not do as it says."""
    for each in all_examples():
        did = each.did()
        yield None if did == each.expects else f"{each}: it answers {did}"


def _told(value: Any) -> str:
    """An answer in words. Nothing found is "none"."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "; ".join(_told(each) for each in value) or "none"
    return str(as_json_value(value))


# -- how each rule is asked ------------------------------------------------------------------


def _reason(name: str) -> Callable[..., str]:
    """Does this reason make the case complex?"""

    def ask(**case: Any) -> str:
        told: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in case.items()}
        if "breath_alcohol" in told:
            told["breath_alcohol"] = Decimal(told["breath_alcohol"])
        found = complexity.complexity(complexity.Case(**told), _ALCOHOL)
        if found.holds(name):
            return _HOLDS
        return _OPEN if any(each.id == name for each in found.unknown) else _SILENT

    return ask


def _gate(name: str) -> Callable[..., str]:
    """The code that shuts this gate, "passed" by break-glass, or "open"."""

    def ask(**given: Any) -> str:
        verdict = interlock.may_give(_give_facts(**given))
        if name in verdict.passed:
            return "passed"
        return next((each.code for each in verdict.shut if each.gate == name), "open")

    return ask


def _give_facts(
    *,
    missed_limits: list[int],
    place_set: bool | None = None,
    identity: list[dict[str, Any]] | None = None,
    intoxication: list[dict[str, Any]] | None = None,
    review: dict[str, Any] | None = None,
    decision: dict[str, Any] | None = None,
    missed_days: int | None = None,
    covered_days_ago: int | None = None,
    assessed_minutes_ago: int | None = None,
    rules: str | None = None,
    recorded: bool | None = None,
    in_doubt: bool = False,
    glass_broken: dict[str, Any] | None = None,
) -> interlock.GiveFacts:
    on = london_day(_AT)
    covered = None if covered_days_ago is None else on - timedelta(days=covered_days_ago)
    return interlock.GiveFacts(
        at=_AT, increment=1, place_set=place_set, identity=_checks(identity),
        intoxication=_checks(intoxication),
        review=None if review is None else interlock.Review(
            _ago(review), _ago(review), review["says"]
        ),
        decision=None if decision is None else interlock.Decision(
            _ago(decision), {on + timedelta(days=decision["day"])}, (decision["dose"],),
            _ago(decision, "withdrawn") if "withdrawn" in decision else None,
            decision.get("re_induction", False),
        ),
        missed_days=missed_days, last_covered_on=covered,
        missed_limits=interlock.MissedLimits(*missed_limits),
        assessments=tuple(
            interlock.Assessment(at, at)
            for at in ([] if assessed_minutes_ago is None else [_back(assessed_minutes_ago)])
        ),
        rules=rules, recorded=recorded, in_doubt=in_doubt,
        broken=() if glass_broken is None else (
            interlock.BrokenGlass(_ago(glass_broken), frozenset(glass_broken["gates"])),
        ),
    )  # fmt: skip


def _checks(written: list[dict[str, Any]] | None) -> tuple[interlock.Check, ...]:
    return tuple(interlock.Check(_ago(each), each["clear"]) for each in written or ())


def _ago(written: Mapping[str, Any], name: str = "minutes_ago") -> datetime:
    return _back(written[name])


def _back(minutes: int) -> datetime:
    return _AT - minutes * _MINUTE


def _left(hours: int, mg: int) -> list[str]:
    """What is left of one dose if cleared fast, and if slowly, to the tenth of a mg."""
    dose = carry_over.Swallowed(_AT - timedelta(hours=hours), Decimal(mg))
    found = carry_over.carried([dose], _AT)
    return [as_text(mg.quantize(Decimal("0.1"))) for mg in (found.fast_mg, found.slow_mg)]


def _plan(rule: str) -> Callable[..., list[str]]:
    def ask(used: list[str], opioids: bool, held: list[str]) -> list[str]:
        found = assessment.plan_missing(used, held, opioids=opioids)
        return [item for named, item in found if named == rule]

    return ask


def _by(found: Iterable[aftercare.FollowUp], kind: str) -> list[str]:
    """The last day of each task of a kind."""
    return [f"by {each.due_at:%Y-%m-%d}" for each in found if each.kind == kind]


def _jump(from_mg: int, to_mg: int, step_mg: int, reviewed: bool) -> list[str]:
    first, second = date(2026, 11, 4), date(2026, 11, 5)
    found = reviews.jumps(
        {first: Decimal(from_mg), second: Decimal(to_mg)}, {second} if reviewed else set(),
        ("M-TI-01", Decimal(step_mg)),
    )  # fmt: skip
    return ["step too large" if "step_mg" in each.facts else "no review" for each in found]


def _contact(last_on: date, today: date, planned_on: date | None = None) -> str:
    """Is contact kept in a build-up that goes on?"""
    planned = [] if planned_on is None else [planned_on]
    found = reviews.contacts(last_on, today + timedelta(days=14), [last_on], planned, today)
    if found.open_gap is not None:
        return "broken"
    return "kept" if found.flag is None else "nothing planned"


def _look(rule: str) -> Callable[..., str]:
    """The state of one look after a dose, so many minutes after it."""

    def ask(minutes: int, looked: int | None = None) -> str:
        seen = [] if looked is None else [_AT + looked * _MINUTE]
        due = next(each for each in reviews.looks_due([_AT], seen) if each.rule == rule)
        return due.state(_AT + minutes * _MINUTE)

    return ask


def _stable(mg: list[int], cows: list[int], held: bool, days: str) -> bool:
    """Is one total a day, with the day's score and a review on the last day, stable?"""
    dates = [date(2026, 11, 4) + timedelta(days=n) for n in range(len(mg))]
    on = reviews.stable_on(
        {day: Decimal(each) for day, each in zip(dates, mg, strict=True)},
        dates[-1:] if held else (),
        {day: [score] for day, score in zip(dates, cows, strict=False)},
        reviews.RULES["RV-05"][days],
    )
    return on is not None


class _Weekdays(WorkingDays):
    """Monday to Friday, and no holiday."""

    def is_working_day(self, day: date) -> bool:
        return day.isoweekday() <= 5  # noqa: PLR2004 - Friday


def _reminders(release_on: date, now: str) -> list[aftercare.FollowUp]:
    at = datetime.fromisoformat(now)
    return aftercare.reminders(release_on, None, None, None, "", at, _Weekdays())


def _after_an_appointment(at: str, hours: int, attended: bool | None = None) -> list[str]:
    """What has begun so long after a first appointment, and by when it is due."""
    began = datetime.fromisoformat(at)
    found = aftercare.follow_ups(
        london_day(began), None, began, attended, began + timedelta(hours=hours)
    )
    return [
        f"{each.kind} by {each.due_at:%Y-%m-%d %H:%M}"
        for each in found
        if not each.kind.startswith("day_")
    ]


def _occasion(sentenced_on: date, received_on: date) -> str:
    """Are a sentence and an arrival recorded the day after each one going into custody, or which is new?"""
    at = {on: datetime(on.year, on.month, on.day, 12, tzinfo=UTC) + timedelta(1)
          for on in (sentenced_on, received_on)}  # fmt: skip
    found = handover.into_custody(
        [handover.Known(received_on, at[received_on])],
        [handover.Known(sentenced_on, at[sentenced_on])],
    )
    assert found is not None, "both are known"
    return f"known since {found.known_at:%Y-%m-%d}"


def _step(step: str) -> Callable[..., bool]:
    """Do so many missed days call for this step?"""

    def ask(missed: int, limits: list[int]) -> bool:
        found = consumption.step_for(missed, interlock.MissedLimits(*limits))
        return found is not None and found.id == step

    return ask


def _missed(last_covered_on: date, on: date, closed: list[date]) -> list[str]:
    """How many days are missed, and how many of them are the service's own gaps."""
    found = consumption.ladder(last_covered_on, on, interlock.MissedLimits(3, 5), closed)
    return [f"{found.missed_days} missed", f"{len(found.gaps)} our own"]


ASKED: Final[Mapping[str, Callable[..., Any]]] = {
    **{name: _reason(name) for name in complexity.REASONS},
    **{rule.id: _gate(gate) for gate, rule in interlock.RULES.items()},
    "IL-09": _gate("identity"),
    "CO-01": _left,
    "AS-01": assessment.chase_laboratory_on,
    "AS-02": assessment.begins_anew,
    "AS-03": lambda first_on, completed_on=None: assessment.next_reminder_on(
        completed_on, first_on
    ),
    "AS-04": lambda claimed_on, asked_on=None: assessment.chase_confirmation_on(
        claimed_on, asked_on
    ),
    "AS-13": lambda arrived_on, on: [
        says
        for says, holds in (
            ("dose waits", assessment.dose_waits),
            ("asked", assessment.still_asked),
        )
        if holds(arrived_on, on)
    ],
    "AS-06": lambda risk, actions: [
        " or ".join(choice) for choice in assessment.actions_missing(risk, actions)
    ],
    "AS-08": _plan("AS-08"),
    "AS-09": _plan("AS-09"),
    "AS-12": lambda breath: assessment.hardly_possible(Decimal(breath)),
    "HO-01": lambda basis, consented, because=None: handover.may_leave(
        basis, because, consented=consented
    ),
    "HO-02": lambda sent_at, leaves_on=None: handover.answer_by(
        datetime.fromisoformat(sent_at), leaves_on, _Weekdays()
    ).isoformat(),
    "HO-03": lambda recorded: list(handover.last_doses(list(range(recorded)))),
    "HO-04": lambda known_at: handover.send_by(
        datetime.fromisoformat(known_at), _Weekdays()
    ).isoformat(),
    "HO-05": _occasion,
    "AF-01": lambda supervised=None, sentence_days=None: (
        aftercare.owner_after(supervised, sentence_days) or "nobody knows"
    ),
    "AF-02": _after_an_appointment,
    "AF-05": _after_an_appointment,
    "AF-03": lambda release_on, now: [
        f"{each.kind} {each.due_at:%Y-%m-%d}" for each in _reminders(release_on, now) if each.starts
    ],
    "AF-04": lambda release_on, now: [
        each.due_at.isoformat()
        for each in _reminders(release_on, now)
        if each.kind == "remind_healthcare"
    ],
    "AF-06": lambda release_on, now, left_on=None: [
        f"by {each.due_at:%Y-%m-%d %H:%M}"
        for each in aftercare.gate_offer(
            release_on, left_on, datetime.fromisoformat(now), _Weekdays()
        )
        if each.starts
    ],
    "AF-07": lambda left_on=None: _by(aftercare.overdose_advice(left_on), aftercare.ADVICE),
    "AF-08": lambda left_on=None: _by(aftercare.drr(left_on, None), aftercare.GROUPS),
    "AF-09": lambda left_on, ends_on=None: _by(aftercare.drr(left_on, ends_on), aftercare.HANDOVER),
    "RV-01": lambda broken, day=None: reviews.in_build_up(day, broken),
    "RV-02": lambda reviewed_on, next_on: reviews.counts_until(reviewed_on, next_on, 99, False),
    "RV-03": lambda decision: decision in reviews.BY_PHONE,
    "RV-04": reviews.build_up_ends,
    "RV-05": _stable,
    "RP-24": _jump,
    "RP-34": _contact,
    "RP-39": lambda decision: decision in reviews.AFTER_LAPSE,
    "RP-40": lambda scale, score, day=None: reviews.needs_prescriber(day, scale, score),
    "OB-00": lambda day: day <= reviews.LOOKED_AFTER_DAYS,
    **{name: _look(name) for name in ("OB-01", "OB-02", "OB-03")},
    **{step.id: _step(step.id) for step in consumption.STEPS},
    "MS-05": _missed,
    "MS-06": lambda day=None: consumption.urgency(1, day, 0)[1] == 0,
}
