"""Set up sites: details, prescribing model, rules, features, closures, posts, bank holidays."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from clinic import ui
from clinic.appointments.hours_pages import withdrawn
from clinic.appointments.rota_queries import ROTA_WEEKS, against_models
from clinic.auth import act, needs
from clinic.errors import Stale
from clinic.forms import CHOOSE, Form
from clinic.sites import commands, queries
from clinic.sites.forms import (
    CalendarForm,
    ClosureForm,
    FeatureForm,
    ModelForm,
    PostForm,
    RuleSetForm,
    SiteEditForm,
    SiteForm,
    SureForm,
)
from clinic.sites.models import CALENDAR_CHANGES, FEATURES, KINDS, NATIONS, RULE_SETS, Site
from clinic.staff import commands as staff_commands
from clinic.staff.models import POSTS

sites_pages = Blueprint("sites_pages", __name__, url_prefix="/sites")
ui.nav("Sites", "sites_pages.listed", "sites.manage")

Page = str | Response | tuple[str, int]


def _one_form(form: Form, title: str, site_id: int | None, **more: object) -> Page:
    cancel = (
        url_for("sites_pages.listed")
        if site_id is None
        else url_for("sites_pages.shown", site_id=site_id)
    )
    page = render_template("one_form.jinja", form=form, title=title, **{"cancel": cancel, **more})
    return page, form.status


def _saved(says: str, site_id: int) -> Response:
    flash(says)
    return redirect(url_for("sites_pages.shown", site_id=site_id))


def _site(site_id: int) -> Site:
    return commands.managed_site(act(), site_id)


@sites_pages.get("")
@needs("sites.manage")
def listed() -> Page:
    """The sites somebody may set up."""
    sites = queries.sites_to_manage(act())
    return render_template(
        "sites/list.jinja", sites=sites, kinds=KINDS, nations=NATIONS, today=act().today
    )


@sites_pages.get("/<int:site_id>")
@needs("sites.manage")
def shown(site_id: int) -> Page:
    """Everything that holds, held or will hold at a site."""
    work = act()
    site = _site(site_id)
    return render_template(
        "sites/site.jinja", site=site, posts=queries.posts_at(work, site_id),
        changes=queries.changes_of(work, site_id), kinds=KINDS, nations=NATIONS, today=work.today,
        rule_sets=RULE_SETS, features=FEATURES, models=commands.MODELS, post_names=POSTS,
        set_by=queries.set_by(work, [row.recorded_by for row in site.models]),
    )  # fmt: skip


@sites_pages.route("/add", methods=["GET", "POST"])
@needs("staff.manage")
def add() -> Page:
    """A new service or prison."""
    form = SiteForm()
    made: list[int] = []
    if form.carried_out(lambda: made.append(commands.add_site(act(), **form.answers()))):
        return _saved("The site is added. Give its staff their roles next.", made[0])
    return _one_form(form, "Add a site", None)


@sites_pages.route("/<int:site_id>/edit", methods=["GET", "POST"])
@needs("sites.manage")
def edit(site_id: int) -> Page:
    """Correct a site's details. Somebody else's change meanwhile is shown, and nothing typed is lost."""
    site = _site(site_id)
    form = SiteEditForm(obj=site)
    stale: Stale | None = None
    try:
        if form.carried_out(lambda: commands.edit_site(act(), site_id, **form.answers())):
            return _saved("The site's details are saved.", site_id)
    except Stale as trouble:
        stale = trouble
        site = _site(site_id)
        form.version.raw_data, form.version.data = None, site.version
    page = render_template(
        "sites/edit.jinja", form=form, site=site, stale=stale,
        stale_at=stale and datetime.fromisoformat(stale.more["changed_at"]),
    )  # fmt: skip
    return page, stale.status if stale else form.status


@sites_pages.route("/<int:site_id>/model", methods=["GET", "POST"])
@needs("sites.manage")
def model(site_id: int) -> Page:
    """Set the rapid prescribing model from a day on."""
    site = _site(site_id)
    form = ModelForm(model=site.model_on(act().today))
    if form.carried_out(lambda: commands.set_model(act(), site_id, **form.answers())):
        return _saved("The prescribing model is saved.", site_id)
    lacking = commands.lacks_for_model_3(site, form.from_on.data or act().today)
    page = render_template(
        "sites/model.jinja", form=form, title=f"Prescribing model of {site.name}", site=site,
        lead="Waits, slots and reviews are checked against the limits of the model.",
        cancel=url_for("sites_pages.shown", site_id=site_id), models=commands.MODELS,
        checks=against_models(act(), site_id) if site.kind == "community" else [],
        lacking=[FEATURES[each] for each in lacking], weeks=ROTA_WEEKS,
    )  # fmt: skip
    return page, form.status


@sites_pages.route("/<int:site_id>/rule-set", methods=["GET", "POST"])
@needs("sites.manage")
def rule_set(site_id: int) -> Page:
    """Choose the rules doses are checked against, once the answers are checked."""
    site = _site(site_id)
    form = RuleSetForm(rule_set=site.rule_set_on(act().today))
    if form.validate_on_submit() and not form.changing and not form.confirmed:
        answers = [
            ("Site", site.name),
            ("Doses are checked against", RULE_SETS[form.rule_set.data]),
            ("From", ui.day(form.from_on.data or act().today)),
        ]
        return render_template("sites/check_rule_set.jinja", form=form, answers=answers)
    if form.confirmed and form.carried_out(
        lambda: commands.choose_rule_set(act(), site_id, **form.answers())
    ):
        return _saved("The rule set is saved.", site_id)
    return _one_form(form, f"Dose rules of {site.name}", site_id, button="Continue")


@sites_pages.route("/<int:site_id>/features", methods=["GET", "POST"])
@needs("sites.manage")
def feature(site_id: int) -> Page:
    """Record something the site has."""
    site = _site(site_id)
    form = FeatureForm()
    if form.carried_out(lambda: commands.add_feature(act(), site_id, **form.answers())):
        return _saved("The feature is recorded.", site_id)
    return _one_form(form, f"What {site.name} has", site_id)


@sites_pages.route("/<int:site_id>/features/<name>/end", methods=["GET", "POST"])
@needs("sites.manage")
def end_feature(site_id: int, name: str) -> Page:
    """Say that the site no longer has something."""
    site = _site(site_id)
    form = SureForm()
    if form.carried_out(lambda: commands.end_feature(act(), site_id, name)):
        return _saved("The feature ended yesterday.", site_id)
    title = f"End: {FEATURES.get(name, name).lower()} at {site.name}"
    return _one_form(form, title, site_id, button="End it", warning=True)


@sites_pages.route("/<int:site_id>/closures", methods=["GET", "POST"])
@needs("sites.manage")
def closure(site_id: int) -> Page:
    """Record a day the site is shut."""
    site = _site(site_id)
    form, title = ClosureForm(), f"A day {site.name} is shut"
    if site_id == act().site_id and act().may("appointments.rota"):
        answer = withdrawn(
            form, lambda: commands.close_site(act(), site_id, **form.answers()),
            "The closure is recorded.", url_for("sites_pages.shown", site_id=site_id), title,
        )  # fmt: skip
        if answer is not None:
            return answer
    elif form.carried_out(lambda: commands.close_site(act(), site_id, **form.answers())):
        return _saved("The closure is recorded.", site_id)
    return _one_form(form, title, site_id)


@sites_pages.post("/<int:site_id>/closures/<int:closure_id>/withdraw")
@needs("sites.manage")
def withdraw_closure(site_id: int, closure_id: int) -> Page:
    """The site is open that day after all."""
    commands.withdraw_closure(act(), closure_id)
    return _saved("The closure is withdrawn.", site_id)


@sites_pages.route("/<int:site_id>/posts", methods=["GET", "POST"])
@needs("sites.manage")
def post(site_id: int) -> Page:
    """Name who holds a post."""
    site = _site(site_id)
    form = PostForm()
    here = queries.staff_at(act(), site_id)
    form.staff_id.choices = [CHOOSE, *(SelectChoice(each.id, each.name) for each in here)]
    if form.carried_out(lambda: staff_commands.give_post(act(), site_id, **form.answers())):
        return _saved("The post is recorded.", site_id)
    return _one_form(form, f"Who holds a post at {site.name}", site_id)


@sites_pages.post("/<int:site_id>/posts/<name>/end")
@needs("sites.manage")
def end_post(site_id: int, name: str) -> Page:
    """Nobody holds the post from today."""
    staff_commands.end_post(act(), site_id, name)
    return _saved("The post is empty from today.", site_id)


@sites_pages.get("/calendar")
@needs("sites.manage")
def calendar() -> Page:
    """Bank holidays announced late, for every site of a nation."""
    return render_template(
        "sites/calendar.jinja", changes=queries.calendar_changes(act()), nations=NATIONS,
        words=CALENDAR_CHANGES,
    )  # fmt: skip


@sites_pages.route("/calendar/add", methods=["GET", "POST"])
@needs("staff.manage")
def change_calendar() -> Page:
    """Add or remove a bank holiday."""
    form = CalendarForm()
    if form.carried_out(lambda: commands.change_calendar(act(), **form.answers())):
        flash("The change counts from now on.")
        return redirect(url_for("sites_pages.calendar"))
    return _one_form(
        form, "A bank holiday announced late", None, cancel=url_for("sites_pages.calendar")
    )


@sites_pages.post("/calendar/<int:change_id>/withdraw")
@needs("staff.manage")
def withdraw_change(change_id: int) -> Page:
    """The change was entered by mistake."""
    commands.withdraw_calendar_change(act(), change_id)
    flash("The change is withdrawn.")
    return redirect(url_for("sites_pages.calendar"))
