"""Who is under way between prisons inside their 28 days, and what of it is still missing?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, and_, or_, select

from clinic.act import Act
from clinic.casework.models import Acceptance
from clinic.custody import facts
from clinic.custody.models import (
    Exit,
    Reception,
    ReceptionDetail,
    TimetableItem,
    Transfer,
)
from clinic.custody.passed_models import PassedMove
from clinic.keyworkers.queries import day_number
from clinic.patients.models import Allocation, Patient
from clinic.sites.models import Site
from clinic.staff.models import Staff
from dosing.days import london_day
from scheduling.custody_rules import LAST_DAY

STEPS = {
    "tell_receiving_team": "Receiving team told",
    "receiving_keyworker_named": "Keyworker named in the receiving team",
    "file_sent": "File sent",
    "tell_cjit_of_move": "Community team told",
    "receiving_keyworker_contact": "Keyworker made contact",
}
ARRIVED_STEPS = STEPS | {
    "tell_receiving_team": "This prison told",
    "receiving_keyworker_named": "Keyworker named here",
    "file_sent": "Their file came",
}
"""The same as the receiving prison says them of somebody from a prison that is no site here."""
MOST_LISTED = 200


@dataclass(frozen=True)
class Step:
    """One step of a transfer. `done` None: not required."""

    key: str
    says: str
    done: bool | None
    late: bool
    due_on: date | None


@dataclass(frozen=True)
class Move:
    """One person under way. `day`: of custody today; `day_moved`: on the day of the move.

    `unrecorded`: the day has come, and nobody has recorded that they left. `prescriber_there`: can
    somebody prescribe where they arrive, on the day and the next; None: nobody has said.
    `from_outside`: they came from a prison that is no site here; received is then accepted.
    `count_unknown`: nobody can say which day of custody it is, and `day` is the least it can be.
    """

    reception_id: int
    patient_id: int
    person: str
    other_prison: str
    on: date
    day: int
    day_moved: int
    moved: bool
    unrecorded: bool
    ppo: bool | None
    heightened_risk: bool | None
    keyworker: str | None
    steps: Sequence[Step]
    left_to_do: int
    accepted: Acceptance | None
    prescriber_there: bool | None
    from_outside: bool = False
    count_unknown: bool = False

    @property
    def unnamed(self) -> bool:
        """Is the receiving keyworker still to be named (RC-11)?"""
        if self.from_outside:
            return self.keyworker is None
        return any(each.key == "receiving_keyworker_named" and not each.done for each in self.steps)


def arrivals(act: Act) -> list[Move]:
    """Who comes here from another prison, or came, still inside their 28 days or not yet accepted.

    Those to come first, by day of the move (RC-12); PPOs first on one day, then heightened risk.
    """
    found = [*_moves(act, Transfer.receiving_site_id == act.site_id), *_from_outside(act)]
    found.sort(key=_first)
    return found[:MOST_LISTED]


def handing_over(act: Act) -> list[Move]:
    """Whom this prison still answers for: booked to move, or moved and not accepted (RC-15)."""
    return [each for each in _moves(act, Reception.site_id == act.site_id) if not each.accepted]


def _moves(act: Act, which: object) -> list[Move]:
    act.need("custody.read")
    rows = act.session.execute(
        select(Transfer, Reception, ReceptionDetail, Patient, Site, Acceptance, Exit)
        .join(Reception, Reception.id == Transfer.reception_id)
        .join(
            ReceptionDetail,
            and_(
                ReceptionDetail.reception_id == Reception.id, ReceptionDetail.known_until.is_(None)
            ),
        )
        .join(Patient, Patient.id == Reception.patient_id)
        .join(Site, Site.id == Reception.site_id)
        .outerjoin(
            Acceptance, and_(Acceptance.transfer_id == Transfer.id, Acceptance.struck_at.is_(None))
        )
        .outerjoin(Exit, and_(Exit.reception_id == Reception.id, Exit.known_until.is_(None)))
        .where(
            which,  # type: ignore[arg-type]
            Transfer.known_until.is_(None),
            Reception.undone_at.is_(None),
            or_(Exit.id.is_(None), Exit.how == "transfer"),
        )
        .order_by(Transfer.on, Reception.id)
    ).all()
    named = _keyworkers(act, [patient.id for *_, patient, _, _, _ in rows])
    steps = _steps(act, [reception.id for _, reception, *_ in rows])
    found = []
    for transfer, reception, detail, patient, site, accepted, left in rows:
        day = day_number(reception, detail, act.today)
        if day > LAST_DAY and accepted is not None:
            continue
        mine = steps.get(reception.id, [])
        found.append(
            Move(
                reception.id, patient.id, patient.listed_name,
                site.name if transfer.receiving_site_id == act.site_id else transfer.receiving_prison,
                transfer.on, day, day_number(reception, detail, transfer.on), left is not None,
                left is None and transfer.on <= act.today,
                detail.ppo, detail.heightened_risk, named.get(patient.id),
                [_step(act, row) for row in sorted(mine, key=lambda each: each.place)
                 if row.item in STEPS],
                sum(row.state == "open" for row in mine), accepted, transfer.prescriber_cover,
            )
        )  # fmt: skip
    found.sort(key=_first)
    found = found[:MOST_LISTED]
    act.note_shown("casework.moves_shown", [each.patient_id for each in found])
    return found


def _first(each: Move) -> tuple[object, ...]:
    return (
        each.moved, not each.count_unknown, each.on, each.ppo is not True,
        each.heightened_risk is not True, each.reception_id,
    )  # fmt: skip


def _from_outside(act: Act) -> list[Move]:
    """Who came from a prison that is no site here and is inside the 28 days, or may be."""
    rows = act.session.execute(
        select(Reception, ReceptionDetail, Patient)
        .join(ReceptionDetail, facts.detail_stands())
        .join(Patient, Patient.id == Reception.patient_id)
        .where(
            or_(ReceptionDetail.came_from.is_not(None), Reception.id.in_(_back_from_outside())),
            Reception.undone_at.is_(None),
            Reception.site_id == act.site_id, Reception.left_at.is_(None),
        )
    ).all()  # fmt: skip
    rows = [
        row
        for row in rows
        if row[1].count_unknown or day_number(row[0], row[1], act.today) <= LAST_DAY
    ]
    named = _keyworkers(act, [patient.id for _, _, patient in rows])
    steps = _steps(act, [reception.id for reception, *_ in rows])
    found = []
    for reception, detail, patient in rows:
        back = facts.last_passed(act.session, reception.id)
        on = london_day(back.moved_at if back else detail.received_at)
        mine = steps.get(reception.id, [])
        found.append(
            Move(
                reception.id, patient.id, patient.listed_name,
                back.from_prison if back else detail.came_from or "", on,
                day_number(reception, detail, act.today), day_number(reception, detail, on),
                True, False, detail.ppo, detail.heightened_risk, named.get(patient.id),
                [_step(act, row, ARRIVED_STEPS)
                 for row in sorted(mine, key=lambda each: each.place) if row.item in STEPS],
                sum(row.state == "open" for row in mine), None, None, True, detail.count_unknown,
            )
        )  # fmt: skip
    act.note_shown("casework.moves_shown", [each.patient_id for each in found])
    return found


def _back_from_outside() -> Select[tuple[int]]:
    return select(PassedMove.reception_id).where(
        PassedMove.from_site_id.is_(None), PassedMove.to_site_id == Reception.site_id
    )


def _step(act: Act, row: TimetableItem, said: Mapping[str, str] = STEPS) -> Step:
    done = None if row.state == "not_required" else row.state == "done"
    late = row.state == "open" and row.deadline is not None and row.deadline < act.at
    return Step(row.item, said[row.item], done, late, row.due_on)


def _steps(act: Act, reception_ids: Sequence[int]) -> dict[int, list[TimetableItem]]:
    rows = act.session.scalars(
        select(TimetableItem).where(
            TimetableItem.reception_id.in_(reception_ids), TimetableItem.state != "superseded"
        )
    )
    found: dict[int, list[TimetableItem]] = {}
    for row in rows:
        found.setdefault(row.reception_id, []).append(row)
    return found


def _keyworkers(act: Act, patient_ids: Sequence[int]) -> dict[int, str]:
    rows = act.session.execute(
        select(Allocation.patient_id, Patient.id, Staff.name)
        .join(Staff, Staff.id == Allocation.staff_id)
        .join(Patient, (Patient.id == Allocation.patient_id)
              | (Patient.merged_into_id == Allocation.patient_id))
        .where(
            Patient.id.in_(patient_ids), Allocation.site_id == act.site_id,
            Allocation.kind == "keyworker", Allocation.ended_at.is_(None),
        )
    )  # fmt: skip
    return {patient_id: name for _, patient_id, name in rows}
