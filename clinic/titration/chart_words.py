"""What does the chart say, to somebody who does not see it? Sentences, and a row for each day."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from clinic import ui
from clinic.assessments.scales import SCALES
from clinic.titration.charts import ATTENDANCE, Chart, ChartDay
from clinic.titration.models import DECISIONS
from dosing.carry_over import FAST_HOURS, PARAMETERS, SLOW_HOURS
from dosing.check import rulebook


def summary(chart: Chart) -> list[str]:
    """The picture in a few sentences, in the order of its panels."""
    return [*_doses(chart), *_scores(chart), _attendance(chart), *_carry(chart)]


def _doses(chart: Chart) -> Iterator[str]:
    taken = [day for day in chart.days if day.consumed_mg]
    if not taken:
        yield "No dose was swallowed in these days."
        return
    first, last = taken[0], taken[-1]
    highest = max(taken, key=lambda day: day.consumed_mg or 0)
    yield (
        f"Swallowed first in these days: {ui.mg(first.consumed_mg)} on {ui.day(first.on)}; "
        f"most: {ui.mg(highest.consumed_mg)} on {ui.day(highest.on)}; "
        f"last: {ui.mg(last.consumed_mg)} on {ui.day(last.on)}."
    )
    over = [day for day in taken if day.limit and (day.consumed_mg or 0) > day.limit.to_mg]
    limited = [day for day in taken if day.limit]
    if over:
        days = "; ".join(f"{ui.day(day.on)} (rule {day.limit.rule})" for day in over if day.limit)
        yield f"Above the rules' limit on {days}."
    elif limited:
        yield "On every day with a limit drawn, what was swallowed stayed within it."


def _scores(chart: Chart) -> Iterator[str]:
    if not chart.scales:
        yield "Withdrawal was not scored in these days."
    for scale in chart.scales:
        scores = [each for day in chart.days for each in day.scores.get(scale, ())]
        (first_at, first), (last_at, last) = scores[0], scores[-1]
        yield (
            f"{SCALES[scale]}: {first} on {ui.moment(first_at)}, {last} on {ui.moment(last_at)}; "
            f"lowest {min(score for _, score in scores)}, highest {max(score for _, score in scores)}."
        )


def _attendance(chart: Chart) -> str:
    counted = [
        f"{words.lower()} on {number} {'day' if number == 1 else 'days'}"
        for letter, words in ATTENDANCE.items()
        if (number := sum(1 for day in chart.days if day.attendance == letter))
    ]
    return f"Attendance: {', '.join(counted)}." if counted else "No dose was due in these days."


def _carry(chart: Chart) -> Iterator[str]:
    if chart.hidden is not None:
        yield f"Earlier doses still present: not drawn, because {chart.hidden}."
        return
    if chart.carry:
        now = chart.carry[-1]
        yield (
            f"Earlier doses still present now: {mg_about(now.fast_mg)} if half is gone in "
            f"{FAST_HOURS} hours, {mg_about(now.slow_mg)} if in {SLOW_HOURS} hours."
        )


def mg_about(amount: Decimal) -> str:
    """To a tenth of a mg, with the unit."""
    return ui.mg(to_a_tenth(amount))


def to_a_tenth(amount: Decimal) -> Decimal:
    """To a tenth of a mg: a picture, not a measurement."""
    return amount.quantize(Decimal("0.1"), rounding=ROUND_HALF_EVEN)


def carry_source() -> str:
    """Where the half-lives come from."""
    each = PARAMETERS["CO-01"]
    title = rulebook().sources[each["source"]].title
    return f"{title}, {each['where']} [{each['confidence']}]"


def day_rows(chart: Chart) -> list[dict[str, Any]]:
    """The data table, newest day first, back to the first day of which anything is on record."""
    known = [place for place, day in enumerate(chart.days) if _anything(day)]
    return [_row(day) for day in reversed(chart.days[min(known, default=0) :])]


def _anything(day: ChartDay) -> bool:
    return bool(
        day.day or day.prescribed_mg or day.consumed_mg or day.attendance or day.scores
        or day.reviews or day.decided
    )  # fmt: skip


def _row(day: ChartDay) -> dict[str, Any]:
    scores = [
        f"{SCALES[scale]} {score} at {ui.clock_time(at)}"
        for scale, found in day.scores.items()
        for at, score in found
    ]
    marks = [f"Review: {DECISIONS[row.decision].lower()}" for row in day.reviews]
    marks += [f"Decision {row.id}" for row in day.decided]
    carried = "not drawn"
    if day.before is not None:
        carried = f"{mg_about(day.before.fast_mg)} to {mg_about(day.before.slow_mg)}"
    return {
        "on": day.on, "day": day.day, "prescribed": day.prescribed_mg,
        "consumed": "not recorded" if day.consumed_mg is None else ui.mg(day.consumed_mg),
        "attendance": ATTENDANCE[day.attendance] if day.attendance else "none due",
        "limit": f"{ui.mg(day.limit.to_mg)} ({day.limit.rule})" if day.limit else "none drawn",
        "scores": "; ".join(scores) or "not scored", "marks": "; ".join(marks) or "none",
        "carried": carried,
    }  # fmt: skip
