"""Sign in and out, and look after staff: accounts, roles, levels, competences, tokens."""

from __future__ import annotations

import secrets

from flask import (
    Blueprint,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from clinic import ui
from clinic.auth import act, for_signed_in, needs, open_to_all
from clinic.errors import Invalid, NotFound, TooMany
from clinic.forms import CHOOSE, Form
from clinic.roles import RIGHTS, title_of
from clinic.staff import commands, queries
from clinic.staff.forms import (
    CompetenceForm,
    LeaveForm,
    LevelForm,
    OwnPasswordForm,
    PasswordForm,
    RegistrationForm,
    RoleForm,
    SetUpForm,
    SignInForm,
    SiteChoiceForm,
    StaffForm,
    SureForm,
    TokenForm,
)
from clinic.staff.models import COMPETENCES, LEVELS

staff_pages = Blueprint("staff_pages", __name__)
account_pages = Blueprint("account_pages", __name__, url_prefix="/account")
ui.nav("Staff", "staff_pages.listed", "staff.manage")
ui.nav("Your account", "account_pages.account", None)

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
    if request.method == "GET" and not commands.anybody(act()):
        return redirect(url_for("staff_pages.set_up"))
    form = SignInForm()
    status, headers = 0, {}
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
    return render_template("staff/sign_in.jinja", form=form), status or form.status, headers


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
    return render_template("staff/choose_site.jinja", form=form), form.status


@staff_pages.route("/set-up", methods=["GET", "POST"])
@open_to_all
def set_up() -> Page:
    """The first site and the first administrator. No such page once anybody has an account."""
    settings = current_app.config["SETTINGS"]
    if commands.anybody(act()) or not (settings.demo or settings.set_up_code):
        raise NotFound("This service is already set up.")
    form = SetUpForm()
    if settings.demo:
        del form.code

    def make() -> None:
        answers = form.answers()
        given = answers.pop("code", "") or ""
        if not settings.demo and not secrets.compare_digest(given, settings.set_up_code):
            raise Invalid.field("code", "is not right")
        commands.set_up(act(), **answers)

    if form.carried_out(make):
        flash("The service is set up. Sign in to add staff and their roles.")
        return redirect(url_for("staff_pages.sign_in"))
    page = render_template(
        "one_form.jinja", form=form, title="Set up this service", button="Set up",
        lead="Nobody has an account yet. Name the first site and its administrator.",
        more={"password": {"autocomplete": "new-password"}, "email": {"autocomplete": "username"}},
    )  # fmt: skip
    return page, form.status


# -- one's own account ---------------------------------------------------------------------


@account_pages.get("")
@for_signed_in
def account() -> Page:
    """What one may do here, and where to change one's password."""
    return render_template(
        "staff/account.jinja", roles=[title_of(role) for role in g.staff.roles],
        rights=[RIGHTS[right] for right in RIGHTS if right in g.staff.rights],
        sites=queries.sites_to_work_at(act()),
    )  # fmt: skip


@account_pages.route("/password", methods=["GET", "POST"])
@for_signed_in
def own_password() -> Page:
    """Change one's own password; every sign-in of the account ends."""
    form = OwnPasswordForm()
    if form.carried_out(
        lambda: commands.change_own_password(act(), form.current.data or "", form.new.data or "")
    ):
        session.clear()
        flash("Your password is changed. Sign in with the new one.")
        return redirect(url_for("staff_pages.sign_in"))
    page = render_template(
        "one_form.jinja", form=form, title="Change your password",
        cancel=url_for("account_pages.account"),
        more={"current": {"autocomplete": "current-password"},
              "new": {"autocomplete": "new-password"}},
    )  # fmt: skip
    return page, form.status


# -- everybody's accounts ------------------------------------------------------------------


@staff_pages.get("/staff")
@needs("staff.manage")
def listed() -> Page:
    """Everybody with an account."""
    work = act()
    return render_template(
        "staff/list.jinja", people=queries.everybody(work), today=work.today,
        site_names=queries.site_names(work), title_of=title_of,
    )  # fmt: skip


@staff_pages.route("/staff/add", methods=["GET", "POST"])
@needs("staff.manage")
def add() -> Page:
    """A new account, without any role yet."""
    form = StaffForm()
    made: list[int] = []
    if form.carried_out(lambda: made.append(commands.add_staff(act(), **form.answers()))):
        flash("The account is made. Give it a role next.")
        return redirect(url_for("staff_pages.give_role", staff_id=made[0]))
    page = render_template(
        "one_form.jinja", form=form, title="Add a member of staff",
        cancel=url_for("staff_pages.listed"), more={"password": {"autocomplete": "new-password"}},
    )  # fmt: skip
    return page, form.status


@staff_pages.get("/staff/<int:staff_id>")
@needs("staff.manage")
def shown(staff_id: int) -> Page:
    """One account: what it may do, where, since when."""
    work = act()
    return render_template(
        "staff/person.jinja", person=queries.one(work, staff_id), today=work.today,
        site_names=queries.site_names(work), levels=LEVELS, competences=COMPETENCES,
        tokens=queries.tokens_of(work, staff_id), title_of=title_of, now=work.at,
        names={row.id: row.name for row in queries.everybody(work)},
    )  # fmt: skip


def _sites_to_choose() -> list[SelectChoice]:
    """The sites, none of them chosen yet where there is a choice."""
    sites = [SelectChoice(site_id, name) for site_id, name in queries.site_names(act()).items()]
    return sites if len(sites) == 1 else [CHOOSE, *sites]


def _about(staff_id: int, form: Form, title: str, **more: object) -> Page:
    person = queries.one(act(), staff_id)
    page = render_template(
        "one_form.jinja", form=form, title=f"{title}: {person.name}",
        **{"cancel": url_for("staff_pages.shown", staff_id=staff_id), **more},
    )  # fmt: skip
    return page, form.status


def _saved(says: str, staff_id: int) -> Response:
    flash(says)
    return redirect(url_for("staff_pages.shown", staff_id=staff_id))


@staff_pages.route("/staff/<int:staff_id>/roles", methods=["GET", "POST"])
@needs("staff.manage")
def give_role(staff_id: int) -> Page:
    """Let somebody work in a role at a site."""
    form = RoleForm()
    form.site_id.choices = _sites_to_choose()
    if form.carried_out(lambda: commands.give_role(act(), staff_id, **form.answers())):
        return _saved("The role is given.", staff_id)
    return _about(staff_id, form, "Give a role")


@staff_pages.route("/staff/<int:staff_id>/roles/<int:role_id>/end", methods=["GET", "POST"])
@needs("staff.manage")
def end_role(staff_id: int, role_id: int) -> Page:
    """End a role at once."""
    form = SureForm()
    if form.carried_out(lambda: commands.end_role(act(), role_id)):
        return _saved("The role has ended.", staff_id)
    return _about(
        staff_id, form, "End a role", button="End the role now", warning=True,
        lead="They lose what the role lets them do from their next click on.",
    )  # fmt: skip


@staff_pages.route("/staff/<int:staff_id>/level", methods=["GET", "POST"])
@needs("staff.manage")
def level(staff_id: int) -> Page:
    """Set whether somebody prescribes, and at which level."""
    form = LevelForm(level=queries.one(act(), staff_id).level_on(act().today) or "none")
    if form.carried_out(
        lambda: commands.set_level(
            act(), staff_id, None if form.level.data == "none" else form.level.data
        )
    ):
        return _saved("The prescriber level is saved.", staff_id)
    return _about(staff_id, form, "Prescriber level")


@staff_pages.route("/staff/<int:staff_id>/competences", methods=["GET", "POST"])
@needs("staff.manage")
def competence(staff_id: int) -> Page:
    """Record a training."""
    form = CompetenceForm()
    if form.carried_out(lambda: commands.record_competence(act(), staff_id, **form.answers())):
        return _saved("The competence is recorded.", staff_id)
    return _about(staff_id, form, "Record a competence")


@staff_pages.post("/staff/<int:staff_id>/competences/<name>/end")
@needs("staff.manage")
def end_competence(staff_id: int, name: str) -> Page:
    """The training no longer counts."""
    commands.end_competence(act(), staff_id, name)
    return _saved("The competence has ended.", staff_id)


@staff_pages.route("/staff/<int:staff_id>/password", methods=["GET", "POST"])
@needs("staff.manage")
def password(staff_id: int) -> Page:
    """Give somebody a new password."""
    form = PasswordForm()
    if form.carried_out(lambda: commands.set_password(act(), staff_id, form.password.data or "")):
        return _saved("The password is changed, and their sign-ins have ended.", staff_id)
    return _about(
        staff_id, form, "New password", more={"password": {"autocomplete": "new-password"}}
    )


@staff_pages.route("/staff/<int:staff_id>/registration", methods=["GET", "POST"])
@needs("staff.manage")
def registration(staff_id: int) -> Page:
    """Correct somebody's professional registration."""
    person = queries.one(act(), staff_id)
    form = RegistrationForm(registration=person.registration, version=person.registration_version)
    if form.carried_out(lambda: commands.set_registration(act(), staff_id, **form.answers())):
        return _saved("The registration is saved.", staff_id)
    return _about(staff_id, form, "Professional registration")


@staff_pages.route("/staff/<int:staff_id>/leave", methods=["GET", "POST"])
@needs("staff.manage")
def leave(staff_id: int) -> Page:
    """Somebody leaves."""
    form = LeaveForm()
    if form.carried_out(lambda: commands.leave(act(), staff_id, form.last_on.data)):
        return _saved("The last day is recorded.", staff_id)
    return _about(staff_id, form, "Last day")


@staff_pages.post("/staff/<int:staff_id>/stay")
@needs("staff.manage")
def stay(staff_id: int) -> Page:
    """Somebody recorded as leaving stays."""
    commands.come_back(act(), staff_id)
    return _saved("They stay.", staff_id)


@staff_pages.route("/staff/<int:staff_id>/tokens", methods=["GET", "POST"])
@needs("tokens.manage")
def issue_token(staff_id: int) -> Page:
    """Issue a token for another system. It is shown on the next page and never again."""
    form = TokenForm()
    form.site_id.choices = _sites_to_choose()
    form.scopes.choices = list(RIGHTS.items())
    made: list[commands.Issued] = []
    if form.carried_out(
        lambda: made.append(commands.issue_token(act(), staff_id=staff_id, **form.answers()))
    ):
        # Shown by the answer itself: a redirect would have to keep the token somewhere.
        return render_template("staff/token.jinja", issued=made[0], staff_id=staff_id)
    return _about(staff_id, form, "Issue a token", button="Issue the token")


@staff_pages.post("/staff/<int:staff_id>/tokens/<int:token_id>/revoke")
@needs("tokens.manage")
def revoke_token(staff_id: int, token_id: int) -> Page:
    """End a token at once."""
    commands.revoke_token(act(), token_id)
    return _saved("The token is revoked.", staff_id)
