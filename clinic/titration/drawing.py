"""Where does each mark of the chart stand? Days and values -> coordinates of one drawing.

Four panels over one time axis: dose, withdrawal (a panel for each scale, never two in one), the
day's attendance with its reviews and decisions, and the carry-over. Coordinates are tenths of a
unit as text, so that the template only places them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from clinic.assessments.scales import SCALES
from clinic.titration.charts import Chart, ChartDay
from dosing.days import at_london
from dosing.request import SCALE_TOPS

WIDTH, LEFT, RIGHT = Decimal(360), Decimal(34), Decimal(350)
PANEL, GAP = Decimal(96), Decimal(26)
STRIP = Decimal(50)
HEADROOM = Decimal("1.1")
DECISION_LETTERS = {
    "start": "S", "raise": "+", "hold": "=", "lower": "-", "withhold": "W", "stop": "X",
}  # fmt: skip
_NICE = (10, 20, 30, 40, 50, 60, 80, 100, 120, 160, 200, 300, 400, 600)


@dataclass(frozen=True)
class Axis:
    """One panel: where it stands and its scale. `ticks`: (y, words)."""

    title: str
    top: Decimal
    most: Decimal
    ticks: Sequence[tuple[str, str]]
    label: str = ""

    @property
    def foot(self) -> Decimal:
        return self.top + PANEL

    def y(self, value: Decimal | int) -> Decimal:
        return self.foot - min(Decimal(value), self.most) / self.most * PANEL


@dataclass
class Drawing:
    """Everything the template places. Shapes are dicts of text coordinates."""

    width: str
    height: str
    left: str
    right: str
    days: list[dict[str, Any]] = field(default_factory=list)
    panels: list[Axis] = field(default_factory=list)
    bars: list[dict[str, str]] = field(default_factory=list)
    limits: list[dict[str, str]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    strip: list[dict[str, Any]] = field(default_factory=list)
    strip_top: str = "0"
    band: str | None = None
    bottom: str = "0"


def n(value: Decimal) -> str:
    """A coordinate, to a tenth."""
    return f"{value.quantize(Decimal('0.1')):f}"


def draw(chart: Chart) -> Drawing:
    """Place the whole chart."""
    step = (RIGHT - LEFT) / len(chart.days)
    top = Decimal(18)
    drawing = Drawing(n(WIDTH), "0", n(LEFT), n(RIGHT))
    dose = _axis("Dose, mg a day", top, _most_mg(chart.days), "mg")
    drawing.panels.append(dose)
    for place, day in enumerate(chart.days):
        _dose_marks(drawing, dose, day, LEFT + place * step, step)
    top = dose.foot + GAP
    for scale in chart.scales:
        axis = _axis(f"Withdrawal, {SCALES[scale]}", top, Decimal(SCALE_TOPS[scale]), "")
        drawing.panels.append(axis)
        drawing.lines.append(_line(chart, scale, axis, step))
        top = axis.foot + GAP
    drawing.strip_top = n(top)
    drawing.strip = [
        _strip_day(day, LEFT + place * step + step / 2, top)
        for place, day in enumerate(chart.days)
    ]  # fmt: skip
    top += STRIP
    if chart.carry:
        most = _nice(max(each.slow_mg for each in chart.carry))
        axis = _axis("Earlier doses still present, mg", top + GAP - 6, most, "mg")
        drawing.panels.append(axis)
        drawing.band = _band(chart, axis)
        top = axis.foot
    drawing.bottom = n(top)
    drawing.days = [
        {
            "x": n(LEFT + place * step), "middle": n(LEFT + place * step + step / 2),
            "words": f"{day.on.day} {day.on:%b}", "shown": _labelled(place, len(chart.days)),
            "weekend": day.on.isoweekday() > 5, "width": n(step),
        }
        for place, day in enumerate(chart.days)
    ]  # fmt: skip
    drawing.height = n(top + 22)
    return drawing


def _labelled(place: int, days: int) -> bool:
    every = 7 if days > 14 else 3
    return (days - 1 - place) % every == 0


def _axis(title: str, top: Decimal, most: Decimal, label: str) -> Axis:
    plain = Axis(title, top, most, (), label)
    ticks = [
        (n(plain.y(most * part / 2)), f"{(most * part / 2).normalize():f}") for part in range(3)
    ]
    return Axis(title, top, most, ticks, label)


def _most_mg(days: Sequence[ChartDay]) -> Decimal:
    values = [each for day in days for each in (day.prescribed_mg, day.consumed_mg) if each]
    values += [day.limit.to_mg for day in days if day.limit]
    return _nice(max(values, default=Decimal(10)) * HEADROOM)


def _nice(value: Decimal) -> Decimal:
    return Decimal(next((each for each in _NICE if each >= value), int(value) + 1))


def _dose_marks(drawing: Drawing, axis: Axis, day: ChartDay, x: Decimal, step: Decimal) -> None:
    if day.limit is not None:
        high, low = axis.y(day.limit.to_mg), axis.y(day.limit.from_mg)
        drawing.limits.append(
            {"x": n(x), "y": n(high), "width": n(step), "height": n(max(low - high, Decimal(1)))}
        )
    for kind, amount, share in (
        ("prescribed", day.prescribed_mg, Decimal("0.8")),
        ("consumed", day.consumed_mg, Decimal("0.44")),
    ):
        if amount:
            width = step * share
            drawing.bars.append(
                {
                    "kind": kind, "x": n(x + (step - width) / 2), "y": n(axis.y(amount)),
                    "width": n(width), "height": n(axis.foot - axis.y(amount)),
                }
            )  # fmt: skip


def _line(chart: Chart, scale: str, axis: Axis, step: Decimal) -> dict[str, Any]:
    points = []
    for place, day in enumerate(chart.days):
        start = at_london(day.on, time(0))
        for at, score in day.scores.get(scale, ()):
            x = LEFT + (place + _share_of_day(at, start)) * step
            points.append({"x": n(x), "y": n(axis.y(score)), "score": str(score)})
    return {
        "scale": scale,
        "points": points,
        "path": " ".join(f"{p['x']},{p['y']}" for p in points),
    }


def _share_of_day(at: datetime, start: datetime) -> Decimal:
    return Decimal(int((at - start).total_seconds())) / Decimal(
        int(timedelta(days=1).total_seconds())
    )


def _strip_day(day: ChartDay, x: Decimal, top: Decimal) -> dict[str, Any]:
    reviews = "".join(dict.fromkeys(DECISION_LETTERS[row.decision] for row in day.reviews))
    return {
        "x": n(x), "attendance": day.attendance, "y_attendance": n(top + 14),
        "review": reviews[-2:], "y_review": n(top + 30),
        "decided": bool(day.decided), "y_decided": n(top + 46),
    }  # fmt: skip


def _band(chart: Chart, axis: Axis) -> str:
    start = at_london(chart.first_on, time(0))
    end = at_london(chart.last_on + timedelta(days=1), time(0))
    whole = Decimal(int((end - start).total_seconds()))

    def x(at: datetime) -> Decimal:
        return LEFT + Decimal(int((at - start).total_seconds())) / whole * (RIGHT - LEFT)

    upper = [f"{n(x(each.at))},{n(axis.y(each.slow_mg))}" for each in chart.carry]
    lower = [f"{n(x(each.at))},{n(axis.y(each.fast_mg))}" for each in reversed(chart.carry)]
    return " ".join([*upper, *lower])
