"""What the pages of releases share: the way back, the version that was read, a page that is one form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from clinic.auth import act
from clinic.errors import Invalid, Stale
from clinic.forms import Form
from clinic.patients.models import Patient
from clinic.patients.queries import banner
from clinic.release.forms import SureForm
from clinic.release.models import ReleasePlan

Page = str | Response | tuple[str, int]


def to_plan(plan_id: int) -> str:
    return url_for("release_pages.plan", plan_id=plan_id)


def saved(says: str, plan_id: int) -> Response:
    flash(says)
    return redirect(to_plan(plan_id))


def at_version(form: Form, plan: ReleasePlan) -> Form:
    form["version"].data = plan.version
    return form


def carried_out(form: Form, plan: ReleasePlan, work: Callable[[], object]) -> bool:
    """Was it sent and done? Somebody who saved first is named, and the next try is on their version."""
    if not form.is_submitted():
        at_version(form, plan)
        return False
    try:
        return form.carried_out(work)
    except Stale as stale:
        form.refuse(f"{stale.detail} Nothing of yours was saved. Check the plan, then send again.")
        form["version"].data, form["version"].raw_data = stale.more["version"], None
        return False


def by_button(plan: ReleasePlan, work: Callable[[int], object], says: str) -> Page:
    """A button on a page of its own plan: a refusal is answered as an error, there is no form."""
    form = SureForm()
    if not form.validate_on_submit():
        raise Invalid("The page was open too long. Open the plan again.")
    work(form["version"].data)
    return saved(says, plan.id)


def one_form(
    form: Form, title: str, cancel: str, patient: Patient | None = None, **more: Any
) -> Page:
    page = render_template(
        "one_form.jinja", form=form, title=title, cancel=cancel,
        banner=banner(act(), patient) if patient is not None else None, **more,
    )  # fmt: skip
    return page, form.status
