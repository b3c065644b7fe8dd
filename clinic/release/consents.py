"""What did the person say about telling a recipient, and may it be told? One dated row each time.

The newest row about a recipient that stands decides for that recipient, before the general consent
of the plan: given, refused, withdrawn, or a lawful basis without consent (CM-33). Nothing is
overwritten: whoever changes their mind is another row, and a wrong row is struck out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.act import Act, command
from clinic.errors import Conflict, Invalid, NotFound, needed, one_of, written
from clinic.patients.access import open_record
from clinic.patients.models import Patient
from clinic.patients.queries import same_person
from clinic.release.access import open_plan
from clinic.release.care_models import CONSENTS, SharingConsent
from clinic.release.consent_facts import newest_about
from clinic.release.following import follow_patient
from clinic.sites.models import Site

LONGEST = 500
RIGHT = "release.plan"


@command
def record_consent(
    act: Act,
    plan_id: int,
    *,
    says: str,
    decided_at: datetime,
    to_site_id: int | None = None,
    recipient: str | None = None,
    because: str | None = None,
) -> int:
    """What was said about one recipient, and when. Returns the row's id.

    `to_site_id`: a service of this system; else `recipient` names it. A lawful basis says what it is.
    """
    _, patient = open_plan(act, plan_id, "release.consent_recorded", right=RIGHT)
    return _record(act, patient, says, decided_at, to_site_id, recipient, because)


@command
def record_consent_of(
    act: Act,
    patient_id: int,
    *,
    says: str,
    decided_at: datetime,
    to_site_id: int | None = None,
    recipient: str | None = None,
    because: str | None = None,
) -> int:
    """The same of somebody with no release plan, such as one gone into custody."""
    patient = open_record(act, patient_id, "release.consent_recorded", right=RIGHT)
    return _record(act, patient, says, decided_at, to_site_id, recipient, because)


def _record(
    act: Act, patient: Patient, says: str, decided_at: datetime, to_site_id: int | None,
    recipient: str | None, because: str | None,
) -> int:  # fmt: skip
    one_of("says", says, CONSENTS)
    named = written("recipient", recipient, LONGEST)
    if (to_site_id is None) == (named is None):
        raise Invalid.field("recipient", "or a service of this system must be named, not both")
    if to_site_id is not None and act.session.get(Site, to_site_id) is None:
        raise Invalid.field("to_site_id", "must be a service of this system")
    text = written("because", because, LONGEST)
    if says == "lawful_basis" and text is None:
        raise Invalid.field("because", "must say what the lawful basis is, and who decided it")
    if decided_at > act.at:
        raise Invalid.field("decided_at", "cannot be in the future")
    row = SharingConsent(
        patient_id=patient.id, to_site_id=to_site_id, recipient=named, says=says, because=text,
        decided_at=decided_at, recorded_at=act.at, recorded_by=act.staff_id, struck_at=None,
        struck_by=None, struck_reason=None,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    follow_patient(act, patient.id)
    return row.id


@command
def strike_consent(act: Act, plan_id: int, consent_id: int, *, reason: str) -> None:
    """It was recorded wrongly. What stood before it counts again."""
    _, patient = open_plan(act, plan_id, "release.consent_struck", right=RIGHT)
    _strike(act, patient, consent_id, reason)


@command
def strike_consent_of(act: Act, patient_id: int, consent_id: int, *, reason: str) -> None:
    """The same of somebody with no release plan."""
    patient = open_record(act, patient_id, "release.consent_struck", right=RIGHT)
    _strike(act, patient, consent_id, reason)


def _strike(act: Act, patient: Patient, consent_id: int, reason: str) -> None:
    row = act.session.get(SharingConsent, consent_id)
    if row is None or row.patient_id not in same_person(act, patient.id):
        raise NotFound("There is no such consent of this patient.")
    act.session.refresh(row, with_for_update=True)
    if row.struck_at is not None:
        raise Conflict("That was already struck out.")
    text = needed("reason", reason, LONGEST)
    row.struck_at, row.struck_by, row.struck_reason = act.at, act.staff_id, text
    act.session.flush()
    follow_patient(act, patient.id)


def consents_of(act: Act, plan_id: int) -> Sequence[SharingConsent]:
    """Every row of the plan's person, the newest first, struck ones included; audited."""
    _, patient = open_plan(act, plan_id, "release.consents_seen")
    return said_of(act, patient.id)


def said_of(act: Act, patient_id: int) -> Sequence[SharingConsent]:
    """The same of an opened record."""
    return act.session.scalars(
        select(SharingConsent)
        .where(SharingConsent.patient_id.in_(same_person(act, patient_id)))
        .order_by(SharingConsent.decided_at.desc(), SharingConsent.id.desc())
    ).all()


def consented_to(
    session: Session, patient_ids: Iterable[int], to_site_id: int | None, recipient: str | None,
    *, general: bool,
) -> bool:  # fmt: skip
    """Does consent to this recipient stand? `general`: what the plan says of everybody."""
    rows = session.scalars(
        select(SharingConsent).where(
            SharingConsent.patient_id.in_(list(patient_ids)), SharingConsent.struck_at.is_(None)
        )
    ).all()
    row = newest_about(rows, to_site_id, recipient)
    return general if row is None or row.says == "lawful_basis" else row.says == "given"
