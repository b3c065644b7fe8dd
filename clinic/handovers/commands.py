"""Prepare a hand-over, send it with proof, answer it, and put right what was wrong.

The sender is responsible until somebody has accepted. Nothing leaves without a basis (HO-01).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from clinic.act import Act, command
from clinic.calendars import working_days
from clinic.errors import Conflict, Forbidden, Invalid, Stale, needed, one_of, says, written
from clinic.handovers import package as packages
from clinic.handovers.models import OPEN, ReleaseHandover, ReleaseHandoverStep
from clinic.handovers.queries import handover_open, steps_of
from clinic.patients.commands import take_onto_caseload
from clinic.patients.queries import same_person
from clinic.release import commands as release
from clinic.release.consents import consented_to
from clinic.release.queries import plan_now
from clinic.release.sections import HOW
from clinic.sites.models import Site
from scheduling import handover as rules
from scheduling.calendars import OutOfReach

says("handover_kept", "A hand-over is kept as it was. Prepare another in its place.")

RIGHT = "release.plan"
LONGEST = 500
UNDOABLE = (rules.ACCEPTED, rules.REFUSED, rules.WITHDRAWN)


@command
def prepare(
    act: Act,
    plan_id: int,
    *,
    to_site_id: int | None = None,
    recipient: str | None = None,
    basis: str | None = None,
    because: str | None = None,
    replaces_id: int | None = None,
) -> int:
    """Make the package of a plan as it stands and keep it. Nothing leaves yet. Returns its id.

    `to_site_id`: a service that uses this system; else `recipient` names it. `basis` None: nothing
    lets it leave yet. `replaces_id`: one of this plan's that is wrong; it is withdrawn with this.
    """
    act.need(RIGHT)
    now = plan_now(act, plan_id, "handovers.prepared")
    if now.patient.died_on is not None:
        raise Conflict("The record says that this patient has died. Nothing is handed over.")
    if now.plan.site_id != act.site_id:
        raise Conflict("The prison they are leaving hands over.")
    to = recipient_of(act, to_site_id, recipient)
    return keep(
        act, now.patient.id, packages.make(act, now, to), plan_id=plan_id, to=to,
        to_site_id=to_site_id, basis=basis, because=because, replaces_id=replaces_id,
    ).id  # fmt: skip


def keep(
    act: Act, patient_id: int, made: Mapping[str, Any], *, plan_id: int | None, to: str,
    to_site_id: int | None, basis: str | None, because: str | None, replaces_id: int | None,
) -> ReleaseHandover:  # fmt: skip
    """One package kept as it is, in the place of another if it names one; within a command."""
    _check_basis(basis, because)
    old = None
    if replaces_id is not None:
        old = handover_open(act, replaces_id, "handovers.replaced", right=RIGHT)
        same = old.plan_id == plan_id and old.patient_id in same_person(act, patient_id)
        if not same or old.from_site_id != act.site_id or old.state not in OPEN:
            raise Invalid.field(
                "replaces_id", "must be a hand-over of this plan that is still open"
                if plan_id is not None else "must be this person's and still open"
            )  # fmt: skip
    row = ReleaseHandover(
        patient_id=patient_id, plan_id=plan_id, from_site_id=act.site_id, to_site_id=to_site_id,
        recipient=to, package=made, digest=packages.digest(made), basis=basis,
        because=written("because", because, LONGEST), state=rules.PREPARED, sent_at=None,
        answer_by=None, replaces_id=replaces_id, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    _step(act, row, "prepared")
    if old is not None:
        old.state = rules.WITHDRAWN
        _step(act, old, "withdrawn", says=f"Another was prepared in its place (number {row.id})")
    return row


def recipient_of(act: Act, to_site_id: int | None, recipient: str | None) -> str:
    """The recipient's name: of another service of this system, or as typed."""
    if to_site_id is None:
        if not (recipient or "").strip():
            raise Invalid.field(
                "recipient", "Choose a service that uses this system, or name another"
            )
        return needed("recipient", recipient, LONGEST)
    site = act.session.get(Site, to_site_id)
    if site is None or site.id == act.site_id:
        raise Invalid.field("to_site_id", "must be another service of this system")
    return site.name


