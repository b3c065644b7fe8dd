"""Whom of this community service is in custody, since when is that known, and is it handed over?

Asked of the record each time, so it follows a reception, a sentence, an exit or a joined record at
once, and two looks never differ.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, or_, select

from clinic.act import Act
from clinic.calendars import working_days
from clinic.custody.facts import detail_stands
from clinic.custody.models import Exit, Reception, ReceptionDetail, Transfer
from clinic.handovers.models import OPEN, NothingSent, ReleaseHandover, SentencedToCustody
from clinic.handovers.queries import WORDS as STANDS
from clinic.patients.access import open_record
from clinic.patients.models import Allocation, Patient, Registration
from clinic.patients.queries import records_of, root_of, same_person
from clinic.sites.models import Site
from clinic.staff.models import Staff
from dosing.days import london_day
from scheduling import handover as rules
from scheduling.calendars import OutOfReach, WorkingDays
from scheduling.handover import Known

TO_PREPARE, UNDER_WAY, ACCEPTED, NOTHING = "to_prepare", "under_way", "accepted", "nothing_sent"
WORDS = {
    TO_PREPARE: "To be handed over to the prison's CARAT team",
    UNDER_WAY: "A hand-over is under way",
    ACCEPTED: "The prison's CARAT team has accepted",
    NOTHING: "Decided: nothing is sent",
}
T = TypeVar("T", SentencedToCustody, NothingSent)


@dataclass(frozen=True)
class Gone:
    """Somebody of this service in custody, as far as is known here.

    `known`: the day it happened and since when it is known; `where` None: which prison is not known.
    `prison_site_id`: where that prison uses this system. `send_by` None: beyond the known holidays.
    """

    patient: Patient
    known: Known
    where: str | None
    prison_site_id: int | None
    received_on: date | None
    sentence: SentencedToCustody | None
    stands: str
    send_by: datetime | None
    case_manager: str | None


def to_hand_over(act: Act) -> list[Gone]:
    """Whose hand-over to a prison this service has not begun: the soonest due first.

    Nobody is looked for who has died. What is prepared or sent waits among the hand-overs.
    """
    act.need("release.read")
    if not in_the_community(act):
        return []
    found = [each for each in _gone(act, None) if each.stands == TO_PREPARE]
    act.note_shown("handovers.into_custody_listed", [each.patient.id for each in found])
    return sorted(found, key=lambda each: (each.send_by is None, each.send_by, each.patient.id))


def gone(act: Act, patient: Patient) -> Gone | None:
    """The same of an opened record; None: nobody of this service is known to be in custody."""
    if not in_the_community(act) or patient.died_on is not None:
        return None
    return next(iter(_gone(act, same_person(act, patient.id))), None)


def in_the_community(act: Act) -> bool:
    return act.session.get_one(Site, act.site_id).kind == "community"


def _gone(act: Act, ids: Collection[int] | None) -> list[Gone]:
    """Of these records, or of everybody this service looked after when it became known."""
    stays = _stays(act, ids)
    sentences = _standing(act, SentencedToCustody, ids)
    whose = {row.patient_id for row, *_ in stays} | {row.patient_id for row in sentences}
    if not whose:
        return []
    people = records_of(act, whose)
    ours, left = _registrations(act, people), _exits(act, people)
    answers, nothing = _handovers(act, people), _standing(act, NothingSent, people)
    managers = _case_managers(act, people)
    calendar = working_days(act.session, act.session.get_one(Site, act.site_id))
    found = []
    for person in sorted(set(people.values())):
        patient = act.session.get_one(Patient, root_of(act, person))
        if patient.died_on is not None:
            continue
        mine = [
            each
            for each in stays
            if people[each[0].patient_id] == person and _looked_after(ours[person], each[0])
        ]
        said = [
            row
            for row in sentences
            if people[row.patient_id] == person
            and all(row.sentenced_on > on for on in left.get(person, ()))
        ]
        known = rules.into_custody(
            [Known(london_day(at), row.recorded_at) for row, at, *_ in mine],
            [Known(row.sentenced_on, row.recorded_at) for row in said],
        )
        if known is None:
            continue
        where, prison_site_id, received_on = _where(mine, said)
        found.append(
            Gone(
                patient, known, where, prison_site_id, received_on,
                max(said, key=lambda row: (row.sentenced_on, row.id), default=None),
                _how_it_stands(
                    known.known_at, answers.get(person, ()),
                    [row for row in nothing if people[row.patient_id] == person],
                ),
                _send_by(known.known_at, calendar), managers.get(person),
            )
        )  # fmt: skip
    return found


def _stays(act: Act, ids: Collection[int] | None) -> list[Any]:
    """Stays that have not ended: the reception, when they arrived, how they moved on, and the prison."""
    if ids is None:
        joined = act.session.execute(
            select(Patient.id, Patient.merged_into_id).where(Patient.merged_into_id.is_not(None))
        ).all()
        theirs = select(Registration.patient_id).where(Registration.site_id == act.site_id)
        which: ColumnElement[bool] = or_(
            Reception.patient_id.in_(theirs),
            Reception.patient_id.in_({each for pair in joined for each in pair}),
        )
    else:
        which = Reception.patient_id.in_(ids)
    return list(
        act.session.execute(
            select(Reception, ReceptionDetail.received_at, Exit.id, Transfer, Site.name)
            .join(ReceptionDetail, detail_stands())
            .join(Site, Site.id == Reception.site_id)
            .outerjoin(Exit, (Exit.reception_id == Reception.id) & Exit.known_until.is_(None))
            .outerjoin(
                Transfer, (Transfer.reception_id == Reception.id) & Transfer.known_until.is_(None)
            )
            .where(
                which, Reception.undone_at.is_(None),
                or_(Reception.left_at.is_(None), Exit.how == "transfer"),
            )
        ).all()
    )  # fmt: skip


def _standing(act: Act, model: type[T], ids: Collection[int] | None) -> Sequence[T]:
    wanted = select(model).where(model.site_id == act.site_id, model.struck_at.is_(None))
    return act.session.scalars(
        wanted if ids is None else wanted.where(model.patient_id.in_(ids))
    ).all()


def _registrations(act: Act, people: Mapping[int, int]) -> dict[int, list[Registration]]:
    found: dict[int, list[Registration]] = {person: [] for person in people.values()}
    for row in act.session.scalars(
        select(Registration).where(
            Registration.site_id == act.site_id, Registration.patient_id.in_(people)
        )
    ):
        found[people[row.patient_id]].append(row)
    return found


def _looked_after(ours: Sequence[Registration], stay: Reception) -> bool:
    """Did this service look after them when the reception became known? Taken on since for their
    release, it has nothing from before to send."""
    known_at = stay.recorded_at
    return any(
        row.started_at <= known_at and (row.ended_at is None or row.ended_at >= known_at)
        for row in ours
    )


def _exits(act: Act, people: Mapping[int, int]) -> dict[int, list[date]]:
    """By person: the days they left custody. Moving to another prison is not leaving it."""
    found: dict[int, list[date]] = {}
    for patient_id, at in act.session.execute(
        select(Reception.patient_id, Exit.at)
        .join(Exit, Exit.reception_id == Reception.id)
        .where(
            Reception.patient_id.in_(people), Reception.undone_at.is_(None),
            Exit.known_until.is_(None), Exit.how != "transfer",
        )
    ):  # fmt: skip
        found.setdefault(people[patient_id], []).append(london_day(at))
    return found


def _handovers(act: Act, people: Mapping[int, int]) -> dict[int, list[tuple[datetime, str]]]:
    """By person: when each hand-over of this service to a prison was made, and how it stands."""
    found: dict[int, list[tuple[datetime, str]]] = {}
    for patient_id, made_at, state in act.session.execute(
        select(ReleaseHandover.patient_id, ReleaseHandover.recorded_at, ReleaseHandover.state).where(
            ReleaseHandover.patient_id.in_(people), ReleaseHandover.plan_id.is_(None),
            ReleaseHandover.from_site_id == act.site_id,
        )
    ):  # fmt: skip
        found.setdefault(people[patient_id], []).append((made_at, state))
    return found


def _case_managers(act: Act, people: Mapping[int, int]) -> dict[int, str]:
    """By person: the case manager named at this service, failing that the keyworker."""
    rows = act.session.execute(
        select(Allocation.patient_id, Allocation.kind, Staff.name)
        .join(Staff, Staff.id == Allocation.staff_id)
        .where(
            Allocation.patient_id.in_(people), Allocation.site_id == act.site_id,
            Allocation.kind.in_(("case_manager", "keyworker")), Allocation.ended_at.is_(None),
        )
    ).all()  # fmt: skip
    return {people[row.patient_id]: row.name for row in rows if row.kind == "keyworker"} | {
        people[row.patient_id]: row.name for row in rows if row.kind == "case_manager"
    }


def _where(
    stays: Sequence[Any], sentences: Sequence[SentencedToCustody]
) -> tuple[str | None, int | None, date | None]:
    """The prison, its site where it is one here, and the day they arrived."""
    if not stays:
        said = max(sentences, key=lambda row: (row.sentenced_on, row.id))
        return said.where, said.prison_site_id, None
    row, received_at, left, transfer, prison = max(stays, key=lambda each: (each[1], each[0].id))
    received_on = london_day(received_at)
    if left is not None and transfer is not None:
        return transfer.receiving_prison, transfer.receiving_site_id, received_on
    return prison, row.site_id, received_on


def _how_it_stands(
    known_at: datetime, made: Sequence[tuple[datetime, str]], nothing: Sequence[NothingSent]
) -> str:
    """By what was made or decided since it became known; what went before was of another occasion."""
    states = {state for at, state in made if at >= known_at}
    if rules.ACCEPTED in states:
        return ACCEPTED
    if states & set(OPEN):
        return UNDER_WAY
    return NOTHING if any(row.recorded_at >= known_at for row in nothing) else TO_PREPARE


def _send_by(known_at: datetime, calendar: WorkingDays) -> datetime | None:
    try:
        return rules.send_by(known_at, calendar)
    except OutOfReach:
        return None


@dataclass(frozen=True)
class Page:
    """Everything here about one person and custody; struck-out rows too, the newest first."""

    patient: Patient
    gone: Gone | None
    sentences: Sequence[SentencedToCustody]
    nothing: Sequence[NothingSent]
    handovers: Sequence[tuple[ReleaseHandover, str]]


def page(act: Act, patient_id: int) -> Page:
    """One person of this community service. Audited."""
    patient = open_record(act, patient_id, "handovers.into_custody_seen", right="release.read")
    records = same_person(act, patient.id)

    def every(model: Any, *where: ColumnElement[bool]) -> Sequence[Any]:
        return act.session.scalars(
            select(model).where(model.patient_id.in_(records), *where).order_by(model.id.desc())
        ).all()

    made = every(
        ReleaseHandover, ReleaseHandover.plan_id.is_(None),
        ReleaseHandover.from_site_id == act.site_id,
    )  # fmt: skip
    return Page(
        patient, gone(act, patient),
        every(SentencedToCustody, SentencedToCustody.site_id == act.site_id),
        every(NothingSent, NothingSent.site_id == act.site_id),
        [(row, STANDS[rules.stands(row.state, row.answer_by, act.at)]) for row in made],
    )  # fmt: skip
