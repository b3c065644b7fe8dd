"""What pages ask when the days of an induction fall on days the service is shut (RP-10, RP-34)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from flask import render_template, request
from werkzeug.wrappers import Response

from clinic.appointments.forms import ArrangeFields, days_asked
from clinic.auth import act
from clinic.errors import Conflict
from clinic.patients.access import open_record
from clinic.patients.queries import banner
from scheduling.prescribing_models import day_in_words

Page = str | Response | tuple[str, int]
TITLE = "What is arranged while the service is shut?"


def arranging(
    form: Any, work: Callable[..., object], *, patient_id: int, day_1: datetime, back: str,
    button: str = "Book the visit",
) -> Page | None:  # fmt: skip
    """Carry `work` out, or ask first about the shut days it leaves. None: it is done.

    `work` takes `arrangements`; what else refuses it is raised.
    """
    try:
        work(arrangements=())
    except Conflict as refused:
        if refused.more.get("reason") != "to_arrange":
            raise
        shut = [date.fromisoformat(each) for each in refused.more["to_arrange"]]
        given = form.arranged(shut)
        if given:
            work(arrangements=given)
            return None
        days = [datetime.fromisoformat(each["starts_at"]) for each in refused.more["days"]]
        simpler = [datetime.fromisoformat(each["starts_at"]) for each in refused.more["free_next"]]
        return ask(
            form, patient_id=patient_id, shut=shut, days=[day_1, *days], says=refused.detail,
            source="Rules RP-10 and RP-34", simpler=simpler[0] if simpler else None, back=back,
            button=button,
        )  # fmt: skip
    return None


def ask(
    form: Any,
    *,
    patient_id: int,
    shut: Sequence[date],
    days: Sequence[datetime],
    says: str,
    source: str,
    simpler: datetime | None,
    **more: Any,
) -> Page:
    """The questions about shut days; what was answered is kept, what was left out is said."""
    if any(name in request.form for name in ArrangeFields.ARRANGED[1:]):
        form.ask_arranged(shut)
    patient = open_record(act(), patient_id, "appointments.offered", right="appointments.read")
    page = render_template(
        "appointments/arrange.jinja", form=form, title=TITLE, says=says, source=source, days=days,
        hidden=[each for each in form.as_sent() if not each[0].startswith("arranged_")],
        to_arrange=[day_in_words(day) for day in shut], asked=days_asked(shut), simpler=simpler,
        banner=banner(act(), patient), **more,
    )  # fmt: skip
    return page, form.status
