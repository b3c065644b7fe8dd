"""May a hand-over leave, by when must it be answered, and who is responsible meanwhile?

Rules and sources stand in handover.toml. The clock and the calendar of the receiving service come
in as facts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from dosing.days import ONE_DAY, at_london, london_day
from scheduling.calendars import WorkingDays

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("handover.toml").read_text("utf-8")
)
_RULES: Final[Mapping[str, Any]] = {rule["id"]: rule for rule in _TABLE["rule"]}
WORDINGS: Final[Mapping[str, str]] = {each["id"]: each["says"] for each in _TABLE["wording"]}
"""What a leaver's own sheet says about an overdose and about medicine missed."""
BASES: Final[Mapping[str, str]] = _RULES["HO-01"]["bases"]
"""What a hand-over may rest on, and its words."""
NOTHING_LEAVES: Final[str] = _RULES["HO-01"]["says"]
DOSES: Final[int] = _RULES["HO-03"]["doses"]

PREPARED, SENT, ACCEPTED, REFUSED, WITHDRAWN = (
    "prepared", "sent", "accepted", "refused", "withdrawn",
)  # fmt: skip
_LAST_MINUTE: Final = time(23, 59)
"""An answer is due by the last minute of its day: midnight would read as the day after."""
OVERDUE: Final = "overdue"
"""Sent, and not answered in time: a state the clock alone brings."""

T = TypeVar("T")


def last_doses(doses: Sequence[T]) -> Sequence[T]:
    """What a hand-over shows of these doses, the newest first. HO-03."""
    return doses[:DOSES]


def may_leave(basis: str | None, because: str | None, *, consented: bool) -> bool:
    """Does the basis stand? Consent is the person's own and needs no more; the others say why. HO-01."""
    if basis == "consent":
        return consented
    return basis in BASES and bool((because or "").strip())


def answer_by(sent_at: datetime, leaves_on: date | None, calendar: WorkingDays) -> datetime:
    """Until when the receiving service has to answer: an aware instant. HO-02.

    The end of its next working day, or of the day they leave if that comes first; never before the
    end of the day of sending. OutOfReach beyond the known bank holidays.
    """
    sent_on = london_day(sent_at)
    last = _worked_on(sent_on, int(_RULES["HO-02"]["within"]), calendar)
    if leaves_on is not None:
        last = max(sent_on, min(last, leaves_on))
    return at_london(last, _LAST_MINUTE)


def stands(state: str, answered_by: datetime | None, now: datetime) -> str:
    """How a hand-over stands at a moment: its state, or overdue once nobody answered in time."""
    late = state == SENT and answered_by is not None and now >= answered_by
    return OVERDUE if late else state


def sender_responsible(state: str) -> bool:
    """Is the sender still responsible? Until somebody has accepted. RC-15, RC-25."""
    return state != ACCEPTED


@dataclass(frozen=True)
class Known:
    """Something that happened on a London day, and the instant it was recorded here."""

    on: date
    known_at: datetime


def into_custody(received: Sequence[Known], sentenced: Sequence[Known]) -> Known | None:
    """Since when is the newest going into custody known here? None: nobody knows of one. HO-05.

    `received`: arrivals that have not ended; `sentenced`: sentences to custody, of whom nobody
    knows that they are out since. A sentence and the arrival it leads to are one occasion, known
    since the earlier was; a sentence in custody is one of its own.
    """
    arrived = max(received, key=lambda each: (each.on, each.known_at), default=None)
    sentence = max(sentenced, key=lambda each: (each.on, each.known_at), default=None)
    if arrived is None or sentence is None:
        return arrived or sentence
    if sentence.on > arrived.on:
        return sentence
    if arrived.on - sentence.on > timedelta(days=int(_RULES["HO-05"]["within"])):
        return arrived
    return Known(arrived.on, min(arrived.known_at, sentence.known_at))


def send_by(known_at: datetime, calendar: WorkingDays) -> datetime:
    """Until when what is known of somebody gone into custody is sent: an aware instant. HO-04.

    The end of the sending service's working day. OutOfReach beyond the known bank holidays.
    """
    last = _worked_on(london_day(known_at), int(_RULES["HO-04"]["within"]), calendar)
    return at_london(last, _LAST_MINUTE)


def _worked_on(day: date, within: int, calendar: WorkingDays) -> date:
    for _ in range(within):
        day = calendar.next_working_day(day + ONE_DAY)
    return day
