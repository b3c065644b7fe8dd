"""The caseload, the search, and a patient's record with its corrections.

Other rooms put their pages on the record with `record_link` and short facts with `record_section`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

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

from clinic import errors, home, ui
from clinic.act import Act
from clinic.auth import act, needs
from clinic.errors import OutsideCaseload, Stale
from clinic.forms import Form
from clinic.patients import access, commands, queries
from clinic.patients.forms import (
    AlertForm,
    AliasForm,
    CorrectForm,
    GlassForm,
    MergeForm,
    NumberForm,
    ReasonForm,
    RegisterForm,
    SearchForm,
    SureForm,
)
from clinic.patients.models import (
    ALERT_KINDS,
    ALLOCATIONS,
    ETHNICITIES,
    IDENTIFIER_KINDS,
    SEXES,
    Patient,
    PatientChange,
)

patients_pages = Blueprint("patients_pages", __name__)
ui.nav("Patients", "patients_pages.caseload", "patients.read")

Page = str | Response | tuple[str, int]


# -- what other rooms add ------------------------------------------------------------------


@dataclass(frozen=True)
class Section:
    """A few facts of another room on the record. `rows` as the `facts` macro takes them."""

    title: str
    rows: Sequence[dict[str, Any]]


SectionMaker = Callable[[Act, Patient], Section | None]
_LINKS: list[tuple[str, str, str, str | None]] = []
_SECTIONS: list[tuple[str, SectionMaker]] = []


def record_link(label: str, endpoint: str, right: str, site_kind: str | None = None) -> None:
    """Offer a page about one patient on the record. Its address takes `patient_id`.

    `site_kind`: only to those working at such a site.
    """
    _LINKS.append((label, endpoint, right, site_kind))


def record_section(right: str) -> Callable[[SectionMaker], SectionMaker]:
    """Offer a section to everyone who holds the right. None leaves it out for this patient."""

    def offer(maker: SectionMaker) -> SectionMaker:
        _SECTIONS.append((right, maker))
        return maker

    return offer


# -- finding -------------------------------------------------------------------------------


@patients_pages.get("/patients")
@needs("patients.read")
def caseload() -> Page:
    """Everybody this site looks after."""
    work = act()
    found = queries.caseload(work)
    return render_template(
        "patients/caseload.jinja", patients=found, keyworkers=queries.keyworkers(work),
        may_register=work.may("patients.register"),
    )  # fmt: skip


@patients_pages.route("/patients/search", methods=["GET", "POST"])
@needs("patients.read")
def search() -> Page:
    """Find a patient by name or number. Posted, so that neither lands in an address or a log."""
    form = SearchForm()
    found: list[Any] = []
    asked = form.carried_out(lambda: found.extend(queries.search(act(), form.q.data or "")))
    page = render_template(
        "patients/search.jinja", form=form, found=found, asked=asked,
        may_register=act().may("patients.register"),
    )  # fmt: skip
    return page, form.status


@patients_pages.route("/patients/register", methods=["GET", "POST"])
@needs("patients.register")
def register() -> Page:
    """A new record, once it is certain that the person has none."""
    form = RegisterForm()
    made: list[int] = []
    alike: list[Patient] = []

    def make() -> None:
        made.append(
            commands.register_patient(
                act(), demo=current_app.config["SETTINGS"].demo, numbers=form.numbers(),
                sure=form.confirmed, **form.details(),
            )
        )  # fmt: skip

    if not form.changing:
        try:
            if form.validate_on_submit():
                make()
        except commands.PossibleDuplicate:
            alike = queries.look_alikes(
                act(), form.family_name.data, form.given_name.data, form.born_on.data
            )
            act().note_shown("patients.look_alikes", [each.id for each in alike])
        except (errors.Invalid, errors.Conflict) as refusal:
            form.refuse(refusal.detail, refusal.faults)
    if made:
        flash("The patient is registered and on this site's caseload.")
        return redirect(url_for("patients_pages.record", patient_id=made[0]))
    if alike:
        page = render_template("patients/alike.jinja", form=form, alike=alike, sexes=SEXES)
        return page, commands.PossibleDuplicate.status
    return render_template("patients/register.jinja", form=form), form.status


# -- the record ----------------------------------------------------------------------------


@patients_pages.get("/patients/<int:patient_id>")
@needs("patients.read")
def record(patient_id: int) -> Page:
    """The record: who this is, what is known and since when, and the pages of other rooms."""
    from clinic.rooms import place_of  # which import this module

    work = act()
    patient = access.open_record(work, patient_id, "patients.read")
    views = current_app.view_functions
    links = [
        (label, url_for(endpoint, patient_id=patient.id))
        for label, endpoint, right, site_kind in sorted(
            (each for each in _LINKS if each[1] in views),
            key=lambda each: place_of(views[each[1]].__module__),
        )
        if work.may(right) and site_kind in (None, g.staff.site_kind)
    ]
    sections = [
        made
        for right, make in sorted(_SECTIONS, key=lambda each: place_of(each[1].__module__))
        if work.may(right) and (made := make(work, patient))
    ]
    return render_template(
        "patients/record.jinja", patient=patient, banner=queries.banner(work, patient),
        record=queries.record(work, patient), links=links, sections=sections, sexes=SEXES,
        ethnicities=ETHNICITIES, kinds=IDENTIFIER_KINDS, alert_kinds=ALERT_KINDS,
        allocations=ALLOCATIONS, corrected=_corrected, here=access.in_caseload(work, patient.id),
    )  # fmt: skip


_FIELDS = {
    "born_on": "Date of birth", "ppo": "Prolific and other priority offender", "died_on": "Date of death",
}  # fmt: skip
_ANSWERS: dict[str, dict[str, str]] = {
    "sex": SEXES, "ethnicity": ETHNICITIES, "ppo": {"True": "Yes", "False": "No"},
}  # fmt: skip


def _corrected(row: PatientChange) -> dict[str, str | None]:
    """What was corrected, in the words the form asks it in."""
    field = row.field

    def said(value: str | None) -> str | None:
        if value is not None and field in ("born_on", "died_on"):
            return ui.day(date.fromisoformat(value))
        return value and _ANSWERS.get(field, {}).get(value, value)

    what = _FIELDS.get(field, field.replace("_", " ").capitalize())
    return {"what": what, "was": said(row.was), "became": said(row.became)}


def _opened(patient_id: int) -> Patient:
    return access.open_record(act(), patient_id, "patients.read")


def _one_form(form: Form, patient: Patient, title: str, **more: object) -> Page:
    page = render_template(
        "one_form.jinja", form=form, title=title, banner=queries.banner(act(), patient),
        **{"cancel": url_for("patients_pages.record", patient_id=patient.id), **more},
    )  # fmt: skip
    return page, form.status


def _saved(says: str, patient_id: int) -> Response:
    flash(says)
    return redirect(url_for("patients_pages.record", patient_id=patient_id))


@patients_pages.route("/patients/<int:patient_id>/correct", methods=["GET", "POST"])
@needs("patients.edit")
def correct(patient_id: int) -> Page:
    """Correct details. Somebody else's change meanwhile is shown, and nothing typed is lost."""
    patient = _opened(patient_id)
    form = CorrectForm(obj=patient)
    stale: Stale | None = None

    def save() -> None:
        commands.correct_patient(
            act(), patient.id, version=form.version.data or 0, reason=form.reason.data,
            died_on=form.died_on.data, **form.details(),
        )  # fmt: skip

    try:
        if form.carried_out(save):
            return _saved("The details are saved; what they were is kept below.", patient.id)
    except Stale as trouble:
        stale = trouble
        patient = _opened(patient_id)
        form.version.raw_data, form.version.data = None, patient.version
    page = render_template(
        "patients/correct.jinja", form=form, patient=patient, stale=stale, sexes=SEXES,
        ethnicities=ETHNICITIES, banner=queries.banner(act(), patient),
        stale_at=_moment_of(stale),
    )  # fmt: skip
    return page, stale.status if stale else form.status


