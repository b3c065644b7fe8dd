"""Register a referral, correct it, keep the person supported while they wait, and close it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from clinic.act import Act, command
from clinic.appointments import history
from clinic.appointments.commands import cancel_visit
from clinic.appointments.models import (
    CLOSED_BECAUSE,
    DRUGS,
    RISKS,
    SENT_TO,
    SOURCES,
    Referral,
    Visit,
)
from clinic.errors import Conflict, Invalid, NotFound, says
from clinic.patients.access import open_record
from clinic.patients.commands import register_patient, take_onto_caseload
from clinic.staff.commands import roles_at

for _name in ("uq_referral_waiting", "referral.patient_id, referral.site_id"):
    says(_name, "This person is already waiting at this site. Use the referral they have.")


@command
def register_referral(
    act: Act,
    *,
    patient_id: int,
    referred_at: datetime,
    source: str,
    drugs: Sequence[str],
    risk: str | None = None,
    received_by: int | None = None,
    note: str | None = None,
) -> int:
    """Somebody is referred to this site; every wait counts from `referred_at`. Returns the id.

    The patient joins the caseload. `risk` None: not known. `received_by`: this member of staff
    unless another of the site is named.
    """
    act.need("appointments.refer")
    given = {"referred_at": referred_at, "source": source, "drugs": list(drugs), "risk": risk}
    _check(act, given)
    receiver = received_by or act.staff_id
    if receiver is None or (
        receiver != act.staff_id and not roles_at(act, receiver, act.site_id or 0)
    ):
        raise Invalid.field("received_by", "must be somebody who works at this site")
    patient = open_record(act, patient_id, "appointments.referring", right="appointments.refer")
    if patient.died_on is not None:
        raise Conflict("The record says that this patient has died.")
    referral = Referral(
        patient_id=patient.id, site_id=act.site_id, received_by=receiver, **given,
        status="waiting", seen_at=None, support_at=None, sent_to=None, sent_to_name=None,
        outside_at=None, closed_because=None, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(referral)
    take_onto_caseload(act, patient.id)
    history.add(act, referral, "received", at=referred_at, note=note)
    act.note("appointments.referred", patient_id=patient.id, referral=referral.id)
    return referral.id


@command
def refer_new_person(act: Act, person: Mapping[str, Any], referral: Mapping[str, Any]) -> int:
    """Register a patient and their referral, both or neither. Returns the referral's id.

    `person` and `referral`: what `register_patient` and `register_referral` take.
    """
    patient_id = register_patient(act, **person)
    act.session.flush()
    return register_referral(act, patient_id=patient_id, **referral)


def _check(act: Act, given: Mapping[str, Any]) -> None:
    if "referred_at" in given and given["referred_at"] > act.at:
        raise Invalid.field("referred_at", "cannot be in the future")
    if "source" in given and given["source"] not in SOURCES:
        raise Invalid.field("source", f"must be one of: {', '.join(SOURCES)}")
    if "drugs" in given:
        _check_drugs(given["drugs"])
    if given.get("risk") is not None and given["risk"] not in RISKS:
        raise Invalid.field("risk", f"must be one of: {', '.join(RISKS)}")


def _check_drugs(drugs: Collection[str]) -> None:
    if not drugs:
        raise Invalid.field("drugs", "name at least one, or say that they are not known yet")
    if not set(drugs) <= set(DRUGS):
        raise Invalid.field("drugs", f"must be among: {', '.join(DRUGS)}")
    if len(set(drugs)) != len(drugs):
        raise Invalid.field("drugs", "name each once")
    if "not_known" in drugs and len(drugs) > 1:
        raise Invalid.field("drugs", "are either named or not known yet, not both")


def referral_to_change(act: Act, referral_id: int, right: str = "appointments.refer") -> Referral:
    """A referral at this site whose patient's record may be opened; the look is audited."""
    referral = act.session.get(Referral, referral_id)
    if referral is None or referral.site_id != act.site_id:
        raise NotFound("There is no such referral at this site.")
    open_record(act, referral.patient_id, "appointments.read", right=right)
    return referral


def _waiting(act: Act, referral_id: int, version: int) -> Referral:
    referral = referral_to_change(act, referral_id)
    history.check_version(act, referral, version)
    if referral.status != "waiting":
        raise Conflict(f"This referral is {referral.status}: undo that first.")
    return referral


DIP = "taken_by_dip"
CORRECTABLE = ("referred_at", "source", "drugs", "risk")


@command
def correct_referral(
    act: Act, referral_id: int, *, version: int, reason: str, **details: Any
) -> Referral:
    """Put right what was recorded of a referral: its time, source, drugs or risk. What was, stays."""
    if unknown := set(details) - set(CORRECTABLE):
        raise Invalid.field(sorted(unknown)[0], "cannot be changed")
    if not reason.strip():
        raise Invalid.field("reason", "must say why")
    _check(act, details)
    referral = referral_to_change(act, referral_id)
    history.check_version(act, referral, version)
    if "referred_at" in details and referral.seen_at and details["referred_at"] > referral.seen_at:
        raise Invalid.field("referred_at", "cannot be after the person was seen")
    changed = [name for name, value in details.items() if getattr(referral, name) != value]
    if not changed:
        return referral
    for name in changed:
        setattr(referral, name, details[name])
    history.add(act, referral, "corrected", note=reason)
    act.note(
        "appointments.referral_corrected",
        patient_id=referral.patient_id, referral=referral.id, fields=sorted(changed),
    )  # fmt: skip
    return referral


