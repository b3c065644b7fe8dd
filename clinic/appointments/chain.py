"""Days 2 and 3 follow day 1: in the transaction that books, moves or cancels one of them.

Whoever changes a chain puts the days that may change aside, so that nothing of them stands in the
way, has the rest planned anew (scheduling/chains.py), and either shows what that comes to or carries
it out. What was shown has a version; when the world has changed since, nothing is done and the new
picture is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import select, update

from clinic.act import Act
from clinic.appointments import facts, freed, history, lapses, writes
from clinic.appointments.chain_models import ARRANGED, ChainArrangement, VisitChain
from clinic.appointments.chain_preview import Preview, Row, as_review, changed, stays
from clinic.appointments.models import REVIEW, Visit, VisitHold
from clinic.errors import Conflict, Invalid, NotFound, one_of, says
from clinic.patients.queries import same_person
from clinic.titration.standing import Standing, standing_of
from clinic.turns import strike
from dosing.days import end_of, london_day, start_of
from scheduling import chains, slots
from scheduling.chains import Blocked, Diary, Plan, Review
from scheduling.prescribing_models import days_in_words
from scheduling.slots import Place

for _name in ("uq_visit_chain_day", "visit.chain_id, visit.day_number"):
    says(_name, "This day is booked again already. Take that back first.")

CHANGE = "change"
"""Under which name a step of a visit's history says which change of its chain it belongs to."""
CHANGED = "Something changed since you looked. See what becomes of the days now, and confirm."
OFFERS = 2
STANDING = ("booked", "arrived")


@dataclass(frozen=True)
class Arranged:
    """What is to be recorded of a shut day, as it was given."""

    on: date
    kind: str
    who: str
    contact: str
    by_time: time
    note: str | None = None


def chained(service: facts.Service, day: date) -> bool:
    """Does an induction here on this day come with its next days (RP-10)?"""
    return chains.booked_as_chain(service.model_on(day))


def chain_here(act: Act, chain_id: int) -> VisitChain:
    """The chain, held until this transaction ends, if it is at this site."""
    row = act.session.get(VisitChain, chain_id, with_for_update=True, populate_existing=True)
    if row is None or row.site_id != act.site_id:
        raise NotFound("There is no such chain of visits at this site.")
    return row


def visits_of_chain(act: Act, chain_id: int) -> list[Visit]:
    """Every visit of the chain, missed and cancelled ones too: by day, then as they came."""
    return list(
        act.session.scalars(
            select(Visit)
            .where(Visit.chain_id == chain_id)
            .order_by(Visit.day_number, Visit.id)
            .execution_options(populate_existing=True)
        )
    )


def arrangements_of(act: Act, chain_id: int) -> list[ChainArrangement]:
    """What is arranged for its shut days, and stands."""
    return list(
        act.session.scalars(
            select(ChainArrangement)
            .where(ChainArrangement.chain_id == chain_id, ChainArrangement.struck_at.is_(None))
            .order_by(ChainArrangement.on)
        )
    )