def _moment_of(stale: Stale | None) -> datetime | None:
    at = stale and stale.more.get("changed_at")
    return datetime.fromisoformat(at) if at else None


@patients_pages.route("/patients/<int:patient_id>/numbers", methods=["GET", "POST"])
@needs("patients.edit")
def number(patient_id: int) -> Page:
    """Record a number the patient is known by."""
    patient = _opened(patient_id)
    form = NumberForm()

    def save() -> None:
        try:
            commands.add_number(
                act(), patient.id, form.kind.data, form.text.data or "",
                demo=current_app.config["SETTINGS"].demo,
            )  # fmt: skip
        except errors.Invalid as refusal:
            # The command names the kind of number at fault; here there is one box for all.
            raise errors.Invalid.field("text", refusal.faults[0][1]) from refusal

    if form.carried_out(save):
        return _saved("The number is recorded.", patient.id)
    return _one_form(
        form, patient, "Record a number",
        lead="The earlier number of the same kind is ended and kept.",
    )  # fmt: skip


@patients_pages.route(
    "/patients/<int:patient_id>/numbers/<int:identifier_id>/end", methods=["GET", "POST"]
)
@needs("patients.edit")
def end_number(patient_id: int, identifier_id: int) -> Page:
    """The number is not this patient's."""
    patient = _opened(patient_id)
    form = ReasonForm()
    if form.carried_out(
        lambda: commands.end_number(act(), patient.id, identifier_id, form.reason.data or "")
    ):
        return _saved("The number has ended; it stays in the history.", patient.id)
    return _one_form(form, patient, "End a number", button="End the number", warning=True)