def _check_basis(basis: str | None, because: str | None) -> None:
    if basis is None:
        return
    one_of("basis", basis, rules.BASES)
    if basis != "consent" and not (because or "").strip():
        raise Invalid.field("because", "must say what this rests on, and who decided it")


@command
def change_basis(act: Act, handover_id: int, *, version: int, basis: str, because: str) -> None:
    """Record what it rests on now: consent to this recipient, another basis, or a safety decision."""
    row = _to_change(act, handover_id, version, "handovers.basis_changed")
    if row.state not in (rules.PREPARED, rules.REFUSED):
        raise Conflict("It has left already, or is withdrawn.")
    _check_basis(basis, because)
    row.basis, row.because = basis, written("because", because, LONGEST)
    _step(act, row, "basis", says=row.because)


@command
def send(
    act: Act, handover_id: int, *, version: int, how: str, who: str, proof: str,
    at: datetime | None = None,
) -> None:  # fmt: skip
    """It left: how, to whom, when, and what proves it. From now on an answer is waited for.

    Conflict without a basis that stands at this moment. Sent once more, the time to answer runs
    anew.
    """
    row = _to_change(act, handover_id, version, "handovers.sent")
    if row.state not in (rules.PREPARED, rules.SENT):
        raise Conflict("Only one that is prepared, or waits for an answer, can be sent.")
    one_of("how", how, HOW)
    if how == "this_system" and row.to_site_id is None:
        raise Invalid.field("how", "cannot be this system: the recipient does not use it")
    if row.patient.died_on is not None:
        raise Conflict("The record says that this patient has died. Nothing is handed over.")
    if not rules.may_leave(row.basis, row.because, consented=_consented(act, row)):
        raise Conflict(rules.NOTHING_LEAVES, more={"rule": "HO-01"})
    sent_at = at or act.at
    if sent_at > act.at or sent_at < row.recorded_at:
        raise Invalid.field("at", "must be between the preparing and now")
    row.sent_at, row.state = sent_at, rules.SENT
    row.answer_by = _answer_by(act, row, sent_at)
    who, proof = needed("who", who, LONGEST), needed("proof", proof, LONGEST)
    _step(act, row, "sent", at=sent_at, how=how, who=who, proof=proof)
    if row.plan_id is not None and _outside(row):
        moment, told = sent_at.isoformat(), f"{who}, {row.recipient}"[: release.LONGEST]
        release.set_fact(
            act, row.plan_id, "notification", {"sent_at": moment, "told": told, "how": how},
            only_new=True,
        )  # fmt: skip
        letter = {"prepared_at": row.recorded_at.isoformat(), "sent_at": moment,
                  "sent_to": row.recipient[: release.LONGEST], "how": how}  # fmt: skip
        release.set_fact(act, row.plan_id, "dose_letter", letter, only_new=True)


def _outside(row: ReleaseHandover) -> bool:
    """Is the recipient outside prison, so that the release plan counts it as told?"""
    return row.to_site is None or row.to_site.kind == "community"


def _answer_by(act: Act, row: ReleaseHandover, sent_at: datetime) -> datetime:
    """Outside this system the receiving service's days are not known: the sender's calendar counts."""
    calendar = working_days(act.session, row.to_site or row.from_site)
    try:
        return rules.answer_by(sent_at, packages.leaves_on(row.package), calendar)
    except OutOfReach as beyond:
        raise Conflict(str(beyond)) from beyond


def _consented(act: Act, row: ReleaseHandover) -> bool:
    """To this recipient, as last said; where nothing was said of it, as the plan says of everybody."""
    rows = release.standing_facts(act, row.plan_id, "consent") if row.plan_id is not None else ()
    general = bool(rows) and rows[0].says.get("given") is True
    return consented_to(
        act.session, same_person(act, row.patient_id), row.to_site_id, row.recipient,
        general=general,
    )  # fmt: skip