@dataclass
class Rest:
    """The days of a chain that a change puts aside, plans anew and puts in place.

    `kept`: the standing visits of other days. `gone`: the one that whoever does this moves or
    cancels beside. `lost`: the last visit of a day that was missed or cancelled. `day_1`: when the
    induction is, or was.
    """

    act: Act
    service: facts.Service
    patient_id: int
    referral_id: int
    day_1: datetime
    chain: VisitChain | None = None
    kept: dict[int, Visit] = field(default_factory=dict)
    aside: dict[int, Visit] = field(default_factory=dict)
    gone: list[Visit] = field(default_factory=list)
    lost: dict[int, Visit] = field(default_factory=dict)
    preview: Preview | None = None
    _held: dict[int, list[int]] = field(default_factory=dict)
    _plan: Plan | None = None
    _given: tuple[Arranged, ...] = ()
    _freed: list[tuple[int, datetime, datetime, str]] = field(default_factory=list)

    @property
    def change(self) -> int:
        """The number this change of the chain will have."""
        return 1 if self.chain is None else self.chain.version + 1

    # -- put aside ---------------------------------------------------------------------------

    def put_aside(self, visits: Iterable[Visit]) -> None:
        """Let these booked visits take nobody's time while the rest is planned."""
        session = self.act.session
        for visit in visits:
            self.aside[visit.day_number or 0] = visit
            self._held[visit.id] = list(
                session.scalars(
                    select(VisitHold.id).where(
                        VisitHold.visit_id == visit.id, VisitHold.released_at.is_(None)
                    )
                )
            )
        ids = [visit.id for visit in self.aside.values()]
        if ids:
            put(act=self.act, table=VisitHold, ids=_all(self._held), released_at=self.act.at)
            put(act=self.act, table=Visit, ids=ids, status="cancelled")

    def diary(self) -> Diary:
        """What is free for the days that follow, those put aside not counted."""
        first = london_day(self.day_1)
        last = max(first, self.act.today) + 2 * chains.LOOK_AHEAD + facts.LOOK_AHEAD
        gone = {(each.starts_at, each.ends_at) for each in (*self.aside.values(), *self.gone)}
        busy = facts.busy(self.act.session, self.patient_id, self.act.at)
        return Diary(
            self.service.rota,
            facts.holds(self.act.session, self.service, start_of(first), end_of(last), self.act.at),
            now=self.act.at,
            busy=[each for each in busy if each not in gone],
            known=self.service.reviews,
        )

    # -- plan --------------------------------------------------------------------------------

    def plan(
        self,
        *,
        chosen: Mapping[int, Review] | None = None,
        first: int = 2,
        pass_over: bool = False,
        made_on: Iterable[date] = (),
    ) -> Plan:
        """The days from `first` on. Conflict, naming the day and who is taken, when it cannot be."""
        standing = [] if self.chain is None else arrangements_of(self.act, self.chain.id)
        diary = self.diary()
        answer = chains.plan(
            diary, self.day_1,
            kept={
                number: london_day(each.starts_at)
                for number, each in self.kept.items() if number > 1
            },
            wished={number: as_review(each) for number, each in self.aside.items() if number > 1},
            chosen=chosen, arranged={each.on for each in standing}, made_on=set(made_on),
            pass_over=pass_over, first=first,
        )  # fmt: skip
        if isinstance(answer, Blocked):
            raise self.refused(answer, diary)
        self._plan = answer
        return answer

    def refused(self, blocked: Blocked, diary: Diary) -> Conflict:
        """Which day of it, who is taken then, and two whole chains that can be had."""
        return Conflict(
            blocked.message,
            more={
                "reason": "chain", "rule": "CH-02", "day_number": blocked.number,
                "on": blocked.on.isoformat(), "blocked_by": list(blocked.blocked_by),
                "free_next": self.offers(diary),
            },
        )  # fmt: skip

    def offers(self, diary: Diary, *, arranged_too: bool = True) -> list[dict[str, Any]]:
        """The next whole chains: each place with its next days and what they leave to arrange."""
        first = self.act.today
        free = facts.places_to_offer(
            self.act.session, self.service, first, first + facts.LOOK_AHEAD, self.act.at
        )
        free = slots.first_feasible(free, diary.busy, len(free))
        return [
            chain_as_json(*each)
            for each in chains.whole_chains(diary, free, OFFERS, arranged_too=arranged_too)
        ]

    def picture(self, first_row: Row | None, *, cancelled: bool = False) -> Preview:
        """What the change comes to, days in their order."""
        made = self._plan
        rows = {each.number: each for each in (first_row,) if each is not None}
        for number, visit in self.kept.items():
            if number not in rows:
                rows[number] = stays(number, visit)
        reviews = {} if made is None else dict(made.reviews)
        for number in sorted({*self.aside, *reviews}):
            if number not in rows:
                rows[number] = changed(
                    number, self.aside.get(number), reviews.get(number), self.lost.get(number)
                )
        ended = self._no_longer()
        begun = 1 in self.kept and self.kept[1].status == "arrived"
        self.preview = Preview(
            None if self.chain is None else self.chain.id,
            tuple(rows[number] for number in sorted(rows)),
            () if made is None or cancelled else made.to_arrange,
            tuple(chains.no_longer_needed(each.on, each.contact) for each in ended),
            () if made is None else tuple(each.message for each in made.passed_over),
            () if made is None else tuple(chains.in_words(each) for each in made.broken),
            None if made is None or begun or made.warning is None else made.warning.message,
            tuple(dose_words(self.act, self.patient_id)),
        )
        return self.preview

    def _no_longer(self) -> list[ChainArrangement]:
        """Arrangements ahead for days that are no shut day of the chain any more."""
        if self.chain is None:
            return []
        if self._plan is None:  # nothing of it stands
            return [
                each
                for each in arrangements_of(self.act, self.chain.id)
                if each.on >= self.act.today
            ]
        last = max(
            [*(london_day(each.starts_at) for each in self._plan.reviews.values()),
             *(london_day(each.starts_at) for each in self.kept.values()), self._plan.day_1]
        )  # fmt: skip
        return [
            each
            for each in arrangements_of(self.act, self.chain.id)
            if each.on >= self.act.today
            and not (self._plan.day_1 < each.on and (each.on < last or each.on in self._owed()))
        ]

    def _owed(self) -> set[date]:
        if self._plan is None:
            return set()
        return {*self._plan.shut_on, *self._plan.to_arrange}

    def agreed(self, shown: str | None, *, look_first: bool, always: bool = False) -> None:
        """Conflict, with the picture, unless it is the one that was looked at."""
        picture = self.preview
        assert picture is not None, "pictured before it is agreed to"
        needs_a_look = look_first and (always or picture.changes)
        if shown == picture.version or (shown is None and not needs_a_look):
            return
        detail = (
            "Other days change with this one. Look at what becomes of them, and confirm."
            if shown is None
            else CHANGED
        )
        raise Conflict(
            detail,
            more={
                "reason": "look_first" if shown is None else "changed",
                "preview": {**picture.as_json(), "version": picture.version},
            },
        )

    def arrange(self, given: Sequence[Arranged]) -> None:
        """Take what is arranged for the shut days. Conflict when a day is left out."""
        made = self._plan
        assert made is not None, "planned before it is arranged"
        for nth, each in enumerate(given):
            _sound(nth, each)
            if each.on not in made.to_arrange:
                raise Invalid.field(f"arrangements.{nth}.on", "must be a day to be arranged for")
        missing = [day for day in made.to_arrange if day not in {each.on for each in given}]
        if len({each.on for each in given}) < len(given):
            raise Invalid.field("arrangements", "must name each day once")
        if missing:
            raise Conflict(
                chains.must_be_arranged(made),
                more={
                    "reason": "to_arrange", "rule": "CH-03", "blocked_by": [],
                    "to_arrange": [day.isoformat() for day in missing],
                    "days": days_as_json(made),
                    "free_next": self.offers(self.diary(), arranged_too=False),
                },
            )  # fmt: skip
        self._given = tuple(given)

    # -- carry out ---------------------------------------------------------------------------

    def begin(self) -> int:
        """The chain's id, made now if there is none."""
        if self.chain is None:
            act = self.act
            self.chain = VisitChain(
                patient_id=self.patient_id, site_id=act.site_id, referral_id=self.referral_id,
                version=0, recorded_at=act.at, recorded_by=act.staff_id,
            )  # fmt: skip
            act.session.add(self.chain)
            act.session.flush()
        return self.chain.id

    def carry_out(self, *, note: str | None = None, **why: str | None) -> None:
        """Put the days where the plan has them; cancel those it has not, for the reason given."""
        chain_id = self.begin()
        assert self.chain is not None
        change = self.change
        reviews = {} if self._plan is None else self._plan.reviews
        for number, visit in sorted(self.aside.items()):
            wanted = reviews.get(number)
            if wanted is None:
                self._cancel(visit, change, note, why)
            elif wanted == as_review(visit):
                self._put_back(visit)
            else:
                self._move(visit, wanted, change, note)
        for number, wanted in reviews.items():
            if number not in self.aside:
                self._book(chain_id, number, wanted, change)
        self._arranged(change)
        self.chain.version = change
        self.act.session.flush()
        self._free_again()

    def _put_back(self, visit: Visit) -> None:
        put(act=self.act, table=VisitHold, ids=self._held[visit.id], released_at=None)
        put(act=self.act, table=Visit, ids=[visit.id], status="booked")

    def _move(self, visit: Visit, wanted: Review, change: int, note: str | None) -> None:
        act = self.act
        self.given_up(visit, "moved")
        lapses.release(act, wanted.starts_at, wanted.ends_at, self.patient_id)
        put(
            act=act, table=Visit, ids=[visit.id], status="booked", starts_at=wanted.starts_at,
            ends_at=wanted.ends_at, doctor_id=wanted.doctor_id, nurse_id=wanted.nurse_id,
            version=visit.version + 1,
        )  # fmt: skip
        act.session.refresh(visit)
        holds = holds_of(wanted, self.service.resources)
        writes.add_holds(act.session, visit.id, holds)
        history.add(act, visit, "moved", note=note, more={**writes.as_json(holds), CHANGE: change})
        act.note("appointments.moved", patient_id=visit.patient_id, visit=visit.id)

    def _cancel(
        self, visit: Visit, change: int, note: str | None, why: Mapping[str, str | None]
    ) -> None:
        act = self.act
        self.given_up(visit, "cancelled")
        put(act=act, table=Visit, ids=[visit.id], version=visit.version + 1)
        act.session.refresh(visit)
        history.add(act, visit, "cancelled", note=note, more={CHANGE: change}, **why)
        act.note(
            "appointments.cancelled", patient_id=visit.patient_id, visit=visit.id,
            reason=why.get("reason"),
        )  # fmt: skip

    def _book(self, chain_id: int, number: int, wanted: Review, change: int) -> None:
        act = self.act
        lapses.release(act, wanted.starts_at, wanted.ends_at, self.patient_id)
        holds = holds_of(wanted, self.service.resources)
        state = {
            "starts_at": wanted.starts_at, "ends_at": wanted.ends_at,
            "doctor_id": wanted.doctor_id, "worker_id": None, "nurse_id": wanted.nurse_id,
            "room_id": None, "observation_id": None, "status": "booked",
            "lapses_at": None,
        }  # fmt: skip
        visit_id = writes.add_visit(
            act.session,
            {
                **state, "patient_id": self.patient_id, "site_id": act.site_id,
                "referral_id": None, "kind": REVIEW, "chain_id": chain_id, "day_number": number,
                "version": 1, "recorded_at": act.at, "recorded_by": act.staff_id,
            },
            holds,
            {
                "verb": "booked", "at": act.at,
                "state": history.as_json(state) | writes.as_json(holds) | {CHANGE: change},
                "recorded_at": act.at, "recorded_by": act.staff_id,
            },
        )  # fmt: skip
        act.note("appointments.booked", patient_id=self.patient_id, visit=visit_id)

    def _arranged(self, change: int) -> None:
        assert self.chain is not None
        over = not self.kept and self._plan is None
        said = "The induction was cancelled." if over else "The days were planned anew."
        for row in self._no_longer():
            row.struck_change = change
            strike(self.act, row, self.act.at, said)
        for each in self._given:
            add_arrangement(self.act, self.chain, each, change)

    def given_up(self, visit: Visit, because: str) -> None:
        """A review is no longer where it was: whatever that makes free may be given on."""
        self._freed.append((visit.id, visit.starts_at, visit.ends_at, because))

    def _free_again(self) -> None:
        """An induction place that only a review given up stood in the way of is free again: one
        task for each such review, for the first of them.
        """
        for visit_id, since, until, because in self._freed:
            day = london_day(since)
            if since <= self.act.at:
                continue
            free = facts.free_places(self.act.session, self.service, day, day, self.act.at)
            place = next(
                (each for each in free if each.starts_at < until and since < each.until), None
            )
            if place is not None:
                freed.add_task(
                    self.act, because, place.ends_at, visit_id, site_id=self.act.site_id,
                    doctor_id=place.doctor_id, worker_id=place.worker_id,
                    starts_at=place.starts_at,
                )  # fmt: skip


