"""How a stay is laid out for the eye: phases of duties, and the 28 days as a strip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from clinic import ui
from clinic.calendars import holiday_lists
from clinic.custody import facts, queries, words, worklists
from clinic.custody.models import (
    DELIVERY_OUTCOMES,
    PARTIES,
    PLACES_APART,
    TOPIC_NAMES,
    WAYS_OUT,
    Delivery,
    Exit,
    Fact,
    Hearing,
    KnownRelease,
    Location,
    ReceptionDetail,
    ReportedElsewhere,
    Transfer,
    Unavailable,
)
from clinic.custody.queries import Stay
from dosing.days import days_between, london_day
from dosing.shape import Answer
from scheduling.calendars import CALENDAR_SHAPE, Calendar, CalendarFacts
from scheduling.custody_rules import GROUP_SESSION
from scheduling.observations import heightened


@dataclass(frozen=True)
class DutyRow:
    """One duty as the page shows it. `original_on`: its date before anything moved it.

    `reported`: done elsewhere, as another prison says; of `done_at` the day alone is known.
    """

    item: str
    for_on: date | None
    duty: str
    rule: str
    due_on: date | None
    due_at: datetime | None
    amber_from: datetime | None
    original_on: date | None
    moved_by: Sequence[str]
    state: str
    state_words: str
    colour: str
    owner: str
    escalate_to: str | None
    hard: bool
    done_at: datetime | None
    on_time: bool | None
    counted: str | None
    why: str
    reported: bool

    @property
    def due(self) -> date | datetime | None:
        """As it is said: the hour only where it is not the midnight that ends the day."""
        return worklists.said_due(self.due_on, self.due_at)

    @property
    def recordable(self) -> bool:
        """Is there still something to record about it?"""
        return self.state in ("due", "overdue")


def phases(stay: Stay) -> list[tuple[str, list[DutyRow]]]:
    """The duties under their phases, each phase by due date; a phase without any is left out."""
    rows = [_duty_row(row, stay) for row in stay.answer["items"]] if stay.answer else []
    found = []
    for name in words.PHASES:
        own = [row for row in rows if words.phase(row.item, row.rule) == name]
        own.sort(key=lambda row: (row.due_on is None, row.due_on or date.max))
        if own:
            found.append((name, own))
    return found


def flagged(stay: Stay) -> list[Answer]:
    """The flags of the timetable, with their days as staff say them."""
    rows = stay.answer["flags"] if stay.answer else []
    return [{**row, "message": ui.days_said(row["message"])} for row in rows]


def _duty_row(row: Answer, stay: Stay) -> DutyRow:
    for_on = _day(row["for_on"])
    owner = words.OWNERS[row["owner"]]
    if "keyworker" in row["owner"] and stay.keyworker is not None:
        owner = f"{owner} ({stay.keyworker.name})"
    state, said = row["status"], words.STATES[row["status"]]
    if stay.gone_outside and state in ("due", "overdue") and row["rule"] != "TT-18":
        state, said = "closed_left", "Closed here"
    return DutyRow(
        item=row["item"],
        for_on=for_on,
        duty=words.duty(row["item"], for_on),
        rule=row["rule"],
        due_on=_day(row["due_on"]),
        due_at=moment(row["due_at"]),
        amber_from=moment(row["amber_from"]),
        original_on=_day(row["original_due_on"]),
        moved_by=row["moved_by"],
        state=state,
        state_words=said,
        colour=words.STATE_COLOURS[state],
        owner=owner,
        escalate_to=queries.escalation(row["escalate_to"], stay.posts),
        hard=row["hard"],
        done_at=moment(row["done_at"]),
        on_time=row["on_time"],
        counted=_counted(row),
        why=row["why"],
        reported=_is_reported(stay, row),
    )


def _is_reported(stay: Stay, row: Answer) -> bool:
    """Is it done by what another prison says, of which the day alone is known?"""
    done_at = moment(row["done_at"])
    return done_at is not None and any(
        each.item == row["item"] and each.on and facts.latest(each.on, stay.detail) == done_at
        for each in stay.reported
    )


def _counted(row: Answer) -> str | None:
    if row["required"] is None:
        return None
    return f"{row['counted']} of {row['required']} had or declined"


@dataclass(frozen=True)
class StripDay:
    """One of the 28 days. `marks`: what happens on it beside duties, such as a hearing."""

    number: int
    on: date
    working: bool
    today: bool
    due: Sequence[str]
    late: int
    done: int
    marks: Sequence[str]

    @property
    def lines(self) -> list[tuple[str, bool]]:
        """The duties of the day in a few words, line by line, and whether a line tells of late ones."""
        counts = [(self.late, "late"), (len(self.due) - self.late - self.done, "to do"),
                  (self.done, "done")]  # fmt: skip
        return [(f"{count} {what}", what == "late") for count, what in counts if count]

    @property
    def says(self) -> str:
        return ", ".join(text for text, _ in self.lines)


def strip(stay: Stay, today: date) -> list[StripDay]:
    """The 28 days in order; empty when there is no timetable."""
    if stay.answer is None or stay.timetable is None:
        return []
    calendar = _calendar(stay, today)
    rows = [row for _, rows in phases(stay) for row in rows if row.due_on is not None]
    first, last = _day(stay.answer["day_1"]), _day(stay.answer["day_28"])
    assert first is not None and last is not None
    days = []
    for number, on in enumerate(days_between(first, last), start=1):
        due = [row for row in rows if row.due_on == on]
        days.append(
            StripDay(
                number=number,
                on=on,
                working=calendar.is_working_day(on),
                today=on == today,
                due=[row.duty for row in due],
                late=sum(row.state == "overdue" for row in due),
                done=sum(row.state == "done" for row in due),
                marks=_marks(stay, on),
            )
        )
    return days


def _calendar(stay: Stay, today: date) -> Calendar:
    assert stay.timetable is not None
    facts = CALENDAR_SHAPE.read(stay.timetable.elsewhere["prison"], "")
    assert isinstance(facts, CalendarFacts)
    return Calendar.of(facts, holiday_lists(), known_on=today)


def _marks(stay: Stay, on: date) -> list[str]:
    marks = []
    if stay.counted_from == on:
        marks.append("Reception")
    if facts.moved_in(stay.detail) and london_day(stay.received_at) == on:
        marks.append("Came here")
    if any(london_day(row.starts_at) == on for row in stay.hearings):
        marks.append("Court")
    if stay.transfer is not None and stay.transfer.on == on:
        marks.append("Move")
    if stay.release is not None and stay.release.on == on:
        marks.append("Release")
    if stay.exit is not None and london_day(stay.exit.at) == on:
        marks.append("Left")
    if any(
        row.from_on <= on and (row.to_on is None or on <= row.to_on) for row in stay.unavailable
    ):
        marks.append("Away")
    offered = (stay.answer or {"sessions": []})["sessions"]
    had = [row.done_at for row in stay.deliveries if row.item == GROUP_SESSION]
    if any(london_day(at) == on for at in had) or any(
        each["outcome"] == "group" and london_day(_at(each["starts_at"])) == on for each in offered
    ):
        marks.append("Group")
    return marks


def day_of_custody(stay: Stay, today: date) -> int | None:
    """Which day of the 28 today is, 1 or more; None before day 1 and when there is no timetable."""
    if stay.answer is None:
        return None
    first = date.fromisoformat(stay.answer["day_1"])
    number = (today - first).days + 1
    return number if number >= 1 else None


def risk(ppo: bool | None, heightened_risk: bool | None, day: int | None = None) -> tuple[str, str]:
    """What is known of somebody's priority and risk, in words, and its colour.

    `day` of custody: past the 28 the marker of those days is no longer theirs. None: inside them.
    """
    said = [text for is_so, text in ((ppo, "PPO"), (heightened_risk, "heightened risk")) if is_so]
    if said:
        text = ", ".join(said)
        return text[0].upper() + text[1:], "red" if heightened_risk else "orange"
    if heightened_risk is None:
        return "Risk not asked", "yellow"
    return ("First 28 days" if day is None or heightened(day) else "After day 28"), "grey"


def parties(by: Sequence[str]) -> str:
    return ", ".join(PARTIES[party] for party in by)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def said(row: Fact) -> str:
    """What an entry said, in a few words, for the list of those corrected or struck out."""
    match row:
        case ReceptionDetail():
            text = f"Reception {ui.moment(row.received_at)}, screening {row.screening}"
            return text.replace("_", " ") + came(row)
        case Hearing():
            return f"Hearing {ui.moment(row.starts_at)}"
        case KnownRelease():
            return f"Release {ui.day(row.on)}"
        case Transfer():
            return f"Move {ui.day(row.on)} to {row.receiving_prison}"
        case Exit():
            return f"Exit {ui.moment(row.at)}: {WAYS_OUT[row.how].lower()}"
        case Location():
            return f"Wing {row.says}, from {ui.moment(row.from_at)}"
        case Unavailable():
            return f"Away from groups from {ui.day(row.from_on)}: {PLACES_APART[row.place].lower()}"
        case Delivery():
            what = words.duty(row.item, row.for_on)
            return f"{what}, {ui.moment(row.done_at)}: {DELIVERY_OUTCOMES[row.outcome].lower()}"
        case ReportedElsewhere():
            return f"{reported(row)}, {ui.day(row.on) if row.on else 'no day said'}"
    raise TypeError(type(row).__name__)


def came(detail: ReceptionDetail) -> str:
    """Where they came from and since when, to put behind their reception; empty for a new one."""
    if detail.came_from is None:
        return ""
    since = f"in custody since {ui.day(detail.first_received_on)}"
    if detail.count_unknown:
        since = "not known since when they are in custody"
    return f", from {detail.came_from}, {since}"


def reported(row: ReportedElsewhere) -> str:
    """What is reported from the prison they came from, in a few words."""
    what = words.duty(row.item) + (f": {TOPIC_NAMES[row.topic]}" if row.topic else "")
    return f"{what}: {DELIVERY_OUTCOMES[row.outcome].lower()}"
