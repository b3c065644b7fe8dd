"""How does each person's build-up stand: contact, jumps, targets, first days, what waits for whom?

Gathers rows for any number of people at once and puts them to the rules of scheduling/. The person's
page, the worklist and the service's rates all read the same answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.appointments.chain_models import ChainArrangement, VisitChain
from clinic.appointments.models import INDUCTION, NO_VISIT, REVIEW, Referral, Visit
from clinic.assessments.models import ClinicalEntry
from clinic.consumption.models import SWALLOWED, DoseEvent
from clinic.prescriptions.models import DoseDecision
from clinic.staff.models import PrescriberLevel
from clinic.titration import facts
from clinic.titration.facts import Course
from clinic.titration.models import Contact, TitrationReview
from dosing.days import days_between, london_day
from scheduling import prescribing_models as models
from scheduling import reviews as rules
from scheduling import targets as aims
from scheduling.prescribing_models import PrescribingModel

CAME = (*SWALLOWED, "refused", "withheld")
"""Outcomes of an observed dose that say the person was there."""
IN_PERSON = ("visit", "outreach", "pharmacy", "in_person")
SINCE = timedelta(days=60)
"""How far back observations and contacts are looked at."""


@dataclass(frozen=True)
class Standing:
    """One person's build-up at a moment. Rows stand (not struck out), oldest first; reviews newest
    first. `day_1`: the day of the induction visit; None when there was none. `arrangements`: for
    days of it on which the service is shut."""

    person: int
    at: datetime
    course: Course | None
    doses: Sequence[DoseEvent]
    observations: Sequence[ClinicalEntry]
    reviews: Sequence[TitrationReview]
    contacts: Sequence[Contact]
    decisions: Sequence[DoseDecision]
    visits: Sequence[Visit]
    arrangements: Sequence[ChainArrangement]
    referral: Referral | None
    prescribers: frozenset[int]
    step_limit: tuple[str, Decimal] | None

    @property
    def today(self) -> date:
        return london_day(self.at)

    @property
    def newest_review(self) -> TitrationReview | None:
        return self.reviews[0] if self.reviews else None

    @property
    def stopped(self) -> bool:
        """Did the newest review end the treatment?"""
        return self.newest_review is not None and self.newest_review.decision == "stop"

    # -- contact ---------------------------------------------------------------------------

    @cached_property
    def contact_days(self) -> dict[date, str]:
        """The days somebody was in contact with them, and by what."""
        found: dict[date, str] = {}
        for visit in self.visits:
            if visit.status == "arrived":
                found[london_day(visit.starts_at)] = "visit"
        for row in self.observations:
            found[london_day(row.happened_at)] = "observation"
        for dose in self.doses:
            if dose.supervision == "supervised" and dose.outcome in CAME and not dose.elsewhere:
                found[dose.dose_on] = "observed dose"
        for review in self.reviews:
            found[review.reviewed_on] = "review"
        for day, how in self._spoken_to():
            found.setdefault(day, how)
        return found

    def _spoken_to(self) -> Iterator[tuple[date, str]]:
        """Contact logged as such, where somebody was reached."""
        for contact in self.contacts:
            if contact.happened_at is not None and contact.reached:
                yield london_day(contact.happened_at), contact.how

    @cached_property
    def seen_days(self) -> set[date]:
        """The days they came or were seen: contact that is not by phone or letter."""
        seen = {
            day
            for day, by in self.contact_days.items()
            if by in ("visit", "observation", "observed dose")
        }
        seen |= {row.reviewed_on for row in self.reviews if row.seen == "in_person"}
        return seen | {day for day, how in self._spoken_to() if how in IN_PERSON}

    @property
    def planned_days(self) -> set[date]:
        """The days contact is planned: planned as such, arranged, a booked visit, the next review,
        a supervised collection.
        """
        planned = self._arranged_days | {
            london_day(each.starts_at) for each in self.visits if each.status == "booked"
        }
        if self.newest_review is not None and self.newest_review.next_review_on is not None:
            planned.add(self.newest_review.next_review_on)
        for decision in self.decisions:
            if decision.withdrawn_at is None:
                planned |= supervised_days(decision)
        return planned

    @property
    def _arranged_days(self) -> set[date]:
        planned = {row.planned_on for row in self.contacts if row.planned_on is not None}
        return planned | {row.on for row in self.arrangements}

    @cached_property
    def contact(self) -> rules.Contacts | None:
        """How contact stands (RP-34); None when no build-up owes any."""
        course = self.course
        if course is None or course.day is None or self.stopped:
            return None
        if self.today > course.build_up_ends_on:
            return None
        return rules.contacts(
            course.known.episode_from, course.build_up_ends_on, self.contact_days,
            self.planned_days, self.today,
        )  # fmt: skip

    # -- the dose --------------------------------------------------------------------------

    @cached_property
    def jumps(self) -> list[rules.Flag]:
        """Rises too large at once, or that no review decided (RP-24)."""
        if self.course is None:
            return []
        raised = {row.reviewed_on for row in self.reviews if row.decision == "raise"}
        return rules.jumps(self.course.totals, raised, self.step_limit)

    @property
    def lapse(self) -> rules.Flag | None:
        """Missed doses have ended the episode: only a fresh decision begins another (RP-39)."""
        if self.course is None or not self.course.lapsed or self.stopped:
            return None
        return rules.flag("RP-39", missed=self.course.known.missed_days)

    @cached_property
    def withdrawal_found(self) -> tuple[ClinicalEntry, rules.Flag] | None:
        """The newest withdrawal found on treatment that no prescriber has answered (RP-40)."""
        if self.course is None or self.stopped:
            return None
        row = next((each for each in reversed(self.observations) if _score(each) is not None), None)
        if row is None or self.answered_by_prescriber(row.happened_at):
            return None
        scale, score = row.data["withdrawal_scale"], row.data["withdrawal_score"]
        first_on = self.course.known.episode_from
        day = None if self.course.day is None else (london_day(row.happened_at) - first_on).days + 1
        if not rules.needs_prescriber(day, scale, score):
            return None
        on = london_day(row.happened_at)
        return row, rules.flag("RP-40", at=on, scale=scale.upper(), score=score)

    def answered_by_prescriber(self, since: datetime) -> bool:
        """Has a prescriber reviewed them, or decided on a dose, from this moment on?"""
        return any(
            row.reviewed_at >= since and row.recorded_by in self.prescribers for row in self.reviews
        ) or any(row.recorded_at >= since for row in self.decisions)

    @property
    def undecided(self) -> TitrationReview | None:
        """The newest review, when it asks for a dose decision nobody has saved since."""
        row = self.newest_review
        if row is None or not row.asks_for_a_decision:
            return None
        decided = any(each.recorded_at >= row.recorded_at for each in self.decisions)
        return None if decided else row

    # -- targets and first days -------------------------------------------------------------

    @property
    def day_1(self) -> date | None:
        """The day of the last induction visit they came to; failing that the last one booked."""
        visit = self.induction
        return None if visit is None else london_day(visit.starts_at)

    @property
    def induction(self) -> Visit | None:
        """The last induction visit they came to; failing that the last one booked."""
        visits = [visit for visit in self.visits if visit.kind == INDUCTION]
        came = [visit for visit in visits if visit.status == "arrived"]
        return next(iter(reversed(came or visits)), None)

    @property
    def later_days(self) -> dict[int, date]:
        """On which days 2 and 3 of that induction are or were; missed ones only where none stands."""
        visit = self.induction
        if visit is None or visit.chain_id is None:
            return {}
        days = [each for each in self.visits if each.chain_id == visit.chain_id]
        days.sort(key=lambda each: each.status != "did_not_attend")
        return {
            each.day_number: london_day(each.starts_at)
            for each in days
            if each.day_number is not None and each.kind == REVIEW
        }

    def first_days(
        self, model: PrescribingModel | None, shut: Iterable[date]
    ) -> list[models.Attendance]:
        """The attendances of a model 3 start (RP-10); none without a visit."""
        if self.day_1 is None:
            return []
        return models.first_days(
            model, self.day_1, self.seen_days, self._arranged_days, set(shut), self.today,
            self.later_days,
        )  # fmt: skip

    def targets(self, model: PrescribingModel | None) -> list[aims.Target]:
        """How each target stands (RP-07, RP-13, RP-15): advice."""
        first = None
        if self.course is not None and self.course.day is not None:
            first = self.course.known.episode_from
        referred = None if self.referral is None else london_day(self.referral.referred_at)
        clocks = {"referral": referred, "day_1": self.day_1, "first_dose": first}
        optimised = self._stable("optimised_days")
        reached = {
            "on_treatment": first, "aim_on_treatment": first, "started": first,
            "stable_initial": self._stable("initial_days"), "stable_optimised": optimised,
            "aim_adequate_dose": optimised,
        }  # fmt: skip
        return aims.targets(model, clocks, reached, self.today)

    def _stable(self, name: str) -> date | None:
        if self.course is None:
            return None
        held = {
            row.reviewed_on for row in self.reviews if row.decision in rules.RULES["RV-05"]["hold"]
        }
        scores: defaultdict[date, list[int]] = defaultdict(list)
        for row in self.observations:
            if row.data.get("withdrawal_scale") == "cows" and _score(row) is not None:
                scores[london_day(row.happened_at)].append(row.data["withdrawal_score"])
        return rules.stable_on(self.course.totals, held, scores, rules.RULES["RV-05"][name])


def _score(row: ClinicalEntry) -> int | None:
    score: int | None = row.data.get("withdrawal_score")
    return score


def supervised_days(decision: DoseDecision) -> set[date]:
    """The days somebody is to watch a dose of this decision being taken."""
    return {
        day
        for each in (decision.asked.get("supply") or {}).get("collections") or ()
        if each["supervised"]
        for day in days_between(
            date.fromisoformat(each["collect_on"]),
            date.fromisoformat(each.get("daily_until_on") or each["collect_on"]),
        )
    }


def standing_of(act: Act, people: Mapping[int, list[int]], at: datetime) -> dict[int, Standing]:
    """How each of these people stands (their id -> all their records), in a handful of questions."""
    if not people:
        return {}
    owner = facts.owners(people)
    since = at - SINCE
    courses = facts.courses_of(act, people, at)

    def rows(statement: Any) -> defaultdict[int, list[Any]]:
        return facts.by_person(owner, act.session.scalars(statement))

    doses = rows(
        select(DoseEvent)
        .where(
            DoseEvent.patient_id.in_(owner), DoseEvent.struck_at.is_(None),
            DoseEvent.consumed_at > since, DoseEvent.consumed_at <= at,
        )
        .order_by(DoseEvent.consumed_at, DoseEvent.id)
    )  # fmt: skip
    observations = rows(
        select(ClinicalEntry)
        .where(
            ClinicalEntry.patient_id.in_(owner), ClinicalEntry.kind == "observation",
            ClinicalEntry.struck_at.is_(None), ClinicalEntry.happened_at > since,
            ClinicalEntry.happened_at <= at,
        )
        .order_by(ClinicalEntry.happened_at, ClinicalEntry.id)
    )  # fmt: skip
    reviews = rows(
        select(TitrationReview)
        .where(
            TitrationReview.patient_id.in_(owner), TitrationReview.struck_at.is_(None),
            TitrationReview.reviewed_at <= at,
        )
        .order_by(TitrationReview.reviewed_at.desc(), TitrationReview.id.desc())
    )  # fmt: skip
    contacts = rows(
        select(Contact)
        .where(
            Contact.patient_id.in_(owner), Contact.struck_at.is_(None), Contact.recorded_at > since
        )
        .order_by(Contact.id)
    )
    decisions = rows(
        select(DoseDecision)
        .where(DoseDecision.patient_id.in_(owner), DoseDecision.recorded_at > since)
        .order_by(DoseDecision.decided_at, DoseDecision.id)
    )
    visits = rows(
        select(Visit)
        .where(
            Visit.patient_id.in_(owner), Visit.kind.in_((INDUCTION, REVIEW)),
            Visit.status.not_in(NO_VISIT),
            Visit.site_id == act.site_id, Visit.starts_at > since,
        )
        .order_by(Visit.starts_at)
    )  # fmt: skip
    arrangements: defaultdict[int, list[ChainArrangement]] = defaultdict(list)
    for row, patient_id in act.session.execute(
        select(ChainArrangement, VisitChain.patient_id)
        .join(VisitChain, VisitChain.id == ChainArrangement.chain_id)
        .where(
            VisitChain.patient_id.in_(owner), ChainArrangement.struck_at.is_(None),
            ChainArrangement.recorded_at > since,
        )
        .order_by(ChainArrangement.on)
    ):  # fmt: skip
        arrangements[owner[patient_id]].append(row)
    referrals = rows(
        select(Referral)
        .where(
            Referral.patient_id.in_(owner), Referral.site_id == act.site_id,
            Referral.status != "closed",
        )
        .order_by(Referral.referred_at.desc())
    )  # fmt: skip
    prescribers = frozenset(act.session.scalars(select(PrescriberLevel.staff_id)))
    in_force = facts.rules_in_force(act, at)
    return {
        person: Standing(
            person=person, at=at, course=courses.get(person), doses=doses[person],
            observations=observations[person], reviews=reviews[person],
            contacts=contacts[person], decisions=decisions[person],
            visits=visits[person], arrangements=arrangements[person],
            referral=next(iter(referrals[person]), None),
            prescribers=prescribers,
            step_limit=facts.largest_step(in_force, courses[person].known.drug)
            if person in courses
            else None,
        )
        for person in people
    }  # fmt: skip
