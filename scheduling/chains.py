"""How do days 1, 2 and 3 of an induction under model 3 follow one another, and what if one falls out?

Day 1 is a place (slots.py); days 2 and 3 are reviews with a nurse, and a doctor where one is on the
rota and free, each on the next open day. A shut day that somebody is owed is arranged for: RP-10 says
which of the first three, RP-34 how far apart contact may be. Rota, holds and what was kept come in;
links, days to arrange and what is broken go out. Numbers and words: chains.toml.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from dosing.days import ONE_DAY, at_london, days_between, london_day, london_time
from scheduling import slots
from scheduling.prescribing_models import (
    NOT_ARRANGED,
    Finding,
    PrescribingModel,
    day_in_words,
    first_days,
    late_start,
)
from scheduling.prescribing_models import RULES as MODELS
from scheduling.reviews import LONGEST, Gap, gaps_between
from scheduling.slots import Hold, Place, Rota, Session, Taken

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("chains.toml").read_text("utf-8")
)
RULES: Final[Mapping[str, Mapping[str, Any]]] = {rule["id"]: rule for rule in _TABLE["rule"]}

DAYS: Final[int] = MODELS["RP-10"]["days"]
NURSE: Final = timedelta(minutes=RULES["CH-01"]["nurse"])
DOCTOR: Final = timedelta(minutes=RULES["CH-01"]["doctor"])
LOOK_AHEAD: Final = timedelta(days=RULES["CH-02"]["look_ahead"])
KINDS: Final[tuple[str, ...]] = tuple(RULES["CH-03"]["kinds"])
_MODEL: Final = PrescribingModel.MODEL_3


def booked_as_chain(model: PrescribingModel | None) -> bool:
    """Does an induction under this model come with its next days (RP-10)?"""
    return model in MODELS["RP-10"]["model"]


class Review(NamedTuple):
    """Day 2 or 3: a nurse, and a doctor for the beginning of it where there is one (CH-01)."""

    starts_at: datetime
    ends_at: datetime
    nurse_id: int
    doctor_id: int | None = None

    @property
    def until(self) -> datetime:
        return self.ends_at

    @property
    def needs(self) -> Iterator[tuple[str, int | None, int | None, datetime]]:
        """Who it needs: in which part, staff or resource id, and up to when."""
        if self.doctor_id is not None:
            yield "doctor", self.doctor_id, None, min(self.starts_at + DOCTOR, self.ends_at)
        yield "nurse", self.nurse_id, None, self.ends_at


@dataclass(frozen=True)
class Blocked:
    """Why the chain cannot be: which day of it, on which date, and who is taken then."""

    number: int
    on: date
    blocked_by: tuple[str, ...]
    message: str


@dataclass(frozen=True)
class Plan:
    """Days 2 and 3 by number, and what the chain leaves to be seen to.

    `shut_on`: days from day 1 to the last of them on which nobody is seen here. `to_arrange`: days
    for which something must be recorded. `passed_over`: open days on which everybody was taken, with
    who. `broken`: gaps in contact that nothing can mend any more.
    """

    day_1: date
    reviews: Mapping[int, Review]
    shut_on: tuple[date, ...]
    to_arrange: tuple[date, ...]
    passed_over: tuple[Blocked, ...]
    broken: tuple[Gap, ...]

    @property
    def warning(self) -> Finding | None:
        """RP-10 (A16): the start runs into a weekend or a shut day."""
        return late_start(_MODEL, self.day_1, self.shut_on)


# -- reviews -------------------------------------------------------------------------------


def reviews_on(rota: Rota, day: date) -> list[Review]:
    """Every review that could be held on a London date, whoever has the time of it already.

    From the start of each session with a nurse for as long as that nurse is there; with its doctor
    while the session lasts, and without.
    """
    found: set[Review] = set()
    for session in rota.sessions:
        if session.nurse_id is not None and slots.runs_on(rota, session, day):
            found.update(_of_session(rota, session, session.nurse_id, day))
    return sorted(
        (each for each in found if slots.withdrawn(rota, each) is None),
        key=lambda each: (each.starts_at, each.doctor_id is None, each.nurse_id),
    )


def _of_session(rota: Rota, session: Session, nurse_id: int, day: date) -> Iterator[Review]:
    ends = at_london(day, session.ends)
    places = slots.places_of(session, day, slots.observed_on(rota, day))
    goes = max((place.until for place in places), default=ends)
    starts = at_london(day, session.starts)
    while starts + NURSE <= goes:
        yield Review(starts, starts + NURSE, nurse_id)
        if starts + DOCTOR <= ends and slots.prescribes(rota, session.doctor_id, day):
            yield Review(starts, starts + NURSE, nurse_id, session.doctor_id)
        starts += NURSE


class Diary:
    """Which reviews are free on a day, and what each would take away. Each day worked out once.

    `known`: the reviews of days worked out before from the same rota; more are added.
    """

    def __init__(
        self,
        rota: Rota,
        holds: Iterable[Hold],
        *,
        now: datetime,
        busy: Collection[tuple[datetime, datetime]] = (),
        known: dict[date, list[Review]] | None = None,
    ) -> None:
        self.rota, self.now, self.busy = rota, now, busy
        self.taken = Taken(holds)
        self._open: dict[date, list[Review]] = {} if known is None else known
        self._places: dict[date, dict[int, list[tuple[datetime, datetime, int]]]] = {}

    @property
    def today(self) -> date:
        return london_day(self.now)

    def reviews(self, day: date) -> list[Review]:
        """Every review of that day, free or not; none when the service is shut."""
        if day not in self._open:
            self._open[day] = reviews_on(self.rota, day)
        return self._open[day]

    def blockers(self, review: Review) -> list[str]:
        """Who stands in the way of it, in the words of `slots.WORDS`; the patient is `person`."""
        found = self.taken.parts(review)
        if any(start < review.ends_at and review.starts_at < end for start, end in self.busy):
            found.append("person")
        return found

    def free(self, day: date, near: datetime) -> list[Review]:
        """The free reviews of a day, the best first.

        With a doctor before without; then the one that takes the fewest free induction places away,
        and of those the one nearest to the hour of day 1.
        """
        wished = at_london(day, london_time(near).time())
        return sorted(
            (
                each
                for each in self.reviews(day)
                if each.starts_at > self.now and not self.blockers(each)
            ),
            key=lambda each: (
                each.doctor_id is None, self._takes_away(each, day),
                abs(each.starts_at - wished), each.starts_at, each.nurse_id,
            ),
        )  # fmt: skip

    def _takes_away(self, review: Review, day: date) -> int:
        """How many free places of that day need somebody of this review at the same time?"""
        if day not in self._places:
            self._places[day] = self._free_places(day)
        of_staff = self._places[day]
        return len(
            {
                nth
                for _, staff_id, _, until in review.needs
                for starts_at, place_until, nth in of_staff.get(staff_id or 0, ())
                if review.starts_at < place_until and starts_at < until
            }
        )

    def _free_places(self, day: date) -> dict[int, list[tuple[datetime, datetime, int]]]:
        """From when to when each of the staff is needed for a free place, and for which."""
        found: dict[int, list[tuple[datetime, datetime, int]]] = {}
        for nth, place in enumerate(slots.places(self.rota, day, day)):
            if self.taken.at(place):
                continue
            for _, staff_id, _, until in place.needs:
                if staff_id is not None:
                    found.setdefault(staff_id, []).append((place.starts_at, until, nth))
        return found


# -- the plan ------------------------------------------------------------------------------


def plan(
    diary: Diary,
    day_1: datetime,
    *,
    kept: Mapping[int, date] | None = None,
    wished: Mapping[int, Review] | None = None,
    chosen: Mapping[int, Review] | None = None,
    arranged: Collection[date] = (),
    made_on: Collection[date] = (),
    pass_over: bool = False,
    first: int = 2,
) -> Plan | Blocked:
    """Days `first` to 3 of a chain that begins at `day_1`, or which of them cannot be and why.

    `kept`: days that are over, or stay whatever comes. `wished`: where a day is booked now; it stays
    there if that is still the right day. `chosen`: where somebody wants it. `arranged`, `made_on`:
    dates something is arranged for, and of contact made. `pass_over`: a day on which everybody is
    taken may be passed over, as when somebody is already being titrated.
    """
    kept, wished, chosen = kept or {}, wished or {}, chosen or {}
    first_on = previous = london_day(day_1)
    reviews: dict[int, Review] = {}
    links, full = [first_on], list[Blocked]()
    for number in range(2, DAYS + 1):
        if number in kept:
            previous = max(previous, kept[number])
            links.append(kept[number])
            continue
        if number < first:
            continue
        if number in chosen:
            answer = _as_chosen(diary, number, chosen[number], previous)
        else:
            answer = _next(diary, number, previous, wished.get(number), day_1, full, pass_over)
        if isinstance(answer, Blocked):
            return answer
        reviews[number] = answer
        previous = london_day(answer.starts_at)
        links.append(previous)
    shut = tuple(day for day in days_between(first_on, _last(links)) if not diary.reviews(day))
    to_arrange, broken = owed(first_on, links, shut, arranged, made_on, diary.today)
    return Plan(first_on, reviews, shut, to_arrange, tuple(full), broken)


def _last(links: Sequence[date]) -> date:
    """The last day looked at: that of the last link, and the last of the first three days."""
    return max(*links, links[0] + timedelta(days=DAYS - 1))


def _next(
    diary: Diary,
    number: int,
    previous: date,
    wished: Review | None,
    near: datetime,
    full: list[Blocked],
    pass_over: bool,
) -> Review | Blocked:
    first = max(previous + ONE_DAY, diary.today)
    for day in days_between(first, first + LOOK_AHEAD):
        if not any(each.starts_at > diary.now for each in diary.reviews(day)):
            continue
        free = diary.free(day, near)
        if free:
            return wished if wished in free and wished is not None else free[0]
        blocked = _taken(diary, number, day)
        if not pass_over:
            return blocked
        full.append(blocked)
    message = RULES["CH-02"]["none"].format(
        number=number, days=LOOK_AHEAD.days, after=day_in_words(previous)
    )
    return full[0] if full else Blocked(number, first, (), message)


def _taken(diary: Diary, number: int, day: date) -> Blocked:
    """Who is in the way of every review of that day still ahead."""
    who = sorted({
        part
        for each in diary.reviews(day)
        if each.starts_at > diary.now
        for part in diary.blockers(each)
    } - {"doctor"})  # fmt: skip
    return _blocked(number, day, who)


def _blocked(number: int, on: date, who: Sequence[str]) -> Blocked:
    said = ", ".join(slots.WORDS.get(each, each) for each in who)
    message = RULES["CH-02"]["taken"].format(number=number, on=day_in_words(on), who=said)
    return Blocked(number, on, tuple(who), message)


def _as_chosen(diary: Diary, number: int, wanted: Review, previous: date) -> Review | Blocked:
    on = london_day(wanted.starts_at)
    if on <= previous:
        message = RULES["CH-02"]["order"].format(
            number=number, before=number - 1, on=day_in_words(previous)
        )
        return Blocked(number, on, (), message)
    known = wanted in diary.reviews(on) and wanted.starts_at > diary.now
    who = diary.blockers(wanted) if known else ["nurse"]
    return _blocked(number, on, who) if who else wanted


def owed(
    day_1: date,
    links: Collection[date],
    shut_on: Collection[date],
    arranged: Collection[date],
    made_on: Collection[date],
    today: date,
) -> tuple[tuple[date, ...], tuple[Gap, ...]]:
    """Which days must something be arranged for, and where is contact broken for good?

    Each shut day among the first three (RP-10), and as many more as keep contact within the rule
    from day 1 to the last link (RP-34, A25). Both only from today on; what is past stays broken.
    """
    asked = {
        each.on
        for each in first_days(_MODEL, day_1, links, arranged, shut_on, today)
        if each.state == NOT_ARRANGED and each.on >= today
    }
    last = max(links)
    known = {day for day in {*links, *arranged, *made_on, day_1} if day_1 <= day <= last} | asked
    broken: list[Gap] = []
    while gaps := [each for each in gaps_between(known) if each not in broken]:
        gap = gaps[0]
        by = max(gap.after + LONGEST, today)
        if gap.before is not None and by < gap.before:
            asked.add(by)
            known.add(by)
        else:
            broken.append(gap)
    return tuple(sorted(asked)), tuple(broken)


# -- offers --------------------------------------------------------------------------------


def whole_chains(
    diary: Diary, places: Iterable[Place], how_many: int, *, arranged_too: bool = True
) -> list[tuple[Place, Plan]]:
    """The first of these free places whose next two days are free as well.

    `arranged_too` False: only those for which nothing need be arranged.
    """
    found: list[tuple[Place, Plan]] = []
    for place in places:
        made = plan(diary, place.starts_at)
        if isinstance(made, Plan) and (arranged_too or not made.to_arrange):
            found.append((place, made))
            if len(found) == how_many:
                break
    return found


def must_be_arranged(made: Plan) -> str:
    """What is said when a start needs something arranged that nobody recorded."""
    text: str = RULES["CH-03"]["missing"].format(
        days=DAYS, day_1=day_in_words(made.day_1),
        on=" and ".join(day_in_words(day) for day in made.to_arrange),
    )  # fmt: skip
    return text


def no_longer_needed(on: date, contact: str) -> str:
    """What is said of an arrangement that a new plan no longer needs."""
    text: str = RULES["CH-03"]["no_longer"].format(on=day_in_words(on), contact=contact)
    return text


def in_words(gap: Gap) -> str:
    """A gap in contact, as staff are told of it."""
    before = "" if gap.before is None else day_in_words(gap.before)
    text: str = RULES["CH-03"]["breach"].format(
        after=day_in_words(gap.after), before=before, days=gap.days, longest=LONGEST.days
    )
    return text
