"""What is known when a dose would be given? Stored rows -> the facts of the interlock."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.assessments.models import ClinicalEntry
from clinic.consumption.models import SWALLOWED, BrokenGate, DoseEvent, GateCheck
from clinic.consumption.places import place_on
from clinic.consumption.supply_models import DispensedDose
from clinic.errors import Invalid
from clinic.guidance.facts import read_limits, site_limits_on
from clinic.patients.queries import same_person
from clinic.prescriptions.doses import days_of, increments_of
from clinic.prescriptions.models import DoseDecision
from clinic.prescriptions.queries import Judged, judge_dose
from clinic.titration.queries import review_counting
from clinic.turns import RecordTurn
from dosing.check import site_rulebook
from dosing.days import london_day, start_of
from dosing.interlock import (
    Assessment,
    BrokenGlass,
    Check,
    Decision,
    GiveFacts,
    MissedLimits,
    Review,
)
from dosing.medicines import METHADONE


@dataclass(frozen=True)
class AtTheHatch:
    """The facts of the interlock, and the rows a page shows beside them."""

    facts: GiveFacts
    judged: Judged
    review_id: int | None
    decision: DoseDecision


def newest_stamp(act: Act, patient_id: int) -> datetime:
    """Now, and never before the newest stamp of this record: stamps can run ahead of a clock."""
    last = act.session.scalar(select(RecordTurn.last_at).where(RecordTurn.patient_id == patient_id))
    return max(act.at, last or act.at)


def within(consumed_at: datetime, known_at: datetime) -> datetime:
    """The moment to judge at. A time typed to the minute is the end of that minute, if it is over."""
    if consumed_at.second or consumed_at.microsecond:
        return consumed_at
    return max(
        consumed_at, min(consumed_at + timedelta(seconds=59, microseconds=999_999), known_at)
    )


def at_the_hatch(
    act: Act,
    decision: DoseDecision,
    increment: int,
    at: datetime,
    known_at: datetime,
    *,
    without: Collection[int] = (),
) -> AtTheHatch:
    """Everything the interlock asks about one dose of a decision, given `at` a moment.

    `without`: dose events left out, as when one is put right.
    """
    records = same_person(act, decision.patient_id)
    on = london_day(at)
    judged = judge_dose(act, decision, increment, at, known_at, without=without)
    review = review_counting(act, records, at)
    events = [
        row for row in _events(act, records, decision.drug, on, increment) if row.id not in without
    ]
    known = judged.known
    return AtTheHatch(
        facts=GiveFacts(
            at=at,
            increment=increment,
            place_set=place_on(act, records, on) is not None,
            identity=_checks(act, records, "identity", on),
            intoxication=_checks(act, records, "intoxication", on),
            review=review and Review(review.reviewed_at, review.recorded_at, review.decision),
            decision=as_decision(decision),
            missed_days=None if known is None else known.missed_before,
            last_covered_on=None if known is None else known.last_covered_before,
            missed_limits=missed_limits(act, decision.drug, decision.rule_set, on),
            assessments=assessments_of(act, records),
            rules=judged.outcome,
            recorded=any(row.struck_at is None for row in events)
            or taken_home_dose(act, records, decision.drug, on, increment),
            in_doubt=any(
                row.struck_at is not None and row.outcome in SWALLOWED and row.agreed_at is None
                for row in events
            ),
            broken=_broken(act, records, decision.id, on, increment),
        ),
        judged=judged,
        review_id=review and review.id,
        decision=decision,
    )


def which_dose(decision: DoseDecision, increment: int | None) -> int:
    """The number of a dose of the day: the decision's first when not said. Invalid if it has none."""
    number = increment or decision.first_increment
    if number not in increments_of(decision):
        raise Invalid.field("increment", "must be one of this decision's doses of the day")
    return number


