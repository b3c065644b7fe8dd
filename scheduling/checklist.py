"""Is everything at hand that an induction slot should have? A missing item is flagged, never refused."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from dosing.days import london_day, london_time
from scheduling.prescribing_models import RULES, Finding, finding
from scheduling.slots import UNKNOWN_CLINICIAN, Rota, Session

KIT: Final[tuple[str, ...]] = tuple(each for each in RULES["RP-19"]["items"] if each != "tester")
"""The items a site keeps; the tester is one of the people of the session."""


def missing(rota: Rota, session: Session, day: date) -> list[Finding]:
    """What a session lacks on a London date, in the order of the rule. Rule: RP-19."""
    has = {item for item, gone_on in rota.kit if gone_on is None or day < gone_on}
    people = (session.doctor_id, session.worker_id, session.nurse_id)
    if any(
        from_on <= day and (to_on is None or day <= to_on)
        for each in people
        if each is not None
        for from_on, to_on in rota.clinicians.get(each, UNKNOWN_CLINICIAN).tests
    ):
        has.add("tester")
    return [finding("RP-19", item) for item in RULES["RP-19"]["items"] if item not in has]


def missing_at(rota: Rota, doctor_id: int | None, starts_at: datetime) -> list[Finding]:
    """The same for the session the doctor holds at an instant; none known: nothing said."""
    day, clock = london_day(starts_at), london_time(starts_at).time()
    held = (
        each
        for each in rota.sessions
        if each.doctor_id == doctor_id
        and each.weekday == day.isoweekday()
        and each.starts <= clock < each.ends
        and each.from_on <= day
        and (each.to_on is None or day <= each.to_on)
    )
    session = next(held, None)
    return [] if session is None else missing(rota, session, day)
