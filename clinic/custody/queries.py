"""What is known of a person's 28 days, and who is here to do what is due?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, inspect, select

from clinic.act import Act
from clinic.custody import facts, timetables, words
from clinic.custody.models import (
    Delivery,
    Exit,
    Fact,
    Hearing,
    KnownRelease,
    Location,
    Reception,
    ReceptionDetail,
    ReportedElsewhere,
    Timetable,
    Transfer,
    Unavailable,
)
from clinic.custody.passed_models import PassedMove
from clinic.errors import NotFound
from clinic.groups.offers import sessions_on_offer
from clinic.patients.access import open_record
from clinic.patients.models import Allocation, Patient
from clinic.phases.models import TriageConsent
from clinic.sites.models import Site
from clinic.staff.models import SitePost, Staff, StaffRole
from dosing.days import london_day
from dosing.shape import Answer
from scheduling.phases import WITHHELD


def at_a_prison(act: Act) -> bool:
    """Is this work done at a prison?"""
    site = act.session.get(Site, act.site_id) if act.site_id else None
    return site is not None and site.kind == "prison"


# -- one person's 28 days --------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """One date that differs from the version before: what it was, what it is, and why."""

    duty: str
    was: date | None
    now: date | None
    moved_by: Sequence[str]
    why: str


@dataclass(frozen=True)
class Version:
    """One version of the timetable: what made it, and the dates it changed."""

    id: int
    version: int
    made_at: datetime
    made_by: str
    because: str
    changes: Sequence[Change]


@dataclass(frozen=True)
class Stay:
    """Everything a page or the API shows of one stay.

    `answer`: the timetable as it stands at this moment, its dates those of the newest version;
    None while a negative screening leaves nothing to plan. `ours`: whoever looks works at a prison
    of this stay. `location`: where in this prison they live, or lived last; `locations`: every
    one, oldest first. `reported`: what was done at the prison outside they came from, as reported.
    `earlier`: facts that were struck out. `passed`: moves that were followed by another.
    """

    reception: Reception
    patient: Patient
    site: Site
    ours: bool
    detail: ReceptionDetail
    timetable: Timetable | None
    answer: Answer | None
    versions: Sequence[Version]
    calendar_moved: bool
    hearings: Sequence[Hearing]
    release: KnownRelease | None
    transfer: Transfer | None
    exit: Exit | None
    location: Location | None
    locations: Sequence[Location]
    unavailable: Sequence[Unavailable]
    deliveries: Sequence[Delivery]
    reported: Sequence[ReportedElsewhere]
    earlier: Sequence[Fact]
    passed: Sequence[PassedMove]
    keyworker: Staff | None
    posts: dict[str, str]
    names: dict[int, str]

    @property
    def received_at(self) -> datetime:
        return self.detail.received_at

    @property
    def counted_from(self) -> date:
        """The day they were first received into custody, as far as is known."""
        return self.detail.first_received_on or london_day(self.detail.received_at)

    @property
    def moving_outside(self) -> bool:
        """Is their move to a prison that is no site here?"""
        return self.transfer is not None and self.transfer.receiving_site_id is None

    @property
    def gone_outside(self) -> bool:
        """Have they moved to a prison that is no site here?"""
        return self.moving_outside and self.exit is not None and self.exit.how == "transfer"

    @property
    def over_on_arrival(self) -> bool:
        """Were their 28 days over before they came from another prison?"""
        return facts.over_on_arrival(self.reception, self.detail)


def stay(act: Act, reception_id: int) -> Stay:
    """One stay as it stands. An undone one is shown too, as history."""
    act.need("custody.read")
    reception = act.session.get(Reception, reception_id)
    if reception is None:
        raise NotFound("There is no such reception.")
    patient = open_record(act, reception.patient_id, "custody.stay_shown", right="custody.read")
    saved = timetables.current_timetable(act, reception)
    answer = saved and timetables.plan_now(
        act, reception, saved.plan_made_on,
        # Groups move no date, so they are read as they stand and make no version.
        saved.elsewhere | {"sessions": sessions_on_offer(act, reception)},
    )  # fmt: skip
    every = _every_fact(act, reception.id)
    ours = act.site_id in facts.prisons_of(act.session, reception)

    def shown(row: Any) -> Any:
        """What the triage found stays with the prisons' own teams unless it may be shared (PS-03)."""
        if ours or not isinstance(row, Delivery) or row.item != "smta" or row.note is None:
            return row
        return row if _triage_shared(act, reception.id) else _without_note(row)

    live = reception.left_at is None and reception.undone_at is None
    return Stay(
        reception=reception,
        patient=patient,
        site=act.session.get_one(Site, reception.site_id),
        ours=ours,
        detail=facts.detail_of(act.session, reception),
        timetable=saved,
        answer=answer,
        versions=_versions(act, reception),
        calendar_moved=live and timetables.calendar_moved_dates(act, reception),
        hearings=sorted(
            facts.rows_of(act.session, Hearing, reception.id), key=lambda row: row.starts_at
        ),
        release=facts.row_of(act.session, KnownRelease, reception.id),
        transfer=facts.row_of(act.session, Transfer, reception.id),
        exit=facts.row_of(act.session, Exit, reception.id),
        location=facts.location_of(act.session, reception, act.site_id),
        locations=sorted(
            facts.rows_of(act.session, Location, reception.id), key=lambda row: row.from_at
        ),
        unavailable=facts.rows_of(act.session, Unavailable, reception.id),
        deliveries=sorted(
            (shown(row) for row in facts.rows_of(act.session, Delivery, reception.id)),
            key=lambda row: row.done_at,
        ),
        reported=sorted(
            facts.rows_of(act.session, ReportedElsewhere, reception.id),
            key=lambda row: (row.on is None, row.on or act.today, row.id),
        ),
        passed=facts.passed_moves(act.session, reception.id),
        earlier=[shown(row) for row in every if row.known_until is not None],
        keyworker=_keyworker(act, patient.id),
        posts=post_holders(act),
        names=_names(act, every),
    )


