"""The pages of what lies ahead: the weeks of the wait list, and a year of each model."""

from __future__ import annotations

from collections import Counter

from flask import Blueprint, render_template
from werkzeug.wrappers import Response
from wtforms import IntegerField

from clinic.answers import carried_out
from clinic.auth import act, needs
from clinic.forecasts import presenters, queries
from clinic.forms import Form
from scheduling.simulation import MODELS, YEAR, Year

forecast_pages = Blueprint("forecast_pages", __name__, url_prefix="/forecast")

Page = str | Response | tuple[str, int]


class YearForm(Form):
    """So many places a week under each model."""

    model_1 = IntegerField("Model 1: places a week at the local specialist")
    model_2 = IntegerField("Model 2: fast-track places a week, on three days")
    model_3 = IntegerField("Model 3: places a week, on five days")


@forecast_pages.get("")
@needs("appointments.read")
def outlook() -> Page:
    """Who will breach, how likely, and the smallest change of the rota that prevents it."""
    found = queries.outlook(act())
    return render_template(
        "forecasts/outlook.jinja", found=found, extra=Counter(found.change or ()),
        rates=presenters.rates_in_words(found.rates),
        chance=presenters.chance_in_words, may_set=act().may("appointments.rota"),
    )  # fmt: skip


@forecast_pages.route("/year", methods=["GET", "POST"])
@needs("appointments.read")
def year() -> Page:
    """A year under models 1, 2 and 3 from the service's own referrals."""
    work = act()
    arrivals = queries.arrivals_of(work)
    usual = max(1, round(arrivals.a_week * YEAR["places_for_each"]))
    form = YearForm(**{f"model_{each}": usual for each in MODELS})
    found: list[Year] = []

    def work_it_out() -> None:
        a_week = {each: form[f"model_{each}"].data or 0 for each in MODELS}
        found.extend(queries.years(work, a_week))

    carried_out(form, work_it_out)
    page = render_template(
        "forecasts/year.jinja", form=form, arrivals=arrivals, years=presenters.years(found),
        models=MODELS, rates=presenters.rates_in_words(queries.rates_of(work)),
        fates=presenters.FATES, weekdays=presenters.weekdays_in_words,
    )  # fmt: skip
    return page, form.status
