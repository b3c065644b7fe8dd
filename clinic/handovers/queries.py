"""One hand-over with its steps; what waits here to be sent, answered or sent again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select

from clinic.act import Act
from clinic.appointments.queries import staff_names
from clinic.errors import NotFound, OutsideCaseload
from clinic.handovers.models import STATES, ReleaseHandover, ReleaseHandoverStep
from clinic.patients.access import glass_broken, in_caseload
from clinic.patients.models import Patient
from clinic.release.models import ReleasePlan
from scheduling import handover as rules

SEEN_THERE = (rules.SENT, rules.ACCEPTED, rules.REFUSED)
WORDS = {**STATES, rules.OVERDUE: "Not answered in time"}


def handover_open(
    act: Act, handover_id: int, action: str, *, right: str = "release.read"
) -> ReleaseHandover:
    """The hand-over, once it is certain that this person may see it; audited.

    The sender's own people, and the service it was sent to, before the person is on its caseload.
    """
    act.need(right)
    row = act.session.get(ReleaseHandover, handover_id)
    if row is None:
        raise NotFound("There is no such hand-over.")
    sent_here = row.to_site_id == act.site_id and row.state in SEEN_THERE
    ours = row.from_site_id == act.site_id and in_caseload(act, row.patient_id)
    if not (sent_here or ours or glass_broken(act, row.patient_id)):
        raise OutsideCaseload(row.patient_id)
    act.note(action, patient_id=row.patient_id, handover=row.id)
    return row


def steps_of(act: Act, handover_id: int) -> Sequence[ReleaseHandoverStep]:
    return act.session.scalars(
        select(ReleaseHandoverStep)
        .where(ReleaseHandoverStep.handover_id == handover_id)
        .order_by(ReleaseHandoverStep.id)
    ).all()


@dataclass(frozen=True)
class View:
    """A hand-over as a page shows it. `stands`: its state, or overdue by the clock.

    `inside`: it is for somebody's release, and they have not left the sender's prison yet.
    """

    row: ReleaseHandover
    stands: str
    steps: Sequence[ReleaseHandoverStep]
    names: dict[int | None, str]
    sender: bool
    receiver: bool
    inside: bool

    @property
    def words(self) -> str:
        return WORDS[self.stands]

    @property
    def responsible(self) -> str:
        """Whose the person is now, as far as this hand-over goes."""
        sender, recipient = self.row.from_site.name, self.row.recipient
        if rules.sender_responsible(self.row.state):
            return sender
        return f"{sender} until they leave, then {recipient}" if self.inside else recipient


def handover(act: Act, handover_id: int, action: str = "handovers.seen") -> View:
    """One hand-over. Audited."""
    row = handover_open(act, handover_id, action)
    steps = steps_of(act, row.id)
    plan = row.plan_id and act.session.get_one(ReleasePlan, row.plan_id)
    return View(
        row, rules.stands(row.state, row.answer_by, act.at), steps,
        staff_names(act, [each.recorded_by for each in steps]),
        row.from_site_id == act.site_id, row.to_site_id == act.site_id,
        inside=bool(plan) and plan.left_on is None and plan.closed_at is None,
    )  # fmt: skip


def of_plan(act: Act, plan_id: int) -> list[tuple[ReleaseHandover, str]]:
    """The hand-overs of an opened plan, the newest first, each with how it stands."""
    rows = act.session.scalars(
        select(ReleaseHandover)
        .where(ReleaseHandover.plan_id == plan_id)
        .order_by(ReleaseHandover.id.desc())
    )
    return [(row, WORDS[rules.stands(row.state, row.answer_by, act.at)]) for row in rows]


@dataclass(frozen=True)
class Waiting:
    """One hand-over that somebody here has to do something about."""

    row: ReleaseHandover
    patient: Patient
    stands: str


def waiting(act: Act) -> list[Waiting]:
    """What waits here: sent to us and not answered; ours and not sent, refused or not answered.

    The soonest answer first. Nobody chases for somebody who has died.
    """
    act.need("release.read")
    rows = act.session.scalars(
        select(ReleaseHandover)
        .join(Patient, Patient.id == ReleaseHandover.patient_id)
        .where(
            Patient.died_on.is_(None),
            or_(
                (ReleaseHandover.to_site_id == act.site_id) & (ReleaseHandover.state == rules.SENT),
                (ReleaseHandover.from_site_id == act.site_id)
                & ReleaseHandover.state.in_((rules.PREPARED, rules.REFUSED)),
                (ReleaseHandover.from_site_id == act.site_id)
                & (ReleaseHandover.state == rules.SENT)
                & (ReleaseHandover.answer_by <= act.at),
            ),
        )
        .order_by(
            ReleaseHandover.answer_by.is_(None), ReleaseHandover.answer_by, ReleaseHandover.id
        )
    ).all()
    act.note_shown("handovers.listed", [row.patient_id for row in rows])
    return [
        Waiting(row, row.patient, rules.stands(row.state, row.answer_by, act.at)) for row in rows
    ]
