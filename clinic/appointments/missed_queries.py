"""Whose ladder goes on, which step is due, and what ended each of the others?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from clinic.act import Act
from clinic.appointments.missed_models import MissedContact, MissedContactTry
from clinic.appointments.models import Referral, Visit
from clinic.calendars import working_days
from clinic.errors import NotFound
from clinic.patients.access import open_record
from clinic.patients.models import Patient, Registration
from clinic.sites.models import Site
from clinic.ui import moment
from scheduling.missed_contact import Step, Try, next_step, reached_at, steps

LOOK_BACK = timedelta(days=90)
"""A ladder older than this is on the person's page and on no list."""
ENDED = {
    "reached": "Reached",
    "came": "Came to a visit",
    "stopped": "Ended by the team",
    "attended": "The visit is no longer recorded as missed",
    "left": "No longer waits here",
    "newer": "A newer ladder took its place",
    "struck": "Recorded in error",
    "died": "The person has died",
}


@dataclass(frozen=True)
class Ladder:
    """One missed contact with its steps and tries. `ended`: why it no longer goes on, or None."""

    row: MissedContact
    patient: Patient
    steps: tuple[Step, ...]
    tries: tuple[MissedContactTry, ...]
    referral: Referral | None
    visit_ahead: Visit | None
    ended: str | None

    @property
    def next(self) -> Step | None:
        """The step that is due first; None once the ladder has ended."""
        return None if self.ended else next_step(self.steps)

    def waits_for(self, now: datetime) -> str:
        """What is to be done: the step due first, and every other that is late or due within a day,
        so that a step nobody wrote down hides none.
        """
        todo = [each for each in self.steps if each.done_at is None]
        soon = [each for each in todo[1:] if each.due_at <= now + timedelta(days=1)]
        others = [f"By {moment(each.due_at)}: {each.says}" for each in soon]
        return " ".join([*(each.says for each in todo[:1]), *others])


def open_ladders(act: Act) -> list[Ladder]:
    """Every ladder of this site's caseload that goes on, the step due first above the others."""
    act.need("appointments.read")
    newer = aliased(MissedContact)
    here = exists().where(
        Registration.patient_id == MissedContact.patient_id, Registration.site_id == act.site_id,
        Registration.ended_at.is_(None),
    )  # fmt: skip
    rows = act.session.scalars(
        select(MissedContact).where(
            MissedContact.site_id == act.site_id, MissedContact.struck_at.is_(None),
            MissedContact.missed_at > act.at - LOOK_BACK, here,
            ~exists().where(
                newer.patient_id == MissedContact.patient_id, newer.site_id == act.site_id,
                newer.struck_at.is_(None), newer.missed_at > MissedContact.missed_at,
            ),
        )
    ).all()  # fmt: skip
    found = [each for each in _ladders(act, rows) if each.next is not None]
    act.note_shown("appointments.ladders_listed", [each.row.patient_id for each in found])
    return sorted(found, key=lambda each: (each.next.due_at, each.row.id))  # type: ignore[union-attr]


def ladder(act: Act, ladder_id: int) -> Ladder:
    """One ladder of this site. The look is audited."""
    row = ladder_here(act, ladder_id)
    open_record(act, row.patient_id, "appointments.ladder_read", right="appointments.read")
    return _ladders(act, [row])[0]


def ladder_here(act: Act, ladder_id: int) -> MissedContact:
    """The ladder, if it is at this site."""
    row = act.session.get(MissedContact, ladder_id, populate_existing=True)
    if row is None or row.site_id != act.site_id:
        raise NotFound("There is no such missed contact at this site.")
    return row


def ladder_of_visit(act: Act, visit_id: int) -> int | None:
    """The ladder a missed visit began. For pages that have opened the record."""
    return act.session.scalar(select(MissedContact.id).where(MissedContact.visit_id == visit_id))


def _ladders(act: Act, rows: Sequence[MissedContact]) -> list[Ladder]:
    if not rows:
        return []
    calendar = working_days(act.session, act.session.get_one(Site, act.site_id))
    tries: dict[int, list[MissedContactTry]] = {}
    for each in act.session.scalars(
        select(MissedContactTry)
        .where(MissedContactTry.missed_contact_id.in_([row.id for row in rows]))
        .order_by(MissedContactTry.at, MissedContactTry.id)
        .execution_options(populate_existing=True)
    ):
        tries.setdefault(each.missed_contact_id, []).append(each)
    people = {row.patient_id for row in rows}
    patients = {
        row.id: row for row in act.session.scalars(select(Patient).where(Patient.id.in_(people)))
    }
    visits = act.session.scalars(
        select(Visit)
        .where(Visit.patient_id.in_(people), Visit.site_id == act.site_id)
        .order_by(Visit.starts_at)
    ).all()
    referrals = {
        row.id: row
        for row in act.session.scalars(
            select(Referral)
            .where(Referral.patient_id.in_(people), Referral.site_id == act.site_id)
            .order_by(Referral.id)
        )
    }
    newest: dict[int, datetime] = {}
    for patient_id, missed_at in act.session.execute(
        select(MissedContact.patient_id, MissedContact.missed_at).where(
            MissedContact.patient_id.in_(people), MissedContact.site_id == act.site_id,
            MissedContact.struck_at.is_(None),
        )
    ):  # fmt: skip
        newest[patient_id] = max(missed_at, newest.get(patient_id, missed_at))
    made = []
    for row in rows:
        theirs = [each for each in visits if each.patient_id == row.patient_id]
        missed = next((each for each in theirs if each.id == row.visit_id), None)
        ahead = next(
            (each for each in theirs if each.status == "booked" and each.starts_at > row.missed_at),
            None,
        )
        referral = _referral(row, missed, referrals)
        standing = [each for each in tries.get(row.id, ()) if each.struck_at is None]
        made.append(
            Ladder(
                row, patients[row.patient_id],
                tuple(
                    steps(
                        row.missed_at, [Try(each.how, each.at, each.outcome) for each in standing],
                        calendar, None if ahead is None else ahead.recorded_at,
                    )
                ),
                tuple(tries.get(row.id, ())), referral, ahead,
                _ended(row, patients[row.patient_id], missed, theirs, referral, standing, newest),
            )
        )  # fmt: skip
    return made


def _referral(
    row: MissedContact, missed: Visit | None, referrals: dict[int, Referral]
) -> Referral | None:
    if missed is not None:
        return referrals.get(missed.referral_id or 0)
    theirs = [each for each in referrals.values() if each.patient_id == row.patient_id]
    return theirs[-1] if theirs else None


def _ended(
    row: MissedContact, patient: Patient, missed: Visit | None, visits: Sequence[Visit],
    referral: Referral | None, tries: Sequence[MissedContactTry], newest: dict[int, datetime],
) -> str | None:  # fmt: skip
    if row.struck_at is not None:
        return "struck"
    if patient.died_on is not None:
        return "died"
    if missed is not None and missed.status != "did_not_attend":
        return "attended"
    if reached_at(Try(each.how, each.at, each.outcome) for each in tries) is not None:
        return "reached"
    if any(each.status == "arrived" and each.starts_at > row.missed_at for each in visits):
        return "came"
    if any(each.outcome == "stop" for each in tries):
        return "stopped"
    if missed is not None and referral is not None and referral.status == "closed":
        return "left"
    if newest[row.patient_id] > row.missed_at:
        return "newer"
    return None
