"""Which reminders were sent, are due, failed, or will never be sent, and why not?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from clinic.act import Act
from clinic.appointments.models import Visit
from clinic.patients.models import Patient
from clinic.reminders.commands import choice_in_force
from clinic.reminders.models import STANDS, ContactChoice, Reminder
from scheduling.reminders import LONGEST, WINDOWS, Window

LOOK_BACK = timedelta(days=7)
WILL = {
    **STANDS,
    "due": "Due now",
    "coming": "Will be sent",
    "quiet": "Not sent: its whole time lies in quiet hours",
    "past": "Not sent: its time has passed",
    "not_asked": "Not sent: nobody asked whether they want to be reminded",
    "said_no": "Not sent: they said no",
    "no_port": "Not sent: nothing is set up here to send it by",
}
_ORDER = ("failed", "unsure", "not_asked", "no_port", "due", "sending", "coming", "sent")
WORDS = {window.id: window.says for window in WINDOWS}


@dataclass(frozen=True)
class Line:
    """One reminder, sent or not: of which visit, when it goes or went, and how it stands.

    `old_time`: the visit is no longer at the time it was for, or no longer stands.
    """

    patient: Patient
    visit_id: int
    visit_at: datetime
    window: str
    stands: str
    at: datetime | None
    channel: str | None
    reminder: Reminder | None
    old_time: bool


def reminders_page(act: Act, channels: Collection[str]) -> list[Line]:
    """The reminders of the last week and of the visits ahead: what needs somebody first."""
    act.need("appointments.read")
    lines = [*_sent(act, since=act.at - LOOK_BACK), *_ahead(act, channels)]
    act.note_shown("reminders.listed", [each.patient.id for each in lines])
    return sorted(lines, key=_rank)


def to_settle(act: Act) -> list[Line]:
    """The reminders of visits ahead that failed or may not have gone, the nearest visit first."""
    act.need("appointments.read")
    found = [
        line
        for line in _sent(act, since=act.at)
        if line.stands in ("failed", "unsure") and not line.old_time
    ]
    act.note_shown("reminders.listed", [each.patient.id for each in found])
    return sorted(found, key=_rank)


def _rank(line: Line) -> tuple[int, datetime, int, str]:
    place = _ORDER.index(line.stands) if line.stands in _ORDER else len(_ORDER)
    return place, line.visit_at, line.visit_id, line.window


def _sent(act: Act, since: datetime) -> list[Line]:
    rows = act.session.execute(
        select(Reminder, Visit, Patient, ContactChoice.channel)
        .join(Visit, Visit.id == Reminder.visit_id)
        .join(Patient, Patient.id == Reminder.patient_id)
        .join(ContactChoice, ContactChoice.id == Reminder.choice_id)
        .where(Reminder.site_id == act.site_id, Reminder.for_starts_at > since)
    ).all()
    return [
        Line(
            patient, visit.id, row.for_starts_at, row.window, row.stands(act.at),
            row.tries[-1].ended_at or row.tries[-1].intended_at, channel, row,
            visit.starts_at != row.for_starts_at or visit.status == "cancelled",
        )
        for row, visit, patient, channel in rows
    ]  # fmt: skip


def _ahead(act: Act, channels: Collection[str]) -> list[Line]:
    rows = act.session.execute(
        select(Visit, Patient)
        .join(Patient, Patient.id == Visit.patient_id)
        .where(
            Visit.site_id == act.site_id, Visit.status == "booked", Visit.starts_at > act.at,
            Visit.starts_at <= act.at + LONGEST, Patient.died_on.is_(None),
        )
    ).all()  # fmt: skip
    known = {
        (row.visit_id, row.for_starts_at, row.window)
        for row in act.session.execute(
            select(Reminder.visit_id, Reminder.for_starts_at, Reminder.window).where(
                Reminder.site_id == act.site_id, Reminder.for_starts_at > act.at
            )
        )
    }
    found = []
    for visit, patient in rows:
        choice = choice_in_force(act, patient.id)
        for window in WINDOWS:
            if (visit.id, visit.starts_at, window.id) not in known:
                stands, at = _will(act, visit, window, choice, channels)
                found.append(
                    Line(
                        patient, visit.id, visit.starts_at, window.id, stands, at,
                        choice and choice.channel, None, False,
                    )
                )  # fmt: skip
    return found


def _will(
    act: Act, visit: Visit, window: Window, choice: ContactChoice | None, channels: Collection[str]
) -> tuple[str, datetime | None]:
    at = window.sends_at(visit.starts_at)
    if at is None:
        return "quiet", None
    if act.at > visit.starts_at - window.closes:
        return "past", None
    if choice is None:
        return "not_asked", at
    if choice.channel == "none":
        return "said_no", None
    if choice.channel not in channels:
        return "no_port", at
    return ("due" if at <= act.at else "coming"), at


def choices_of(act: Act, patient_ids: list[int]) -> list[ContactChoice]:
    """Everything these records' person ever said, the newest first. For pages that opened them."""
    return list(
        act.session.scalars(
            select(ContactChoice)
            .where(ContactChoice.patient_id.in_(patient_ids))
            .order_by(ContactChoice.id.desc())
        )
    )