def _triage_shared(act: Act, reception_id: int) -> bool:
    found = select(TriageConsent.consents).where(
        TriageConsent.reception_id == reception_id, TriageConsent.struck_at.is_(None)
    )
    return act.session.scalar(found) is True


def _without_note(row: Delivery) -> Delivery:
    """The entry as others see it: a copy that no session keeps."""
    values = {each.key: getattr(row, each.key) for each in inspect(Delivery).column_attrs}
    return Delivery(**values | {"note": WITHHELD})


def newest_reception(act: Act, patient_id: int) -> Reception | None:
    """Somebody's newest reception that was not undone, at whatever prison."""
    act.need("custody.read")
    patient = open_record(act, patient_id, "custody.stays_looked_up", right="custody.read")
    return act.session.scalar(
        select(Reception)
        .where(
            Reception.patient_id.in_(facts.same_person(act, patient.id)),
            Reception.undone_at.is_(None),
        )
        .order_by(Reception.id.desc())
        .limit(1)
    )


def moves_outside(act: Act, reception_id: int) -> bool:
    """Is the move of this stay one to a prison that is no site here?"""
    act.need("custody.read")
    reception = act.session.get(Reception, reception_id)
    return reception is not None and facts.moves_outside(act.session, reception)


def went(act: Act, reception: Reception) -> Exit | None:
    """How and when somebody left the prison that received them; None while they are there."""
    return facts.row_of(act.session, Exit, reception.id)


def arrival(act: Act, patient_id: int) -> tuple[Patient, list[tuple[Reception, str]]]:
    """Who stands at the gate, and where they are in custody as far as is known, by prison.

    Asked before the record is this prison's to open; the look is audited. NotFound for nobody.
    """
    act.need("custody.receive")
    if act.session.get(Patient, patient_id) is None:
        raise NotFound("There is no such patient.")
    patient = facts.kept_record(act.session, patient_id)
    found = act.session.execute(
        select(Reception, Site.name)
        .join(Site, Site.id == Reception.site_id)
        .where(
            Reception.patient_id.in_(facts.same_person(act, patient.id)),
            Reception.left_at.is_(None),
            Reception.undone_at.is_(None),
        )
        .order_by(Reception.id)
    )
    act.note("custody.arrival_shown", patient_id=patient.id)
    moved = act.session.execute(
        select(Reception, Transfer.receiving_prison)
        .join(Transfer, Transfer.reception_id == Reception.id)
        .join(Exit, Exit.reception_id == Reception.id)
        .where(
            Reception.patient_id.in_(facts.same_person(act, patient.id)),
            Reception.undone_at.is_(None),
            Transfer.known_until.is_(None),
            func.coalesce(Transfer.receiving_site_id, 0) != act.site_id,
            Exit.known_until.is_(None),
            Exit.how == "transfer",
        )
        .order_by(Reception.id)
    )
    newest = act.session.scalar(
        select(func.max(Reception.id)).where(
            Reception.patient_id.in_(facts.same_person(act, patient.id)),
            Reception.undone_at.is_(None),
        )
    )
    moved = [row for row in moved if row[0].id == newest]  # a later stay ended the one that moved
    under_way = sorted([*moved, *found], key=lambda row: row[0].id)
    return patient, [(reception, name) for reception, name in under_way]