def as_decision(row: DoseDecision) -> Decision:
    return Decision(
        written_at=row.known_at,
        days=days_of(row),
        increments=increments_of(row),
        withdrawn_at=row.withdrawn_at,
        re_induction=row.asked["order"]["phase"] == "re_induction",
    )


def missed_limits(act: Act, drug: str, rule_set: str, on: date) -> MissedLimits:
    """From how many missed days a prescriber must see somebody, as this site has it that day.

    The rules' own definition, or a limit the site made stricter.
    """
    limits = read_limits(site_limits_on(act, act.site_id or 0, rule_set, on))
    book = site_rulebook(rule_set, limits)
    defined = book.defined(rule_set, on)["missed-days"]
    letter = "M" if drug == METHADONE else "B"
    rules = book.in_force(rule_set, on)
    return MissedLimits(
        min(defined.whole("prescriber_from"), rules[f"{letter}-MD-02"].whole("from_days")),
        min(defined.whole("new_episode_from"), rules[f"{letter}-MD-04"].whole("from_days")),
    )


def assessments_of(act: Act, records: Collection[int]) -> tuple[Assessment, ...]:
    """When a prescriber assessed this person, as far as it stands."""
    rows = act.session.scalars(
        select(ClinicalEntry).where(
            ClinicalEntry.patient_id.in_(records), ClinicalEntry.kind == "assessment",
            ClinicalEntry.struck_at.is_(None),
        )
    )  # fmt: skip
    return tuple(
        Assessment(row.happened_at, row.recorded_at)
        for row in rows
        if row.data["item"] == "prescriber_assessed"
    )


def _checks(act: Act, records: list[int], kind: str, on: date) -> tuple[Check, ...]:
    rows = act.session.scalars(
        select(GateCheck)
        .where(
            GateCheck.patient_id.in_(records), GateCheck.kind == kind,
            GateCheck.struck_at.is_(None), GateCheck.checked_at >= start_of(on),
        )
        .order_by(GateCheck.checked_at, GateCheck.id)
        .execution_options(populate_existing=True)
    )  # fmt: skip
    return tuple(Check(row.checked_at, row.clear) for row in rows)


def _events(act: Act, records: list[int], drug: str, on: date, increment: int) -> list[DoseEvent]:
    return list(
        act.session.scalars(
            select(DoseEvent)
            .where(
                DoseEvent.patient_id.in_(records), DoseEvent.drug == drug, DoseEvent.dose_on == on,
                DoseEvent.increment == increment, DoseEvent.elsewhere.is_(False),
            )
            .order_by(DoseEvent.id)
            .execution_options(populate_existing=True)
        )
    )  # fmt: skip


def standing_event(
    act: Act, records: list[int], drug: str, on: date, increment: int
) -> DoseEvent | None:
    """What is recorded of this dose of the day, if anything stands."""
    rows = _events(act, records, drug, on, increment)
    return next((row for row in rows if row.struck_at is None), None)


def taken_home_dose(act: Act, records: list[int], drug: str, on: date, increment: int) -> bool:
    """Was this very dose handed over to be taken home?"""
    return (
        act.session.scalar(
            select(DispensedDose.id).where(
                DispensedDose.patient_id.in_(records), DispensedDose.drug == drug,
                DispensedDose.dose_on == on, DispensedDose.increment == increment,
                DispensedDose.how == "take_home", DispensedDose.struck_at.is_(None),
            )
        )
        is not None
    )  # fmt: skip


def _broken(
    act: Act, records: list[int], decision_id: int, on: date, increment: int
) -> tuple[BrokenGlass, ...]:
    rows: Any = act.session.scalars(
        select(BrokenGate).where(
            BrokenGate.patient_id.in_(records), BrokenGate.kind == "glass",
            BrokenGate.decision_id == decision_id, BrokenGate.dose_on == on,
            BrokenGate.increment == increment,
        )
    )  # fmt: skip
    return tuple(BrokenGlass(row.broken_at, frozenset(row.gates)) for row in rows)