@patients_pages.route("/patients/<int:patient_id>/aliases", methods=["GET", "POST"])
@needs("patients.edit")
def alias(patient_id: int) -> Page:
    """Record another name."""
    patient = _opened(patient_id)
    form = AliasForm()
    if form.carried_out(lambda: commands.add_alias(act(), patient.id, **form.answers())):
        return _saved("The name is recorded.", patient.id)
    return _one_form(form, patient, "Another name they have gone by")


@patients_pages.route("/patients/<int:patient_id>/alerts", methods=["GET", "POST"])
@needs("patients.edit")
def alert(patient_id: int) -> Page:
    """Put an alert or allergy on the banner."""
    patient = _opened(patient_id)
    form = AlertForm()
    if form.carried_out(
        lambda: commands.add_alert(act(), patient.id, form.kind.data, form.says.data or "")
    ):
        return _saved("It is on the banner.", patient.id)
    return _one_form(form, patient, "Record an alert or allergy")


@patients_pages.route(
    "/patients/<int:patient_id>/alerts/<int:alert_id>/end", methods=["GET", "POST"]
)
@needs("patients.edit")
def end_alert(patient_id: int, alert_id: int) -> Page:
    """Take an alert off the banner."""
    patient = _opened(patient_id)
    form = SureForm()
    if form.carried_out(lambda: commands.end_alert(act(), patient.id, alert_id)):
        return _saved("It is off the banner and stays in the history.", patient.id)
    says = queries.alert_text(act(), patient.id, alert_id)
    return _one_form(
        form, patient, "Take this off the banner?", lead=says, button="Take it off", warning=True
    )


@patients_pages.route("/patients/<int:patient_id>/leave", methods=["GET", "POST"])
@needs("patients.edit")
def leave(patient_id: int) -> Page:
    """This site no longer looks after the patient."""
    patient = _opened(patient_id)
    form = ReasonForm()
    if form.carried_out(lambda: commands.leave_caseload(act(), patient.id, form.reason.data or "")):
        flash("The patient has left this site's caseload.")
        return redirect(url_for("patients_pages.caseload"))
    return _one_form(
        form, patient, "Leave the caseload", button="Leave the caseload", warning=True,
        lead="Staff here will need a reason to open the record after this.",
    )  # fmt: skip