def person_named(act: Act, patient_id: int) -> Patient:
    """Who it is, by name and date of birth alone, before the record is this prison's to open."""
    act.need("custody.deliver")
    if act.session.get(Patient, patient_id) is None:
        raise NotFound("There is no such patient.")
    patient = facts.kept_record(act.session, patient_id)
    act.note("custody.person_named", patient_id=patient.id)
    return patient


def _every_fact(act: Act, reception_id: int) -> list[Fact]:
    models: tuple[Any, ...] = (
        ReceptionDetail, Hearing, KnownRelease, Transfer, Exit, Location, Unavailable, Delivery,
        ReportedElsewhere,
    )  # fmt: skip
    return [
        row
        for model in models
        for row in act.session.scalars(
            select(model).where(model.reception_id == reception_id).order_by(model.id)
        )
    ]


def _names(act: Act, rows: Sequence[Any]) -> dict[int, str]:
    ids = {
        staff_id
        for row in rows
        for staff_id in (row.recorded_by, row.struck_by, getattr(row, "done_by", None))
        if staff_id is not None
    }
    return {row.id: row.name for row in act.session.scalars(select(Staff).where(Staff.id.in_(ids)))}


def _versions(act: Act, reception: Reception) -> list[Version]:
    """Every version, newest first, each with the dates it changed."""
    rows = act.session.execute(
        select(Timetable, Staff.name)
        .outerjoin(Staff, Staff.id == Timetable.made_by)
        .where(Timetable.reception_id == reception.id)
        .order_by(Timetable.version)
    ).all()
    made: list[Version] = []
    before: Answer | None = None
    for row, name in rows:
        made.append(
            Version(
                row.id, row.version, row.made_at, name or "The service itself", row.because,
                [] if before is None else changes(before, row.answer),
            )
        )  # fmt: skip
        before = row.answer
    return made[::-1]


def changes(before: Answer, after: Answer) -> list[Change]:
    """The dates that differ between two versions, in the order of the newer one."""
    was, now = timetables.due_dates(before), timetables.due_dates(after)
    rows = {(row["item"], row["for_on"]): row for row in (*before["items"], *after["items"])}
    return [
        Change(
            duty=words.duty(key[0], _day(key[1])),
            was=_day(was.get(key)),
            now=_day(now.get(key)),
            moved_by=rows[key]["moved_by"] if key in now else (),
            why=rows[key]["why"] if key in now else "No longer in the timetable.",
        )
        for key in timetables.moved_dates(before, after)
    ]


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _keyworker(act: Act, patient_id: int) -> Staff | None:
    return act.session.scalar(
        select(Staff)
        .join(Allocation, Allocation.staff_id == Staff.id)
        .where(
            Allocation.patient_id == patient_id,
            Allocation.site_id == act.site_id,
            Allocation.kind == "keyworker",
            Allocation.ended_at.is_(None),
        )
    )


def post_holders(act: Act) -> dict[str, str]:
    """Who holds each post at this site today, by post. A post nobody holds is absent."""
    rows = act.session.execute(
        select(SitePost, Staff.name)
        .join(Staff, Staff.id == SitePost.staff_id)
        .where(SitePost.site_id == act.site_id)
        .order_by(SitePost.id)
    )
    return {post.post: name for post, name in rows if post.holds_on(act.today)}


def escalation(escalate_to: str | None, posts: dict[str, str]) -> str | None:
    """Who is told when a duty is missed, with the names of those who hold the posts."""
    if escalate_to is None:
        return None
    return " and ".join(
        f"{words.OWNERS[post]} ({posts.get(post, 'nobody holds this post')})"
        for post in escalate_to.split("_and_")
    )


def booked_here(act: Act, reception_ids: Sequence[int]) -> Transfer | None:
    """The move of one of these stays that is booked to this prison; None when none is."""
    return act.session.scalar(
        select(Transfer).where(
            Transfer.reception_id.in_(reception_ids), Transfer.known_until.is_(None),
            Transfer.receiving_site_id == act.site_id,
        )
    )  # fmt: skip


def staff_here(act: Act) -> list[Staff]:
    """Who works at this site today, by name: for saying who did something."""
    rows = act.session.execute(
        select(Staff, StaffRole)
        .join(StaffRole, StaffRole.staff_id == Staff.id)
        .where(StaffRole.site_id == act.site_id)
        .order_by(Staff.name, Staff.id)
    )
    return list({staff.id: staff for staff, role in rows if role.holds_on(act.today)}.values())