@command
def answer(
    act: Act, handover_id: int, *, version: int, accept: bool, who: str | None = None,
    reason: str | None = None,
) -> None:  # fmt: skip
    """The receiving service accepts it, or refuses and says why.

    Its own staff answer where it uses this system. For another service whoever sent it records the
    answer, with `who` gave it. Accepted, the person is the receiving service's.
    """
    row = handover_open(act, handover_id, "handovers.answered", right=RIGHT)
    _same_version(row, version)
    if row.state != rules.SENT:
        raise Conflict("This hand-over does not wait for an answer.")
    if row.to_site_id is not None and row.to_site_id != act.site_id:
        raise Forbidden(f"{row.recipient} answers this hand-over itself.")
    named = act.staff_name if row.to_site_id is not None else needed("who", who, LONGEST)
    text = written("reason", reason, LONGEST)
    if not accept and text is None:
        raise Invalid.field("reason", "must say why it is refused")
    row.state = rules.ACCEPTED if accept else rules.REFUSED
    _step(act, row, row.state, who=named, says=text)
    if not accept:
        return
    if row.to_site_id is not None:
        take_onto_caseload(act, row.patient_id, row.to_site_id)
    if row.plan_id is not None and _outside(row):
        release.set_fact(
            act, row.plan_id, "notification", {"acknowledged_at": act.at.isoformat()},
            only_new=False,
        )  # fmt: skip


@command
def withdraw(act: Act, handover_id: int, *, version: int, reason: str) -> None:
    """It no longer holds. What left cannot be called back; the receiving service sees that it ended."""
    row = _to_change(act, handover_id, version, "handovers.withdrawn")
    if row.state not in OPEN:
        raise Conflict("It was accepted or withdrawn already.")
    row.state = rules.WITHDRAWN
    _step(act, row, "withdrawn", says=needed("reason", reason, LONGEST))


@command
def take_back(act: Act, handover_id: int, *, version: int, reason: str) -> None:
    """An answer or a withdrawal was recorded by mistake: it stands as it did before."""
    row = handover_open(act, handover_id, "handovers.taken_back", right=RIGHT)
    _same_version(row, version)
    if row.state not in UNDOABLE:
        raise Conflict("There is no answer and no withdrawal to take back.")
    ours = row.from_site_id if row.state == rules.WITHDRAWN else row.to_site_id or row.from_site_id
    if ours != act.site_id:
        raise Forbidden("Whoever recorded it takes it back.")
    text = needed("reason", reason, LONGEST)
    if row.state == rules.WITHDRAWN and act.session.scalar(
        select(ReleaseHandover.id).where(ReleaseHandover.replaces_id == row.id)
    ):
        raise Conflict("Another was prepared in its place.")
    before = steps_of(act, row.id)[-2].state
    for name in ReleaseHandover.STATE:
        value = before[name]
        if name in ("sent_at", "answer_by") and value is not None:
            value = datetime.fromisoformat(value)
        setattr(row, name, value)
    _step(act, row, "taken_back", says=text)


def _to_change(act: Act, handover_id: int, version: int, action: str) -> ReleaseHandover:
    row = handover_open(act, handover_id, action, right=RIGHT)
    if row.from_site_id != act.site_id:
        raise Forbidden("Whoever sends a hand-over changes it.")
    _same_version(row, version)
    return row


def _same_version(row: ReleaseHandover, version: int) -> None:
    if row.version != version:
        raise Stale("Somebody changed this hand-over since you read it.",
                    more={"version": row.version})  # fmt: skip


def _step(
    act: Act, row: ReleaseHandover, verb: str, *, at: datetime | None = None, how: str | None = None,
    who: str | None = None, proof: str | None = None, says: str | None = None,
) -> None:  # fmt: skip
    act.session.flush()
    state: dict[str, Any] = {name: getattr(row, name) for name in ReleaseHandover.STATE}
    act.session.add(
        ReleaseHandoverStep(
            handover_id=row.id, verb=verb, at=at or act.at, how=how, who=who, proof=proof, says=says,
            state={
                name: value.isoformat() if isinstance(value, datetime) else value
                for name, value in state.items()
            },
            recorded_at=act.at, recorded_by=act.staff_id,
        )
    )  # fmt: skip
    act.session.flush()
    act.note(f"handovers.{verb}", patient_id=row.patient_id, handover=row.id)