@patients_pages.route("/patients/<int:patient_id>/merge", methods=["GET", "POST"])
@needs("patients.merge")
def merge(patient_id: int) -> Page:
    """Join another record to this one, after looking at both side by side."""
    patient = _opened(patient_id)
    form = MergeForm()
    if form.validate_on_submit() and not form.changing:
        try:
            if form.confirmed:
                commands.merge_patients(
                    act(), patient.id, form.merged_id.data, form.reason.data or ""
                )
                return _saved("The records are joined. It can be undone below.", patient.id)
            other = access.open_record(act(), form.merged_id.data, "patients.read")
        except (errors.Invalid, errors.Conflict, errors.NotFound) as refusal:
            form.refuse(refusal.detail, refusal.faults)
        else:
            return render_template(
                "patients/check_merge.jinja", form=form, patient=patient, other=other,
                banner=queries.banner(act(), patient), sexes=SEXES,
            )  # fmt: skip
    return _one_form(form, patient, "Join another record to this one", button="Continue")


@patients_pages.route(
    "/patients/<int:patient_id>/merges/<int:merge_id>/undo", methods=["GET", "POST"]
)
@needs("patients.merge")
def undo_merge(patient_id: int, merge_id: int) -> Page:
    """The two records are two people after all."""
    patient = _opened(patient_id)
    form = ReasonForm()
    if form.carried_out(lambda: commands.undo_merge(act(), merge_id, form.reason.data or "")):
        return _saved("The records are two again.", patient.id)
    return _one_form(
        form, patient, "These are two people", button="Separate the records", warning=True
    )


# -- outside the caseload ------------------------------------------------------------------


@patients_pages.app_errorhandler(OutsideCaseload)
def outside_caseload(trouble: OutsideCaseload) -> Any:
    """Ask for a reason wherever a page opened a record outside the caseload."""
    work = act()
    work.note("patients.outside_caseload", patient_id=trouble.patient_id, outcome="refused")
    if errors.wants_json() or not work.may("breakglass.use"):
        return errors.answer_trouble(trouble)
    if request.method == "GET":
        session["then"] = request.path
    form = GlassForm(formdata=None)
    return _glass_page(form, trouble.patient_id), trouble.status


def _glass_page(form: GlassForm, patient_id: int) -> str:
    return render_template("patients/glass.jinja", form=form, patient_id=patient_id)


@patients_pages.route("/patients/<int:patient_id>/open", methods=["GET", "POST"])
@needs("breakglass.use")
def break_glass(patient_id: int) -> Page:
    """Give a reason, and the record opens for an hour."""
    form = GlassForm()
    if form.carried_out(lambda: access.break_glass(act(), patient_id, **form.answers())):
        flash("The record is open for one hour. A manager will see that you opened it.")
        then = session.pop("then", None) or ""
        mine = f"/patients/{patient_id}"
        local = then.startswith("/") and not then.startswith("//") and "\\" not in then
        return redirect(then if local else mine)
    return _glass_page(form, patient_id), form.status


@patients_pages.get("/break-glass")
@needs("breakglass.review")
def glass_list() -> Page:
    """Records opened outside the caseload that no manager has looked at yet."""
    return render_template(
        "patients/glass_list.jinja", rows=queries.glass_to_review(act()), reasons=access.REASONS,
        shows_names=act().may("patients.read"),
    )  # fmt: skip


@patients_pages.post("/break-glass/<int:entry_id>/seen")
@needs("breakglass.review")
def glass_seen(entry_id: int) -> Page:
    """A manager has looked at it."""
    access.review_break_glass(act(), entry_id)
    flash("It is marked as looked at, with your name.")
    return redirect(url_for("patients_pages.glass_list"))


@home.worklist("breakglass.review")
def opened_outside(work: Act) -> home.Worklist:
    """Records opened outside the caseload, the oldest first."""
    shows_names = work.may("patients.read")
    return home.Worklist(
        title="Records opened outside the caseload",
        rows=[
            home.Row(
                due=None,
                person=patient.listed_name if shows_names else f"Record {patient.id}",
                href=url_for("patients_pages.glass_list"),
                what=f"{access.REASONS[row.reason_code]} (opened {ui.moment(row.opened_at)} by {name})",
                who=None,
            )
            for row, name, patient in queries.glass_to_review(work)
        ],
        empty="Nobody opened a record outside the caseload that is still to be looked at.",
    )
