"""Which alerts were gone against here, why, how often, and what came of it? By quarter.

A rule is counted where it fired on an order that was saved (a dose decided on, a prescription form
issued) or stopped. An alert on a saved order was gone against; on a stopped one it was not. An order
changed before anybody saved it is not counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select

from clinic.act import Act
from clinic.errors import NotFound
from clinic.guidance.models import OverrideReview
from clinic.guidance.queries import FIRED_WITHIN, staff_names
from clinic.patients.models import Patient, Registration
from clinic.periods import Quarter
from clinic.prescriptions.models import OVERRIDES, DoseDecision, DoseFinding, DoseStop
from clinic.scripts.models import CANCELLED, Script
from clinic.staff.models import Staff

PAGE = 50
TAKEN_BACK = or_(DoseDecision.withdrawn_at.is_not(None), Script.status == CANCELLED)


@dataclass(frozen=True)
class Review:
    """What a clinical lead made of it."""

    by: str
    at: datetime
    comment: str


@dataclass(frozen=True)
class Override:
    """One alert gone against. `patient` is named only to those who may see them on the caseload.

    `taken_back`: the decision was withdrawn since, or the form cancelled.
    """

    id: int
    finding: DoseFinding
    prescriber: str
    patient: str | None
    taken_back: bool
    stopped_since: bool
    reviews: tuple[Review, ...]

    @property
    def reason_words(self) -> str:
        return OVERRIDES.get(self.finding.reason_code or "", self.finding.reason_code or "")


@dataclass(frozen=True)
class Register:
    """One page of a quarter's overrides, newest first; `total` of all its pages."""

    quarter: Quarter
    overrides: list[Override]
    total: int
    page: int

    @property
    def last(self) -> int:
        return max(1, -(-self.total // PAGE))


def _gone_against() -> ColumnElement[bool]:
    return and_(DoseFinding.severity == "ALERT", DoseFinding.saved)


def _here(act: Act, quarter: Quarter) -> ColumnElement[bool]:
    return and_(
        DoseFinding.site_id == act.site_id,
        DoseFinding.found_on.between(quarter.first_on, quarter.last_on),
    )


def register(act: Act, quarter: Quarter, page: int = 1) -> Register:
    """The alerts gone against at this site in a quarter; whose they were is on the audit."""
    act.need("guidance.oversee")
    wanted = (_here(act, quarter), _gone_against())
    total = act.session.scalar(select(func.count()).select_from(DoseFinding).where(*wanted)) or 0
    rows = act.session.scalars(
        select(DoseFinding)
        .where(*wanted)
        .order_by(DoseFinding.found_on.desc(), DoseFinding.id.desc())
        .limit(PAGE)
        .offset(PAGE * (max(page, 1) - 1))
    ).all()
    act.note_shown("guidance.overrides", {row.patient_id for row in rows})
    return Register(quarter, _overrides(act, rows), total, max(page, 1))


def override(act: Act, finding_id: int) -> Override:
    """One alert gone against at this site; the look is audited."""
    act.need("guidance.oversee")
    row = act.session.scalar(
        select(DoseFinding).where(
            DoseFinding.id == finding_id, DoseFinding.site_id == act.site_id, _gone_against()
        )
    )
    if row is None:
        raise NotFound("There is no such override at this site.")
    act.note("guidance.override_read", patient_id=row.patient_id, finding=row.id)
    return _overrides(act, [row])[0]


def _overrides(act: Act, rows: Iterable[DoseFinding]) -> list[Override]:
    rows = list(rows)
    taken_back = _taken_back(act, rows)
    stops: dict[int, datetime] = dict(
        act.session.execute(
            select(DoseStop.patient_id, func.max(DoseStop.recorded_at))
            .where(DoseStop.patient_id.in_({row.patient_id for row in rows}))
            .group_by(DoseStop.patient_id)
        ).all()
    )
    reviews = _reviews(act, [row.id for row in rows])
    names = staff_names(act, (row.recorded_by for row in rows))
    patients = _caseload_names(act, {row.patient_id for row in rows})
    return [
        Override(
            row.id, row, names[row.recorded_by], patients.get(row.patient_id),
            row.id in taken_back,
            (last := stops.get(row.patient_id)) is not None and last > row.recorded_at,
            tuple(reviews.get(row.id, ())),
        )
        for row in rows
    ]  # fmt: skip


def _taken_back(act: Act, rows: list[DoseFinding]) -> set[int]:
    """The findings whose decision was withdrawn, or whose form was cancelled, since."""
    found = act.session.scalars(
        select(DoseFinding.id)
        .outerjoin(DoseDecision, DoseDecision.id == DoseFinding.decision_id)
        .outerjoin(Script, Script.id == DoseFinding.script_id)
        .where(DoseFinding.id.in_([row.id for row in rows]), TAKEN_BACK)
    )
    return set(found)


def _reviews(act: Act, findings: list[int]) -> dict[int, list[Review]]:
    found = act.session.execute(
        select(OverrideReview, Staff.name)
        .join(Staff, Staff.id == OverrideReview.recorded_by)
        .where(OverrideReview.finding_id.in_(findings))
        .order_by(OverrideReview.id)
    )
    out: dict[int, list[Review]] = {}
    for row, name in found:
        out.setdefault(row.finding_id, []).append(Review(name, row.recorded_at, row.comment))
    return out


def _caseload_names(act: Act, patient_ids: set[int]) -> dict[int, str]:
    if not act.may("patients.read"):
        return {}
    found = act.session.scalars(
        select(Patient)
        .join(Registration, Registration.patient_id == Patient.id)
        .where(
            Patient.id.in_(patient_ids), Registration.site_id == act.site_id,
            Registration.ended_at.is_(None),
        )
    )  # fmt: skip
    return {row.id: row.listed_name for row in found}


def to_review(act: Act) -> int:
    """How many overrides of the last 90 days wait for this person's review; never their own."""
    return (
        act.session.scalar(
            select(func.count())
            .select_from(DoseFinding)
            .where(
                DoseFinding.site_id == act.site_id,
                DoseFinding.found_on > act.today - FIRED_WITHIN, _gone_against(),
                DoseFinding.recorded_by != act.staff_id,
                ~exists().where(OverrideReview.finding_id == DoseFinding.id),
            )
        )
        or 0
    )  # fmt: skip


# -- rates ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rate:
    """How often alerts fired and were gone against. `of`: a rule's id, or a prescriber's name."""

    of: str
    alerts: int
    gone_against: int
    stops: int
    staff_id: int | None = None

    @property
    def percent(self) -> int | None:
        return round(100 * self.gone_against / self.alerts) if self.alerts else None


@dataclass(frozen=True)
class Rates:
    """A quarter's rates at this site, by rule and by prescriber, most overrides first."""

    quarter: Quarter
    by_rule: list[Rate]
    by_prescriber: list[Rate]


def rates(act: Act, quarter: Quarter) -> Rates:
    """How often each rule fired and was gone against, and by whom."""
    act.need("guidance.oversee")
    by_rule = [Rate(rule, *counts) for rule, *counts in _counted(act, quarter, DoseFinding.rule)]
    found = _counted(act, quarter, DoseFinding.recorded_by)
    names = staff_names(act, (who for who, *_ in found))
    by_prescriber = [Rate(names[who], *counts, staff_id=who) for who, *counts in found]
    act.note("guidance.rates", quarter=str(quarter))
    return Rates(quarter, _worst_first(by_rule), _worst_first(by_prescriber))


def _counted(act: Act, quarter: Quarter, by: Any) -> list[tuple[Any, int, int, int]]:
    def counted(what: ColumnElement[bool]) -> Any:
        return func.coalesce(func.sum(case((what, 1), else_=0)), 0)

    found = act.session.execute(
        select(
            by, counted(DoseFinding.severity == "ALERT"), counted(_gone_against()),
            counted(DoseFinding.severity == "STOP"),
        )
        .where(_here(act, quarter), DoseFinding.severity != "INFO")
        .group_by(by)
    )  # fmt: skip
    return [(of, int(alerts), int(against), int(stops)) for of, alerts, against, stops in found]


def _worst_first(found: list[Rate]) -> list[Rate]:
    return sorted(found, key=lambda each: (-each.gone_against, -each.stops, each.of))


# -- to take away --------------------------------------------------------------------------

HEADS = (
    "day", "rule", "rule_set", "severity", "order", "reason_code", "prescriber",
    "taken_back_since", "stopped_since", "reviewed",
)  # fmt: skip


def export(act: Act, quarter: Quarter) -> list[tuple[Any, ...]]:
    """Every alert and stop of a quarter as rows without a patient and without typed text.

    What was typed as the reason may name somebody, so only its code is given.
    """
    act.need("guidance.oversee")
    act.note("guidance.exported", quarter=str(quarter))
    stopped_since = exists().where(
        DoseStop.patient_id == DoseFinding.patient_id,
        DoseStop.recorded_at > DoseFinding.recorded_at,
    )
    reviewed = exists().where(OverrideReview.finding_id == DoseFinding.id)
    found = act.session.execute(
        select(
            DoseFinding, Staff.name, func.coalesce(TAKEN_BACK, False), stopped_since, reviewed
        )
        .join(Staff, Staff.id == DoseFinding.recorded_by)
        .outerjoin(DoseDecision, DoseDecision.id == DoseFinding.decision_id)
        .outerjoin(Script, Script.id == DoseFinding.script_id)
        .where(_here(act, quarter), DoseFinding.severity != "INFO")
        .order_by(DoseFinding.found_on, DoseFinding.id)
    )  # fmt: skip
    return [
        (
            row.found_on.isoformat(), row.rule, row.rule_set, row.severity,
            _order(row), row.reason_code or "", name,
            *("yes" if each else "no" for each in (taken_back, since, seen)),
        )
        for row, name, taken_back, since, seen in found
    ]  # fmt: skip


def _order(row: DoseFinding) -> str:
    if row.saved:
        return "dose decided on" if row.decision_id else "prescription form"
    return "stopped"
