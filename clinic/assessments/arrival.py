"""Somebody came from elsewhere: what was asked, what is still to ask, and what does a dose wait for?

Reception into prison, police custody, and back in the community (RC-24). What they claim to take,
and who confirms it, are claims (claims.py); a dose taken elsewhere is a dose (consumption).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, func, select

from clinic.act import Act
from clinic.assessments.entries import Entries
from clinic.assessments.models import ClinicalEntry
from clinic.custody.models import Exit, Reception, ReceptionDetail
from clinic.custody.passed_models import PassedMove
from dosing.days import london_day, start_of
from scheduling.assessment import dose_waits, still_asked

KINDS = ("arrival", "arrest")
OF_ARRIVAL = (*KINDS, "steady_dose", "confirmation")
"""Kinds of entry that tell of an arrival: what was asked, claimed and answered."""
TO_LIBERTY = ("court", "release")
QUESTIONS = {
    "dose_taken_today": "whether a substitute was taken that day",
    "surgery": "GP and surgery",
    "prescriber_continues": "whether the original prescriber goes on",
    "community_prescription": "what becomes of the prescription outside",
}


@dataclass(frozen=True)
class Arrived:
    """Where somebody came to, and when."""

    where: str
    at: datetime

    @property
    def on(self) -> date:
        return london_day(self.at)


def arrived_here(act: Act, records: Collection[int], *, in_prison: bool) -> Arrived | None:
    """The stay that stands at this prison; at a service outside, the newest way out of custody."""
    where, look = ("prison", _RECEIVED) if in_prison else ("community", _LEFT)
    about = {"records": list(records), "site_id": act.site_id, "now": act.at}
    act.session.flush()
    at = act.session.connection().execute(look, about).scalar()
    return None if at is None else Arrived(where, at)


# Asked whenever a dose is judged, so they are built once and know no mapped objects.
_RECORDS = bindparam("records", expanding=True)
_CAME_BACK = (
    select(func.max(PassedMove.moved_at))
    .where(
        PassedMove.reception_id == Reception.id, PassedMove.to_site_id == bindparam("site_id"),
        PassedMove.moved_at <= bindparam("now"),
    )
    .correlate(Reception)
    .scalar_subquery()
)  # fmt: skip
_RECEIVED = (
    select(func.coalesce(_CAME_BACK, ReceptionDetail.received_at))
    .join(Reception, Reception.id == ReceptionDetail.reception_id)
    .where(
        Reception.patient_id.in_(_RECORDS), Reception.site_id == bindparam("site_id"),
        Reception.left_at.is_(None), Reception.undone_at.is_(None),
        ReceptionDetail.known_until.is_(None),
    )
    .order_by(ReceptionDetail.received_at.desc())
    .limit(1)
)  # fmt: skip
_LEFT = (
    select(Exit.at)
    .join(Reception, Reception.id == Exit.reception_id)
    .where(
        Reception.patient_id.in_(_RECORDS), Reception.undone_at.is_(None),
        Exit.known_until.is_(None), Exit.how.in_(TO_LIBERTY), Exit.at <= bindparam("now"),
    )
    .order_by(Exit.at.desc())
    .limit(1)
)  # fmt: skip


def answers(of: Entries, arrived: Arrived | None = None) -> list[ClinicalEntry]:
    """What was asked, oldest first: all of it, or on the day of this arrival and since."""
    rows = sorted(
        (row for kind in KINDS for row in of.all(kind)), key=lambda row: (row.happened_at, row.id)
    )
    return [row for row in rows if arrived is None or row.happened_at >= start_of(arrived.on)]


def dose_waits_for(
    of: Entries, arrived: Arrived | None, on: date, elsewhere_on: Collection[date]
) -> Iterator[tuple[str, str]]:
    """What must be known before a dose of this day, so that nobody is given two unasked.

    Each as where it is recorded (an entry's kind, or `elsewhere`) and in words. `elsewhere_on`: the
    days with a dose recorded as taken elsewhere.
    """
    if arrived is not None and dose_waits(arrived.on, on) and arrived.on not in elsewhere_on:
        said = [row.data.get("dose_taken_today") for row in answers(of, arrived)]
        if not any(each is not None for each in said):
            yield (
                "arrival",
                "Was a substitute taken elsewhere on the day they arrived? Nobody has asked",
            )
    today = [row for row in answers(of) if london_day(row.happened_at) == on]
    taken = [row.data["dose_taken_today"] for row in today if "dose_taken_today" in row.data]
    if taken and taken[-1] and on not in elsewhere_on:
        yield (
            "elsewhere",
            "Said to have taken a substitute elsewhere today: record that dose before any other",
        )


def to_ask(of: Entries, arrived: Arrived | None, today: date) -> list[str]:
    """The questions of an arrival nobody has answered yet; none once it is long past.

    A person who says they are in no treatment is not asked about it further.
    """
    if arrived is None or not still_asked(arrived.on, today):
        return []
    known: dict[str, object] = {}
    for row in answers(of, arrived):
        known |= row.data
    if known.get("in_treatment") is False and known.get("dose_taken_today") is not None:
        return []
    asked = {"in_treatment": "whether they are in treatment", **QUESTIONS}
    return [words for name, words in asked.items() if known.get(name) in (None, "unsettled")]
