"""What is due for this patient in the first 28 days of custody, by when, and by whom?

`plan` is the one door: parsed JSON in, the contract's answer out. Facts in, dates out; nothing is
stored and nothing here knows the time except as `as_at`. The facts are read in
custody_request.py, the dates worked out in custody_dates.py; this module says what each item's
state is, which sessions to use, and what to be warned of.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from dosing.days import at_london, end_of, london_day, london_time
from dosing.shape import Answer, Refused
from scheduling.calendars import HolidayLists, OutOfReach
from scheduling.custody_dates import Block, DueDates, bars
from scheduling.custody_request import (
    RECEPTION_IS_DAY_1,
    Delivery,
    Session,
    TimetableFacts,
    read,
)
from scheduling.custody_rules import BY_KEY, GROUP_SESSION, RULES, Item, clock, limit
from scheduling.custody_schema import request_schema, response_schema

__all__ = ["plan", "request_schema", "response_schema"]


def plan(request: Any, holidays: HolidayLists) -> Answer:
    """One person's 28-day timetable, as the contract of `timetable plan` answers it.

    Takes parsed JSON. Raises Refused, naming the field, for a request that cannot be evaluated.
    Rules: TT-01 to TT-26 and TT-F1 to TT-F10 (custody.toml).
    """
    facts = read(request)
    try:
        return _Timetable(facts, holidays).answer()
    except OutOfReach as beyond:
        raise Refused("received_at", str(beyond)) from None


class _Timetable:
    """One request's dates and deliveries, ready to be answered section by section."""

    def __init__(self, facts: TimetableFacts, holidays: HolidayLists) -> None:
        self._facts = facts
        self._version = holidays.version
        self._dates = DueDates(facts, holidays)
        self._stay = self._dates.stay
        self._calendar = self._dates.calendar
        self._as_at_on = london_day(facts.as_at)
        # A transfer closes nothing: the timetable goes on in the receiving prison.
        self._left = facts.exit if facts.exit and facts.exit.how != "transfer" else None
        self._delivered: defaultdict[str, list[Delivery]] = defaultdict(list)
        for delivery in sorted(facts.delivered or (), key=lambda each: each.done_at):
            self._delivered[delivery.item].append(delivery)

    def answer(self) -> Answer:
        facts, stay = self._facts, self._stay
        return {
            "case": facts.case,
            "day_count": facts.day_count or RECEPTION_IS_DAY_1,
            "day_1": stay.day(1).isoformat(),
            "day_5": stay.day_5.isoformat(),
            "day_28": stay.last_on.isoformat(),
            "day_29": stay.day(limit("TT-17", "programme_day")).isoformat(),
            "weeks": [
                {
                    "week": block.week,
                    "from_on": block.from_on.isoformat(),
                    "to_on": block.to_on.isoformat(),
                    "working_days": self._working_days(block),
                }
                for block in stay.blocks.values()
            ],
            "observations": {
                "rule": "TT-25",
                "from_on": stay.day(1).isoformat(),
                "to_on": stay.day(limit("TT-25", "last_day")).isoformat(),
                "per_day": limit("TT-25", "per_day"),
            },
            "placing": "first" if facts.ppo else "normal",
            "items": [self._item(item, for_on) for item, for_on in self._dates.rows],
            "sessions": list(self._sessions()),
            "reuse_offers": [
                {"rule": "TT-21", "item": each.item, "done_on": each.done_on.isoformat()}
                for earlier in facts.earlier_stays or ()
                for each in earlier.assessments or ()
            ],
            "flags": list(self._flags()),
            "calendar_version": self._version,
        }

    def _working_days(self, block: Block) -> int:
        return len(self._calendar.working_days(block.from_on, block.to_on))

    # -- items: section 5 ---------------------------------------------------------------------

    def _item(self, item: Item, for_on: date | None) -> Answer:
        due_on = self._dates.final[item.key, for_on]
        original_on = self._dates.original[item.key, for_on]
        moved_by = self._dates.moved_by(item, for_on)
        due_at = self._due_at(item, due_on)
        deadline = due_at or (end_of(due_on) if due_on is not None else None)
        required = counted = None
        if item.is_groups:
            required = 0 if due_on is None else self._dates.sessions_required(item.week or 0)
            counted = len(self._group_sessions(item))
        done_at = self._done_at(item, for_on, required)
        return {
            "rule": item.rule,
            "item": item.key,
            "owner": self._owner(item),
            "escalate_to": item.escalate_to,
            "hard": item.hard and not (item.is_groups and self._away_in(item)),
            "due_on": _day(due_on),
            "due_at": _moment(due_at),
            "amber_from": _moment(self._amber_from(item, due_on)),
            "original_due_on": _day(original_on) if original_on != due_on else None,
            "moved_by": moved_by,
            "status": self._status(due_on, deadline, done_at),
            "done_at": _moment(done_at),
            "on_time": done_at <= deadline if done_at and deadline else None,
            "required": required,
            "counted": counted,
            "for_on": _day(for_on),
            "prison": self._prison(item, due_on),
            "why": self._why(item, due_on, original_on, moved_by, done_at),
        }

    def _owner(self, item: Item) -> str:
        """Who does it; from kw on another, though a release may have left no date to do it by."""
        if item.owner_from_due_day is None:
            return item.owner
        return item.owner_from_due_day if self._as_at_on >= self._dates.kw else item.owner

    def _away_in(self, item: Item) -> bool:
        return bars(self._facts.unavailable or (), self._stay.blocks[item.week or 0])

    def _due_at(self, item: Item, due_on: date | None) -> datetime | None:
        """The hour an item is due, for the two items that have one."""
        if due_on is None:
            return None
        if item.key == "reception_screening":
            return max(end_of(due_on), self._since_reception(item.rule))
        if item.key == "keyworker_named":
            close = at_london(due_on, clock(item.rule, "deadline"))
            return max(self._since_reception(item.rule), close)
        return None

    def _amber_from(self, item: Item, due_on: date | None) -> datetime | None:
        if item.key != "keyworker_named" or due_on is None:
            return None
        amber = self._since_reception(item.rule)
        if amber >= at_london(due_on, clock(item.rule, "deadline")):
            return at_london(due_on, clock(item.rule, "amber"))
        return amber

    def _since_reception(self, rule: str) -> datetime:
        """The rule's hours after reception, as elapsed time: the clock changes do not count."""
        return self._facts.received_at + timedelta(hours=limit(rule, "hours"))

    def _group_sessions(self, item: Item) -> list[Delivery]:
        """The sessions had or declined in the item's week, earliest first."""
        block = self._stay.blocks[item.week or 0]
        return [
            each
            for each in self._delivered[GROUP_SESSION]
            if block.from_on <= london_day(each.done_at) <= block.to_on
        ]

    def _done_at(self, item: Item, for_on: date | None, required: int | None) -> datetime | None:
        """When the item was done: the earliest delivery that closes it."""
        if item.is_groups:
            sessions = self._group_sessions(item)
            return (
                sessions[required - 1].done_at if required and required <= len(sessions) else None
            )
        closing = (
            each.done_at for each in self._delivered[item.key] if self._closes(each, item, for_on)
        )
        return next(closing, None)

    def _closes(self, delivery: Delivery, item: Item, for_on: date | None) -> bool:
        if item.key == "joint_care_plan":
            return not _agreement_missing(delivery)
        if item.key == "clinical_review":
            return london_day(delivery.done_at) >= self._stay.day_5
        return for_on is None or delivery.for_on == for_on

    def _status(
        self, due_on: date | None, deadline: datetime | None, done_at: datetime | None
    ) -> str:
        """The first of STATUSES that fits."""
        if done_at is not None:
            return "done"
        if due_on is None or deadline is None:
            return "not_required"
        if deadline < (self._left.at if self._left else self._facts.as_at):
            return "overdue"
        return "closed_left" if self._left else "due"

    def _prison(self, item: Item, due_on: date | None) -> str | None:
        transfer = self._stay.transfer
        if transfer is None:
            return None
        arrived = due_on is not None and due_on >= transfer.on
        return "receiving" if arrived or item.key.startswith("receiving_") else "sending"

    def _why(
        self,
        item: Item,
        due_on: date | None,
        original_on: date | None,
        moved_by: Sequence[str],
        done_at: datetime | None,
    ) -> str:
        """One sentence: the rule, the reason for a move, and who may override it."""
        parts = [f"{item.rule}: {item.duty}"]
        reasons = " and ".join(f"{RULES[rule]['moved']} ({rule})" for rule in moved_by)
        if due_on is None:
            parts.append(f"not required, because {reasons or item.not_needed}")
        elif reasons:
            moved = f"moved from {original_on} to" if original_on else "due on"
            parts.append(f"{moved} {due_on}, because {reasons}")
        if reasons and item.escalate_to is not None:
            parts.append(f"the {_words(item.escalate_to)} may override this")
        if item.key == "joint_care_plan" and done_at is None:
            missing = min(
                (_agreement_missing(each) for each in self._delivered[item.key]),
                key=len,
                default=list(RULES[item.rule]["parties"]),
            )
            parts.append(f"agreement is missing from: {', '.join(missing)}")
        transfer = self._facts.transfer
        if item.key == "clinical_review" and transfer and self._stay.transfer:
            cover = {True: "yes", False: "no", None: "not known"}[transfer.prescriber_cover]
            parts.append(f"prescriber cover at the receiving prison: {cover}")
        return "; ".join(parts) + "."

    # -- sessions: section 5, the last paragraph ------------------------------------------------

    def _offered(self) -> list[tuple[Session, date, Block | None]]:
        """The sessions in time order, with their day and week."""
        in_order = sorted(self._facts.sessions or (), key=lambda each: each.starts_at)
        days = [london_day(session.starts_at) for session in in_order]
        return [
            (session, day, self._stay.block_holding(day))
            for session, day in zip(in_order, days, strict=True)
        ]

    def _sessions(self) -> Iterator[Answer]:
        filled: Counter[int] = Counter()
        taught = {(london_day(each.done_at), each.topic) for each in self._delivered[GROUP_SESSION]}
        for session, day, block in self._offered():
            barred_by: list[str] = []
            by_on = None
            item = BY_KEY.get(f"groups_week_{block.week}") if block else None
            if block is None or item is None:
                outcome = "outside"
            else:
                barred_by = list(self._barred_by(session, day))
                due_on = self._dates.final[item.key, None]
                required = 0 if due_on is None else self._dates.sessions_required(block.week)
                if self._has_gone_by(day):
                    outcome = "outside"
                elif (day, session.topic) in taught:
                    outcome = "delivered"
                elif filled[block.week] >= required:
                    outcome = "not_needed"
                elif barred_by:
                    outcome, by_on = "one_to_one", due_on
                else:
                    outcome = "group"
                filled[block.week] += outcome in ("delivered", "group", "one_to_one")
            yield {
                "starts_at": _moment(session.starts_at),
                "topic": session.topic,
                "week": block.week if block else None,
                "outcome": outcome,
                "by_on": _day(by_on),
                "barred_by": barred_by,
            }

    def _has_gone_by(self, day: date) -> bool:
        """Is the patient out by this day, as far as is known?"""
        release = self._stay.release
        left = self._left is not None and day >= london_day(self._left.at)
        return left or (release is not None and day >= release.on)

    def _barred_by(self, session: Session, day: date) -> Iterator[str]:
        if session.non_associate_booked:
            yield "TT-F9"
        if self._location_bars(day):
            yield "TT-F10"
        if any(court.on == day for court in self._stay.courts):
            yield "court_day"
        if self._stay.move is not None and self._stay.move.on == day:
            yield "transfer_day"
        if not session.runs_on_bank_holiday and not self._calendar.is_working_day(day):
            yield "not_working_day"
        if session.places_left == 0 and not session.place_taken:
            yield "full"
        if self._facts.group_suitability == "one_to_one":
            yield "one_to_one_only"

    def _location_bars(self, day: date) -> list[str]:
        """Why the patient cannot come to a session that day, if anything says so."""
        return [each.reason for each in self._facts.unavailable or () if each.holds(day)]

    # -- flags: section 6 -----------------------------------------------------------------------

    def _flags(self) -> Iterator[Answer]:
        stay, dates = self._stay, self._dates
        if self._calendar.previous_working_day(stay.day_5) < dates.kw:
            yield _flag("TT-F1")
        keyworker_on = dates.final["keyworker_named", None]
        if keyworker_on is not None and keyworker_on == dates.final["joint_care_plan", None]:
            yield _flag("TT-F2")
        release = [stay.release] if stay.release else []
        if any(stay.blocks[1].holds(event.on) for event in (*stay.courts, *release)):
            yield _flag("TT-F3")
        if stay.day_5 in stay.taken_days:
            yield _flag("TT-F4")
        for block in stay.blocks.values():
            count = self._working_days(block)
            gone = self._starts_after_leaving(block)
            if count <= limit("TT-F5", "most_working_days") and not gone:
                yield _flag("TT-F5", week=block.week, count=count)
        if dates.calendar_changed_a_date():
            yield _flag("TT-F6")
        clock_then = london_time(self._facts.received_at).time()
        late_from, late_until = clock("TT-F7", "late_from"), clock("TT-F7", "late_until")
        if clock_then >= late_from or clock_then < late_until:
            yield _flag("TT-F7")
        if not self._calendar.is_working_day(stay.day_5):
            yield _flag("TT-F8")
        yield from self._session_flags()

    def _starts_after_leaving(self, block: Block) -> bool:
        release = self._stay.release
        left = self._left is not None and block.from_on > london_day(self._left.at)
        return left or (release is not None and block.from_on > release.on)

    def _session_flags(self) -> Iterator[Answer]:
        held = [
            (session, day)
            for session, day, block in self._offered()
            if block is not None and f"groups_week_{block.week}" in BY_KEY
        ]
        for session, day in held:
            if session.non_associate_booked:
                yield _flag("TT-F9", None, day, **_named(session))
        for session, day in held:
            reasons = self._location_bars(day)
            if reasons:
                yield _flag("TT-F10", None, day, **_named(session), reason=", ".join(reasons))


def _agreement_missing(delivery: Delivery) -> list[str]:
    """Whose agreement to the joint care plan this delivery does not record."""
    return [party for party in RULES["TT-08"]["parties"] if party not in (delivery.by or ())]


def _flag(rule: str, week: int | None = None, on: date | None = None, **said: object) -> Answer:
    message = RULES[rule]["message"].format(week=week, on=on, **said)
    return {"flag": rule, "week": week, "on": _day(on), "message": message}


def _named(session: Session) -> dict[str, str]:
    """How a message names a session: by topic and time, and by nobody in it."""
    return {
        "topic": _words(session.topic),
        "clock": london_time(session.starts_at).strftime("%H:%M"),
    }


def _words(key: str) -> str:
    return key.replace("_", " ").replace("carat", "CARAT")


def _day(on: date | None) -> str | None:
    return None if on is None else on.isoformat()


def _moment(at: datetime | None) -> str | None:
    return None if at is None else london_time(at).isoformat()
