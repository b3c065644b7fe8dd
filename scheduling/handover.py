"""May a hand-over leave, by when must it be answered, and who is responsible meanwhile?

Rules and sources stand in handover.toml. The clock and the calendar of the receiving service come
in as facts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

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
    last = sent_on
    for _ in range(int(_RULES["HO-02"]["within"])):
        last = calendar.next_working_day(last + ONE_DAY)
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
