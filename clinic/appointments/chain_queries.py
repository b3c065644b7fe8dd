"""How do the days of an induction stand, and where else could day 2 or 3 be?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import exists, select

from clinic.act import Act
from clinic.appointments import chain, facts
from clinic.appointments.chain_models import ChainArrangement, VisitChain
from clinic.appointments.chain_preview import as_review
from clinic.appointments.missed_models import MissedContact, MissedContactTry
from clinic.appointments.models import REVIEW, Visit, VisitEvent
from clinic.appointments.visit_queries import visit_here
from clinic.errors import Conflict, Invalid, NotFound
from clinic.patients.access import open_record
from clinic.patients.models import Patient, Registration
from dosing.days import days_between, end_of, start_of
from scheduling import chains
from scheduling.chains import Diary, Review

LONGEST_SPAN = timedelta(days=28)


@dataclass(frozen=True)
class ChainView:
    """A chain with every visit of it, missed and cancelled ones too, and what is arranged."""

    chain: VisitChain
    visits: tuple[Visit, ...]
    arrangements: tuple[ChainArrangement, ...]

    @property
    def id(self) -> int:
        return self.chain.id

    @property
    def patient_id(self) -> int:
        return self.chain.patient_id

    @property
    def referral_id(self) -> int:
        return self.chain.referral_id

    @property
    def version(self) -> int:
        return self.chain.version

    @property
    def shown(self) -> list[Visit]:
        """The visits that stand, were missed, or are the last word on their day."""
        taken = {each.day_number for each in self.visits if each.status in chain.STANDING}
        found = [
            each
            for each in self.visits
            if each.status != "cancelled" or each.day_number not in taken
        ]
        return sorted(found, key=lambda each: (each.starts_at, each.id))

    @property
    def without_a_successor(self) -> list[Visit]:
        """The last visit of each day that was missed or given up with no other in its place."""
        standing = {each.day_number for each in self.visits if each.status in chain.STANDING}
        last = {each.day_number: each for each in sorted(self.visits, key=lambda each: each.id)}
        return [each for day, each in last.items() if day not in standing]

    @property
    def day_1_missed(self) -> bool:
        """Did day 1 not take place, while later days still stand?"""
        standing = [each.day_number for each in self.visits if each.status in chain.STANDING]
        return bool(standing) and 1 not in standing

    @property
    def to_replan(self) -> bool:
        """Was a day missed or cancelled, with day 1 standing and no visit in its place?"""
        standing = {each.day_number for each in self.visits if each.status in chain.STANDING}
        over = max(
            (each.day_number or 0 for each in self.visits if each.status == "arrived"), default=0
        )
        days = set(range(max(2, over + 1), chains.DAYS + 1))
        return 1 in standing and bool(days - standing)


def chain_view(act: Act, chain_id: int) -> ChainView:
    """The days of one induction at this site. The look is audited."""
    row = act.session.get(VisitChain, chain_id)
    if row is None or row.site_id != act.site_id:
        raise NotFound("There is no such chain of visits at this site.")
    open_record(act, row.patient_id, "appointments.chain_read", right="appointments.read")
    return of_visits(act, row)


def of_visits(act: Act, row: VisitChain) -> ChainView:
    """The same, for a record that has been opened."""
    return ChainView(
        row, tuple(chain.visits_of_chain(act, row.id)), tuple(chain.arrangements_of(act, row.id))
    )


@dataclass(frozen=True)
class ToSettle:
    """An induction whose days wait for somebody to decide: since which visit, and of whom."""

    view: ChainView
    patient: Patient
    since: datetime


def to_settle(act: Act) -> list[ToSettle]:
    """Inductions here with a day that was missed or given up and nothing in its place, oldest first.

    Not those that were ended on purpose: by the person, or by the team that no longer looks for
    them. One of which nothing lies within four weeks is on its own page alone.
    """
    act.need("appointments.read")
    near = act.at - facts.LOOK_AHEAD
    here = exists().where(
        Registration.patient_id == VisitChain.patient_id, Registration.site_id == act.site_id,
        Registration.ended_at.is_(None),
    )  # fmt: skip
    recent = select(Visit.chain_id).where(
        Visit.site_id == act.site_id, Visit.chain_id.is_not(None), Visit.starts_at > near
    )
    visits: dict[int, list[Visit]] = {}
    for visit in act.session.scalars(
        select(Visit)
        .where(Visit.chain_id.in_(recent))
        .order_by(Visit.day_number, Visit.id)
        .execution_options(populate_existing=True)
    ):
        visits.setdefault(visit.chain_id or 0, []).append(visit)
    rows = act.session.execute(
        select(VisitChain, Patient)
        .join(Patient, Patient.id == VisitChain.patient_id)
        .where(VisitChain.id.in_(visits), here, Patient.died_on.is_(None))
    ).all()
    views = [(ChainView(row, tuple(visits[row.id]), ()), patient) for row, patient in rows]
    broken = [each for each in views if each[0].to_replan or each[0].day_1_missed]
    ended = _ended_by(act, [visit.id for view, _ in broken for visit in view.without_a_successor])
    found = []
    for view, patient in broken:
        gone = view.without_a_successor
        stopped, given_up = ({visit.id for visit in gone} & each for each in ended)
        if gone and not stopped and (view.day_1_missed or not given_up):
            found.append(ToSettle(view, patient, min(visit.starts_at for visit in gone)))
    act.note_shown("appointments.days_listed", [each.patient.id for each in found])
    return sorted(found, key=lambda each: (each.since, each.view.id))


def _ended_by(act: Act, visit_ids: list[int]) -> tuple[set[int], set[int]]:
    """Visits after which the team no longer looks for the person, and those given up for good."""
    stopped = act.session.scalars(
        select(MissedContact.visit_id)
        .join(MissedContactTry, MissedContactTry.missed_contact_id == MissedContact.id)
        .where(
            MissedContact.visit_id.in_(visit_ids), MissedContactTry.outcome == "stop",
            MissedContactTry.struck_at.is_(None),
        )
    )  # fmt: skip
    why = {
        row.visit_id: row.reason
        for row in act.session.execute(
            select(VisitEvent.visit_id, VisitEvent.reason)
            .where(VisitEvent.visit_id.in_(visit_ids), VisitEvent.verb == "cancelled")
            .order_by(VisitEvent.id)
        )
    }
    given_up = {each for each, reason in why.items() if reason in chains.RULES["CH-04"]["ends"]}
    return {each for each in stopped if each is not None}, given_up


def free_reviews(act: Act, visit_id: int, first: date, last: date) -> tuple[Visit, list[Review]]:
    """The free reviews for day 2 or 3 from first to last, both included, in order of time."""
    visit = visit_here(act, visit_id)
    open_record(act, visit.patient_id, "appointments.offered", right="appointments.read")
    if visit.kind != REVIEW:
        raise NotFound("This visit is no day 2 or 3 of an induction.")
    if last < first or last - first > LONGEST_SPAN:
        raise Invalid.field("to", f"must be on or after from, within {LONGEST_SPAN.days} days")
    service = facts.service(act.session, visit.site_id)
    own = visit.starts_at, visit.ends_at
    busy = [each for each in facts.busy(act.session, visit.patient_id, act.at) if each != own]
    diary = Diary(
        service.rota, facts.holds(act.session, service, start_of(first), end_of(last), act.at),
        now=act.at, busy=busy, known=service.reviews,
    )  # fmt: skip
    found: dict[Any, Review] = {}
    for day in days_between(max(first, act.today), last):
        for each in sorted(diary.free(day, visit.starts_at), key=lambda each: each.starts_at):
            if each != as_review(visit):
                found.setdefault((each.starts_at, each.nurse_id), each)
    return visit, list(found.values())


def preview_of(
    work: Callable[..., object], *args: Any, shown: str | None = "", **given: Any
) -> dict[str, Any] | None:
    """What a change would come to, without carrying it out. None: nothing else changes with it, and
    it is done.

    `shown`: the version of the picture that was looked at; no picture has an empty one.
    """
    try:
        work(*args, **given, preview=shown)
    except Conflict as refused:
        if "preview" not in refused.more:
            raise
        found: dict[str, Any] = refused.more["preview"]
        return found
    return None
