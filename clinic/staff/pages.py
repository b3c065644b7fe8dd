"""Sign in and out, and look after staff: accounts, roles, levels, competences, posts, tokens."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from clinic.auth import act, for_signed_in, open_to_all
from clinic.errors import Invalid, TooMany
from clinic.staff import commands, queries
from clinic.staff.forms import SignInForm, SiteChoiceForm

staff_pages = Blueprint("staff_pages", __name__)

Page = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]


def _go_on() -> Response:
    """To the page that asked for the sign-in, if it is one of ours; else to the first page."""
    then = session.pop("then", None) or ""
    local = then.startswith("/") and not then.startswith("//") and "\\" not in then
    return redirect(then if local else url_for("home"))


@staff_pages.route("/sign-in", methods=["GET", "POST"])
@open_to_all
def sign_in() -> Page:
    """One form for everybody; a wrong address and a wrong password look the same."""
    if g.get("staff") is not None and request.method == "GET":
        return _go_on()
    form = SignInForm()
    status, headers = 200, {}
    if form.validate_on_submit():
        try:
            token = commands.sign_in(
                act(), form.email.data or "", form.password.data or "", request.remote_addr or ""
            )
        except TooMany as trouble:
            form.refuse(trouble.detail)
            status, headers = trouble.status, {"Retry-After": str(trouble.retry_after_seconds)}
        except Invalid as trouble:
            form.refuse(trouble.detail, trouble.faults)
            status = trouble.status
        else:
            then = session.get("then")
            session.clear()  # nothing of a stranger's session lives on in the signed-in one
            session["token"] = token
            if then:
                session["then"] = then
            if len(queries.sites_to_work_at(act())) > 1:
                return redirect(url_for("staff_pages.choose_site"))
            return _go_on()
    elif form.is_submitted():
        status = 422
    return render_template("staff/sign_in.jinja", form=form), status, headers


@staff_pages.post("/sign-out")
@for_signed_in
def sign_out() -> Response:
    """End the sign-in here and at the service."""
    commands.sign_out(act(), session["token"])
    session.clear()
    flash("You are signed out.")
    return redirect(url_for("staff_pages.sign_in"))


@staff_pages.route("/choose-site", methods=["GET", "POST"])
@for_signed_in
def choose_site() -> Page:
    """The sites where the member of staff holds a role today."""
    form = SiteChoiceForm(site_id=g.staff.site_id)
    form.site_id.choices = [(site.id, site.name) for site in queries.sites_to_work_at(act())]
    if form.validate_on_submit():
        commands.work_at(act(), session["token"], form.site_id.data)
        return _go_on()
    return render_template("staff/choose_site.jinja", form=form), 422 if form.errors else 200
