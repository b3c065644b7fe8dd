"""Record how somebody wants to be reached; remind people of their visits, each once.

Sending is three steps, each whole: the intent is written and committed, the message leaves, what
came of it is written. A process that dies between them leaves an intent nobody ended: that may have
gone, is said so, and is never sent again by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from clinic import clock
from clinic.act import Act, command
from clinic.appointments.models import Visit
from clinic.errors import Conflict, Invalid, NotFound, one_of, says
from clinic.patients.access import open_record
from clinic.patients.models import Patient
from clinic.patients.queries import same_person
from clinic.reminders.models import CHANNELS, ContactChoice, Reminder, ReminderTry
from clinic.reminders.ports import Message, NotSent, Port, Unsure
from scheduling.reminders import LANGUAGES, LONGEST, TRIES, due, quiet, words

for _name in ("uq_reminder_once", "reminder.visit_id, reminder.for_starts_at"):
    says(_name, "This reminder is being sent already.")
for _name in ("uq_reminder_try_number", "reminder_try.reminder_id"):
    says(_name, "This reminder is being sent already.")
for _name in ("uq_contact_choice_in_force", "contact_choice.patient_id"):
    says(_name, "Somebody recorded this at the same moment. Look again and repeat.")

_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_MOBILE = re.compile(r"(?:\+44|0)7[0-9]{9}")


# -- how somebody wants to be reached ------------------------------------------------------


@command
def record_choice(
    act: Act,
    patient_id: int,
    *,
    channel: str,
    address: str | None = None,
    language: str = "en",
    large_print: bool = False,
    needs: str | None = None,
) -> int:
    """What the patient said when asked. It takes the place of what they said before. Returns its id."""
    patient = open_record(act, patient_id, "reminders.choosing", right="patients.edit")
    one_of("channel", channel, CHANNELS)
    one_of("language", language, LANGUAGES)
    to = _address(channel, address)
    text = (needs or "").strip() or None
    _end(act, patient.id, "asked anew")
    row = ContactChoice(
        patient_id=patient.id, channel=channel, address=to, language=language,
        large_print=large_print, needs=text, ended_at=None, ended_by=None, ended_because=None,
        recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("reminders.choice_recorded", patient_id=patient.id, choice=row.id, channel=channel)
    return row.id


def _address(channel: str, address: str | None) -> str | None:
    text = (address or "").strip()
    if channel == "none":
        return None
    if channel == "email":
        if len(text) > 254 or not _EMAIL.fullmatch(text):
            raise Invalid.field("address", "must be an e-mail address, such as name@example.org")
        return text
    digits = re.sub(r"[\s()-]", "", text)
    if not _MOBILE.fullmatch(digits):
        raise Invalid.field("address", "must be a UK mobile number, such as 07700 900123")
    return digits if digits.startswith("+") else f"+44{digits[1:]}"


@command
def withdraw_choice(act: Act, patient_id: int) -> None:
    """The patient no longer wants to be reminded. From now on nothing is sent."""
    patient = open_record(act, patient_id, "reminders.choosing", right="patients.edit")
    if not _end(act, patient.id, "withdrawn"):
        raise NotFound("Nothing is recorded that could be withdrawn.")
    act.note("reminders.choice_withdrawn", patient_id=patient.id)


def _end(act: Act, patient_id: int, because: str) -> bool:
    rows = act.session.scalars(
        select(ContactChoice).where(
            ContactChoice.patient_id.in_(same_person(act, patient_id)),
            ContactChoice.ended_at.is_(None),
        )
    ).all()
    for row in rows:
        row.ended_at, row.ended_by, row.ended_because = act.at, act.staff_id, because
    act.session.flush()
    return bool(rows)


def choice_in_force(act: Act, patient_id: int) -> ContactChoice | None:
    """What this person said last, if it still holds; for two records of one person, the newest."""
    found: ContactChoice | None = act.session.scalars(
        select(ContactChoice)
        .where(
            ContactChoice.patient_id.in_(same_person(act, patient_id)),
            ContactChoice.ended_at.is_(None),
        )
        .order_by(ContactChoice.recorded_at.desc(), ContactChoice.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).first()
    return found


# -- sending -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sending:
    """A try whose intent is written: what is to leave, and by which channel."""

    try_id: int
    channel: str
    message: Message


def send_due(act: Act, ports: Mapping[str, Port]) -> int:
    """Send every reminder that is due now and was not sent. Safe to run twice, and by two at once."""
    if quiet(act.at):
        return 0
    visits = _to_remind(act)
    act.session.rollback()
    sent = 0
    for visit_id in visits:
        try:
            sending = _intend(act, visit_id, frozenset(ports))
        except Conflict:
            continue  # another sweep is sending it this moment
        if sending is not None:
            sent += _deliver(act, sending, ports[sending.channel]) == "sent"
    return sent


def _to_remind(act: Act) -> list[int]:
    """The booked visits in a window now whose reminder was not sent; asked once more before sending."""
    rows = act.session.execute(
        select(Visit.id, Visit.starts_at)
        .where(
            Visit.status == "booked", Visit.starts_at > act.at, Visit.starts_at <= act.at + LONGEST
        )
        .order_by(Visit.starts_at, Visit.id)
    ).all()
    known = {
        (row.visit_id, row.for_starts_at, row.window): row
        for row in act.session.scalars(select(Reminder).where(Reminder.for_starts_at > act.at))
    }
    found = []
    for visit_id, starts_at in rows:
        if (window := due(starts_at, act.at)) is not None:
            row = known.get((visit_id, starts_at, window.id))
            if row is None or row.stands(act.at) == "failed":
                found.append(visit_id)
    return found


@command
def _intend(act: Act, visit_id: int, channels: frozenset[str]) -> Sending | None:
    """Write down that a reminder of this visit is about to leave; None when none is to."""
    visit = act.session.scalar(
        select(Visit)
        .where(Visit.id == visit_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    window = None if visit is None else due(visit.starts_at, act.at)
    if visit is None or visit.status != "booked" or window is None:
        return None
    patient = act.session.get_one(Patient, visit.patient_id, populate_existing=True)
    choice = choice_in_force(act, visit.patient_id)
    if patient.died_on is not None or choice is None or choice.channel not in channels:
        return None
    row = act.session.scalar(
        select(Reminder)
        .where(
            Reminder.visit_id == visit.id, Reminder.for_starts_at == visit.starts_at,
            Reminder.window == window.id,
        )
        .execution_options(populate_existing=True)
    )  # fmt: skip
    if row is None:
        row = Reminder(
            visit_id=visit.id, patient_id=visit.patient_id, site_id=visit.site_id,
            for_starts_at=visit.starts_at, window=window.id, choice_id=choice.id, tries=[],
        )  # fmt: skip
        act.session.add(row)
        act.session.flush()
    elif row.stands(act.at) != "failed" or len(row.tries) >= TRIES:
        return None
    return _try(act, row, choice)


def _try(act: Act, row: Reminder, choice: ContactChoice) -> Sending:
    """One more try of a reminder, by what the person says now."""
    number = len(row.tries) + 1
    made = ReminderTry(
        reminder_id=row.id, number=number, intended_at=act.at, by=act.staff_id, ended_at=None,
        outcome=None, says=None,
    )  # fmt: skip
    row.tries.append(made)
    row.choice_id = choice.id
    act.session.flush()
    said = words(choice.language, row.for_starts_at)
    act.note(
        "reminders.intended", patient_id=row.patient_id, site_id=row.site_id, reminder=row.id,
        number=number, visit=row.visit_id,
    )  # fmt: skip
    return Sending(
        made.id, choice.channel,
        Message(
            f"reminder-{row.id}-{number}", choice.address or "", said.subject, said.text,
            choice.large_print,
        ),
    )  # fmt: skip


def _deliver(act: Act, sending: Sending, port: Port) -> str:
    """Let it leave, and write down what came of it."""
    try:
        port.send(sending.message)
    except NotSent as refusal:
        return _ended(act, sending.try_id, "failed", str(refusal))
    except Unsure as doubt:
        return _ended(act, sending.try_id, "unsure", str(doubt))
    return _ended(act, sending.try_id, "sent", None)


@command
def _ended(act: Act, try_id: int, outcome: str, says: str | None) -> str:
    made = act.session.get_one(ReminderTry, try_id, populate_existing=True)
    row = act.session.get_one(Reminder, made.reminder_id)
    made.outcome, made.says, made.ended_at = outcome, says, max(clock.now(), made.intended_at)
    act.note(
        f"reminders.{outcome}", patient_id=row.patient_id, site_id=row.site_id, reminder=row.id,
        number=made.number,
    )  # fmt: skip
    return outcome


def retry(act: Act, reminder_id: int, ports: Mapping[str, Port], *, sure: bool = False) -> str:
    """Send a reminder again because somebody asks for it: sent, failed or unsure.

    Conflict unless it failed, or, being `sure` that it may then arrive twice, was broken off.
    """
    sending = _intend_again(act, reminder_id, frozenset(ports), sure)
    return _deliver(act, sending, ports[sending.channel])


@command
def _intend_again(act: Act, reminder_id: int, channels: frozenset[str], sure: bool) -> Sending:
    row = reminder_here(act, reminder_id, right="appointments.book")
    stands = row.stands(act.at)
    if stands not in ("failed", "unsure"):
        raise Conflict(f"This reminder is {stands}: it is not sent again.")
    if stands == "unsure" and not sure:
        raise Invalid.field("sure", "must be yes: it may have gone, and may arrive twice")
    visit = act.session.get_one(Visit, row.visit_id, populate_existing=True)
    if visit.status != "booked" or visit.starts_at != row.for_starts_at:
        raise Conflict("The visit was moved or cancelled since: nothing is sent for its old time.")
    if visit.starts_at <= act.at:
        raise Conflict("The visit has begun.")
    if quiet(act.at):
        raise Conflict("These are quiet hours: nothing is sent now.")
    choice = choice_in_force(act, row.patient_id)
    if choice is None or choice.channel == "none":
        raise Conflict("The person does not want to be reminded, or was not asked.")
    if choice.channel not in channels:
        raise Conflict("Nothing is set up here to send it by.")
    return _try(act, row, choice)


def reminder_here(act: Act, reminder_id: int, right: str = "appointments.read") -> Reminder:
    """A reminder of this site's, whose patient's record may be opened; the look is audited."""
    row = act.session.get(Reminder, reminder_id, populate_existing=True)
    if row is None or row.site_id != act.site_id:
        raise NotFound("There is no such reminder at this site.")
    open_record(act, row.patient_id, "reminders.read", right=right)
    return row
