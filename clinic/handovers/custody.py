"""Somebody the community team looks after has gone into custody: its case manager sends the prison's
CARAT team all relevant information, with consent (RC-29).

The task opens by itself: from a reception in a prison of this system, or from a sentence somebody
records, whichever becomes known first. It closes when the prison's team has accepted a hand-over
made since, or when somebody decides, with a reason, that nothing is sent.
"""

from __future__ import annotations

from datetime import date
from typing import Any, TypeVar

from clinic.act import Act, command
from clinic.errors import Conflict, Invalid, NotFound, needed, one_of, says, written
from clinic.handovers import commands, custody_package
from clinic.handovers.gone import TO_PREPARE, WORDS, gone, in_the_community
from clinic.handovers.models import WHY_NOTHING, NothingSent, SentencedToCustody
from clinic.patients.access import open_record
from clinic.patients.models import Patient
from clinic.release.consent_facts import newest_about
from clinic.release.consents import said_of
from clinic.sites.models import Site

for _name in ("uq_sentenced_to_custody_standing", "sentenced_to_custody.patient_id"):
    says(_name, "A sentence of that day is recorded already.")

LONGEST = commands.LONGEST
RIGHT = commands.RIGHT
T = TypeVar("T", SentencedToCustody, NothingSent)


# -- the hand-over ---------------------------------------------------------------------------


@command
def prepare_into_custody(
    act: Act,
    patient_id: int,
    *,
    to_site_id: int | None = None,
    recipient: str | None = None,
    basis: str | None = None,
    because: str | None = None,
    replaces_id: int | None = None,
) -> int:
    """Make the package of the community's record as it stands and keep it. Nothing leaves yet.

    `to_site_id`: a prison of this system; else `recipient` names the team. Returns its id; it is
    sent, answered and withdrawn as every hand-over.
    """
    patient = _opened(act, patient_id, "handovers.prepared")
    now = gone(act, patient)
    if now is None:
        raise Conflict("Record first that they were sentenced to custody, and when.")
    to = commands.recipient_of(act, to_site_id, recipient)
    if to_site_id is not None and act.session.get_one(Site, to_site_id).kind != "prison":
        raise Invalid.field("to_site_id", "must be a prison")
    about = custody_package.About(
        now.where, now.received_on, now.sentence and now.sentence.sentenced_on,
        now.sentence and now.sentence.days, now.sentence and now.sentence.says, now.case_manager,
    )  # fmt: skip
    said = [row for row in said_of(act, patient.id) if row.struck_at is None]
    made = custody_package.make(
        act, patient, about, to, newest_about(said, to_site_id, None if to_site_id else to)
    )
    return commands.keep(
        act, patient.id, made, plan_id=None, to=to, to_site_id=to_site_id, basis=basis,
        because=because, replaces_id=replaces_id,
    ).id  # fmt: skip


@command
def send_nothing(act: Act, patient_id: int, *, because: str, says: str) -> int:
    """Nothing is handed over to the prison this time, and why. Returns the row's id."""
    patient = _opened(act, patient_id, "handovers.nothing_sent")
    one_of("because", because, WHY_NOTHING)
    text = needed("says", says, LONGEST)
    now = gone(act, patient)
    if now is None or now.stands != TO_PREPARE:
        raise Conflict(
            "Nobody is known to be in custody here." if now is None
            else f"{WORDS[now.stands]}: there is nothing to decide."
        )  # fmt: skip
    return _kept(act, NothingSent, patient, because=because, says=text).id


@command
def strike_nothing(act: Act, row_id: int, *, reason: str) -> int:
    """That decision was wrong or no longer holds: the task waits again. Returns the patient's id."""
    return _strike(act, NothingSent, row_id, "handovers.nothing_sent_struck", reason)


# -- the sentence ----------------------------------------------------------------------------


@command
def record_sentence(
    act: Act,
    patient_id: int,
    *,
    sentenced_on: date,
    says: str,
    prison_site_id: int | None = None,
    prison: str | None = None,
    days: int | None = None,
) -> int:
    """The community team heard of a sentence to custody. Returns the row's id.

    `says`: who said so. `prison_site_id` or `prison`: where they are taken; neither: not known yet.
    `days`: the length of the sentence; None: not known.
    """
    patient = _opened(act, patient_id, "handovers.sentence_recorded")
    if sentenced_on > act.today:
        raise Invalid.field("sentenced_on", "cannot be in the future")
    named = written("prison", prison, LONGEST)
    if prison_site_id is not None:
        site = act.session.get(Site, prison_site_id)
        if site is None or site.kind != "prison":
            raise Invalid.field("prison_site_id", "must be a prison of this system")
        if named is not None:
            raise Invalid.field("prison", "is named already: choose it or type it, not both")
    if days is not None and days < 1:
        raise Invalid.field("days", "must be 1 or more")
    return _kept(
        act, SentencedToCustody, patient, sentenced_on=sentenced_on, prison_site_id=prison_site_id,
        prison=named, days=days, says=needed("says", says, LONGEST),
    ).id  # fmt: skip


@command
def strike_sentence(act: Act, row_id: int, *, reason: str) -> int:
    """It was recorded wrongly. What opened with it closes. Returns the patient's id."""
    return _strike(act, SentencedToCustody, row_id, "handovers.sentence_struck", reason)


def _opened(act: Act, patient_id: int, action: str) -> Patient:
    patient = open_record(act, patient_id, action, right=RIGHT)
    if not in_the_community(act):
        raise Conflict("A prison hands over from the release plan or with the transfer.")
    if patient.died_on is not None:
        raise Conflict("The record says that this patient has died. Nothing is handed over.")
    return patient


def _kept(act: Act, model: type[T], patient: Patient, **values: Any) -> T:
    row = model(
        patient_id=patient.id, site_id=act.site_id, recorded_at=act.at, recorded_by=act.staff_id,
        struck_at=None, struck_by=None, struck_reason=None, **values,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    return row


def whose(act: Act, model: type[T], row_id: int) -> int:
    """The patient of an entry of this service, for the form that strikes it out."""
    return _entry(act, model, row_id).patient_id


def _entry(act: Act, model: type[T], row_id: int) -> T:
    row = act.session.get(model, row_id)
    if row is None or row.site_id != act.site_id:
        raise NotFound("There is no such entry of this service.")
    return row


def _strike(act: Act, model: type[T], row_id: int, action: str, reason: str) -> int:
    row = _entry(act, model, row_id)
    open_record(act, row.patient_id, action, right=RIGHT)
    act.session.refresh(row, with_for_update=True)
    if row.struck_at is not None:
        raise Conflict("That was already struck out.")
    row.struck_reason = needed("reason", reason, LONGEST)
    row.struck_at, row.struck_by = act.at, act.staff_id
    act.session.flush()
    return row.patient_id
