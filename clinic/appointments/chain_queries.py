"""How do the days of an induction stand, and where else could day 2 or 3 be?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from clinic.act import Act
from clinic.appointments import chain, facts
from clinic.appointments.chain_models import ChainArrangement, VisitChain
from clinic.appointments.chain_preview import as_review
from clinic.appointments.models import REVIEW, Visit
from clinic.appointments.visit_queries import visit_here
from clinic.errors import Conflict, Invalid, NotFound
from clinic.patients.access import open_record
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
        now=act.at, busy=busy,
    )  # fmt: skip
    found: dict[Any, Review] = {}
    for day in days_between(max(first, act.today), last):
        for each in sorted(diary.free(day, visit.starts_at), key=lambda each: each.starts_at):
            if each != as_review(visit):
                found.setdefault((each.starts_at, each.nurse_id), each)
    return visit, list(found.values())


def preview_of(work: Callable[..., object], *args: Any, **given: Any) -> dict[str, Any]:
    """What a change would come to, without carrying it out."""
    try:
        work(*args, **given, preview="")
    except Conflict as refused:
        if "preview" not in refused.more:
            raise
        found: dict[str, Any] = refused.more["preview"]
        return found
    raise AssertionError("no picture has an empty version")