@command
def record_support(
    act: Act, referral_id: int, *, version: int, at: datetime | None = None, note: str | None = None
) -> Referral:
    """The team gave psychosocial support during the wait (RP-03)."""
    when = at or act.at
    referral = _waiting(act, referral_id, version)
    if when > act.at:
        raise Invalid.field("at", "cannot be in the future")
    if when < referral.referred_at:
        raise Invalid.field("at", "cannot be before the referral")
    referral.support_at = when
    history.add(act, referral, "supported", at=when, note=note)
    act.note("appointments.supported", patient_id=referral.patient_id, referral=referral.id)
    return referral


@command
def send_on(
    act: Act,
    referral_id: int,
    *,
    version: int,
    sent_to: str,
    sent_to_name: str,
    outside_at: datetime | None = None,
) -> Referral:
    """The referral goes to an outside prescriber (model 1), with the appointment there if known."""
    if sent_to not in SENT_TO:
        raise Invalid.field("sent_to", f"must be one of: {', '.join(SENT_TO)}")
    if not sent_to_name.strip():
        raise Invalid.field("sent_to_name", "must name the prescriber or the practice")
    referral = _waiting(act, referral_id, version)
    if outside_at is not None and outside_at < referral.referred_at:
        raise Invalid.field("outside_at", "cannot be before the referral")
    referral.sent_to, referral.sent_to_name = sent_to, sent_to_name.strip()
    referral.outside_at = outside_at
    history.add(act, referral, "sent_on")
    act.note("appointments.sent_on", patient_id=referral.patient_id, referral=referral.id)
    return referral


@command
def record_seen(act: Act, referral_id: int, *, version: int, seen_at: datetime) -> Referral:
    """A clinician elsewhere has seen the person: the wait ends there."""
    referral = _waiting(act, referral_id, version)
    if not referral.referred_at <= seen_at <= act.at:
        raise Invalid.field("seen_at", "must lie between the referral and now")
    _no_visit_ahead(act, referral)
    referral.status, referral.seen_at = "seen", seen_at
    history.add(act, referral, "seen", at=seen_at)
    act.note("appointments.seen", patient_id=referral.patient_id, referral=referral.id)
    return referral


@command
def close_referral(
    act: Act, referral_id: int, *, version: int, reason: str, note: str | None = None
) -> Referral:
    """The person no longer waits here, for a coded reason. A booked visit is cancelled first.

    Taken on by the DIP team, they leave the list at once and whole (CM-43): the visit booked here
    is cancelled with it, and the note names the team.
    """
    if reason not in CLOSED_BECAUSE:
        raise Invalid.field("reason", f"must be one of: {', '.join(CLOSED_BECAUSE)}")
    if reason == DIP and not (note or "").strip():
        raise Invalid.field("note", "must name the team that took them on")
    referral = referral_to_change(act, referral_id)
    history.check_version(act, referral, version)
    if referral.status == "closed":
        raise Conflict("This referral is closed already.")
    if reason == DIP and (booked := _visit_ahead(act, referral)) is not None:
        cancel_visit(
            act, booked.id, version=booked.version, reason=DIP, by_whom="service", look_first=False
        )
    _no_visit_ahead(act, referral)
    referral.status, referral.closed_because = "closed", reason
    history.add(act, referral, "closed", reason=reason, note=note)
    act.note(
        "appointments.referral_closed",
        patient_id=referral.patient_id, referral=referral.id, reason=reason,
    )  # fmt: skip
    return referral


def _visit_ahead(act: Act, referral: Referral) -> Visit | None:
    found: Visit | None = act.session.scalar(
        select(Visit).where(Visit.referral_id == referral.id, Visit.status == "booked")
    )
    return found


def _no_visit_ahead(act: Act, referral: Referral) -> None:
    if (booked := _visit_ahead(act, referral)) is not None:
        raise Conflict("A visit is booked. Cancel it first.", more={"visit_id": booked.id})


@command
def undo_referral(act: Act, referral_id: int, *, version: int, reason: str) -> Referral:
    """Take back the last step: a correction, support, sending on, being seen, or the closing."""
    if not reason.strip():
        raise Invalid.field("reason", "must say what was wrong")
    referral = referral_to_change(act, referral_id)
    history.check_version(act, referral, version)
    undone, before = history.last_but_one(act, referral)
    arrived = act.session.scalar(
        select(Visit.id).where(Visit.referral_id == referral.id, Visit.status == "arrived")
    )
    if undone.verb == "seen" and arrived is not None:
        raise Conflict("The person arrived at a visit. Undo that.", more={"visit_id": arrived})
    history.put_back(referral, before.state)
    history.add(act, referral, history.UNDONE, reason=undone.verb, note=reason)
    act.note(
        "appointments.referral_undone",
        patient_id=referral.patient_id, referral=referral.id, verb=undone.verb,
    )  # fmt: skip
    return referral
