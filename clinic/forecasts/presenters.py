"""How chances, rates and years are said and drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scheduling.forecast import Rate, Rates
from scheduling.prescribing_models import days_in_words, wait_limit
from scheduling.simulation import Year

RATES: Final = {
    "did_not_attend": "Booked visits at which nobody came",
    "cancelled_late": "Visits cancelled on the day or the day before",
    "refilled": "Such places given to somebody else in time",
    "session_lost": "Sessions lost to days off and leave",
}
FATES: Final = {
    "used": "Used",
    "did_not_attend": "Lost: did not attend",
    "cancelled_late": "Lost: cancelled late",
    "session_lost": "Lost: session not held",
    "holiday": "Lost: bank holiday",
    "empty": "Nobody was waiting",
}
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MOST_BARS: Final = 22


def chance_in_words(chance: float | None) -> str:
    """In steps of five in a hundred: the dice are no finer."""
    if chance is None:
        return "no limit to judge by"
    if chance < 0.05:
        return "under 5 in 100"
    if chance > 0.95:
        return "over 95 in 100"
    return f"about {round(chance * 20) * 5} in 100"


@dataclass(frozen=True)
class Evidence:
    """One rate, in words, and where it comes from."""

    what: str
    share: str
    source: str


def rates_in_words(rates: Rates) -> list[Evidence]:
    return [
        Evidence(
            RATES[each.name],
            f"{each.value:.0%}",
            f"from {each.cases} of our own"
            if each.own
            else f"assumed: {each.cases} of our own {'is' if each.cases == 1 else 'are'} too few",
        )
        for each in _each(rates)
    ]


def _each(rates: Rates) -> Iterable[Rate]:
    return rates.did_not_attend, rates.cancelled_late, rates.refilled, rates.session_lost


def weekdays_in_words(places: Mapping[int, int]) -> str:
    """Mon 3, Wed 3, Fri 2."""
    return ", ".join(f"{_WEEKDAYS[day - 1]} {many}" for day, many in places.items() if many)


@dataclass(frozen=True)
class Bar:
    """People who waited so many days. `share`: of the tallest bar. `late`: over the limit."""

    says: str
    label: str
    people: float
    share: float
    late: bool


@dataclass(frozen=True)
class YearView:
    """A year as the page shows it."""

    year: Year
    model: int
    mean: str
    half: str
    nine_of_ten: str
    over: str
    bars: Sequence[Bar]

    @property
    def lost(self) -> float:
        return sum(many for fate, many in self.year.places.items() if fate not in ("used", "empty"))


def years(found: Sequence[Year]) -> list[YearView]:
    return [
        YearView(
            each,
            each.access.model.value,
            "nobody was seen" if each.mean_wait is None else f"{each.mean_wait:.1f} days",
            _days(each.half_within),
            _days(each.nine_of_ten_within),
            "no limit" if each.over_limit is None else f"{each.over_limit:.0%}",
            _bars(each),
        )
        for each in found
    ]


def _days(number: int | None) -> str:
    return "not known" if number is None else days_in_words(number)


def _bars(year: Year) -> list[Bar]:
    """One bar a day; everything beyond three weeks in the last."""
    limit = wait_limit(year.access.model)
    people = [year.waits.get(day, 0.0) for day in range(_MOST_BARS - 1)]
    people.append(sum(many for day, many in year.waits.items() if day >= _MOST_BARS - 1))
    tallest = max(people) or 1.0
    return [
        Bar(
            f"{days_in_words(day)}{' or more' if day == _MOST_BARS - 1 else ''}",
            f"{day}+" if day == _MOST_BARS - 1 else str(day),
            many, many / tallest, limit is not None and day > limit,
        )
        for day, many in enumerate(people)
    ]  # fmt: skip