def _all(held: Mapping[int, list[int]]) -> list[int]:
    return [each for ids in held.values() for each in ids]


def put(*, act: Act, table: Any, ids: Sequence[int], **values: Any) -> None:
    act.session.execute(
        update(table)
        .where(table.id.in_(ids))
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def holds_of(review: Review, resources: Mapping[int, int]) -> list[writes.Held]:
    """What a review holds of whom."""
    return [
        writes.Held(resources[staff_id or 0], part, review.starts_at, until)
        for part, staff_id, _, until in review.needs
    ]


def chain_as_json(place: Place, made: Plan) -> dict[str, Any]:
    """A place with the days that follow it, as the API gives it."""
    return {
        **{
            name: value
            for name, value in history.as_json(place._asdict()).items()
            if value is not None
        },
        "days": days_as_json(made),
        "to_arrange": [each.isoformat() for each in made.to_arrange],
    }


def days_as_json(made: Plan) -> list[dict[str, Any]]:
    """The days that follow, as the API gives them."""
    return [
        {"number": number, **history.as_json(each._asdict())}
        for number, each in sorted(made.reviews.items())
    ]


def _sound(nth: int, each: Arranged) -> None:
    one_of(f"arrangements.{nth}.kind", each.kind, ARRANGED)
    for name in ("who", "contact"):
        if not getattr(each, name).strip():
            raise Invalid.field(f"arrangements.{nth}.{name}", "must be said")


def add_arrangement(act: Act, chain: VisitChain, each: Arranged, change: int) -> None:
    """Record what is arranged for a shut day."""
    row = ChainArrangement(
        chain_id=chain.id, on=each.on, kind=each.kind, who=each.who.strip(),
        contact=each.contact.strip(), by_time=each.by_time,
        note=(each.note or "").strip() or None, change=change, struck_change=None,
        recorded_at=act.at, recorded_by=act.staff_id, struck_at=None, struck_by=None,
        struck_reason=None,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("appointments.arranged", patient_id=chain.patient_id, arrangement=row.id)


def standing_now(act: Act, patient_id: int) -> Standing:
    """How the person's build-up stands: contact made, and what missed doses mean."""
    records = same_person(act, patient_id)
    return standing_of(act, {patient_id: records}, act.at)[patient_id]


def dose_words(act: Act, patient_id: int) -> list[str]:
    """What the dosing rules say of missed days, where any are missed. Nothing is decided here."""
    standing = standing_now(act, patient_id)
    course = standing.course
    if course is None or course.day is None or not course.known.missed_days:
        return []
    if standing.lapse is not None:
        return [standing.lapse.message]
    words = chains.RULES["CH-03"]
    said = [words["missed_doses"].format(missed=days_in_words(course.known.missed_days))]
    return [*said, words["waits"]] if course.broken else said
