"""The pages of somebody of a community service in custody: what is known, who may be told, what was sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from clinic import ui
from clinic.act import Act
from clinic.auth import act, needs
from clinic.forms import Form
from clinic.handovers import custody, gone
from clinic.handovers.forms import NothingForm, PrepareForm, SentenceForm, WhyForm
from clinic.handovers.models import WHY_NOTHING
from clinic.patients import pages as patients_pages
from clinic.patients.access import open_record
from clinic.patients.commands import site_of
from clinic.patients.models import Patient
from clinic.patients.queries import banner
from clinic.release import consents
from clinic.release.care_models import CONSENTS
from clinic.release.care_pages import ConsentForm
from clinic.release.queries import prisons
from clinic.staff.queries import site_names

custody_handovers_pages = Blueprint(
    "custody_handovers_pages", __name__, url_prefix="/hand-overs/custody"
)
patients_pages.record_link(
    "Custody: sentence and hand-over to the prison", "custody_handovers_pages.person",
    "release.read", "community",
)  # fmt: skip

Page = str | Response | tuple[str, int]
ONE = "/<int:patient_id>"


@patients_pages.record_section("release.read")
def on_the_record(work: Act, patient: Patient) -> patients_pages.Section | None:
    """That they are in custody, on the record of the community service."""
    found = gone.gone(work, patient) if site_of(work).kind == "community" else None
    if found is None:
        return None
    return patients_pages.Section(
        "In custody",
        [
            {
                "label": found.where or "Prison not known",
                "value": f"{gone.WORDS[found.stands]}; since {ui.day(found.known.on)}",
                "href": url_for("custody_handovers_pages.person", patient_id=patient.id),
                "link": "Open",
            }
        ],
    )


@custody_handovers_pages.get(ONE)
@needs("release.read")
def person(patient_id: int) -> Page:
    """What is known of their custody, who may be told, and everything handed over."""
    work = act()
    view = gone.page(work, patient_id)
    return render_template(
        "handovers/custody.jinja", view=view, banner=banner(work, view.patient), words=gone.WORDS,
        consents=consents.said_of(work, view.patient.id), consent_words=CONSENTS,
        why_nothing=WHY_NOTHING,
        may_plan=work.may("release.plan") and site_of(work).kind == "community"
        and view.patient.died_on is None,
    )  # fmt: skip


@custody_handovers_pages.route(f"{ONE}/prepare", methods=["GET", "POST"])
@needs("release.plan")
def prepare(patient_id: int) -> Page:
    """Make the package of the record. Neither recipient nor basis is preset."""
    work = act()
    view, form, made = gone.page(work, patient_id), PrepareForm(), []
    form["to_site_id"].choices = _prisons(work, "None of these")
    form["to_site_id"].label.text = "Prison that uses this system"
    form["recipient"].label.text = "Or another prison's team"

    def work_it() -> None:
        given = {**form.answers(), "to_site_id": form["to_site_id"].data or None}
        made.append(custody.prepare_into_custody(act(), patient_id, **given))

    if form.carried_out(work_it):
        flash("The hand-over is prepared. Nothing has left yet.")
        return redirect(url_for("handovers_pages.one", handover_id=made[0]))
    where = f" They are said to be at {view.gone.where}." if view.gone and view.gone.where else ""
    return _form(
        form, "Prepare the hand-over to the prison", view.patient, button="Prepare it",
        lead=f"The package is made from the record as it stands now, and kept so.{where}",
    )  # fmt: skip


@custody_handovers_pages.route(f"{ONE}/nothing", methods=["GET", "POST"])
@needs("release.plan")
def send_nothing(patient_id: int) -> Page:
    """Nothing is handed over this time, and why."""
    form = NothingForm()
    return _changed(
        patient_id, form, "Nothing is sent this time", "Recorded. Nothing is sent.",
        lambda: custody.send_nothing(act(), patient_id, **form.answers()), button="Send nothing",
        warning=True,
    )  # fmt: skip


@custody_handovers_pages.route("/nothing/<int:row_id>/strike", methods=["GET", "POST"])
@needs("release.plan")
def strike_nothing(row_id: int) -> Page:
    """That decision no longer holds."""
    form = WhyForm()
    return _changed(
        custody.whose(act(), custody.NothingSent, row_id), form, "Strike out the decision",
        "Struck out: it is to be handed over again.",
        lambda: custody.strike_nothing(act(), row_id, **form.answers()), button="Strike out",
        warning=True,
    )  # fmt: skip


@custody_handovers_pages.route(f"{ONE}/sentence", methods=["GET", "POST"])
@needs("release.plan")
def record_sentence(patient_id: int) -> Page:
    """A sentence to custody became known."""
    work, form = act(), SentenceForm()
    form["prison_site_id"].choices = _prisons(work, "None of these, or not known")

    def work_it() -> None:
        given = {**form.answers(), "prison_site_id": form["prison_site_id"].data or None}
        custody.record_sentence(act(), patient_id, **given)

    return _changed(patient_id, form, "A sentence to custody", "The sentence is recorded.", work_it)


@custody_handovers_pages.route("/sentences/<int:row_id>/strike", methods=["GET", "POST"])
@needs("release.plan")
def strike_sentence(row_id: int) -> Page:
    """It was recorded wrongly."""
    form = WhyForm()
    return _changed(
        custody.whose(act(), custody.SentencedToCustody, row_id), form, "Strike out the sentence",
        "Struck out.", lambda: custody.strike_sentence(act(), row_id, **form.answers()),
        button="Strike out", warning=True,
    )  # fmt: skip


@custody_handovers_pages.route(f"{ONE}/consents/add", methods=["GET", "POST"])
@needs("release.plan")
def add_consent(patient_id: int) -> Page:
    """Something was said about a recipient."""
    work, form = act(), ConsentForm()
    others = {key: name for key, name in site_names(work).items() if key != work.site_id}
    form["to_site_id"].choices = [(0, "None of these"), *others.items()]

    def work_it() -> None:
        given = {**form.answers(), "to_site_id": form["to_site_id"].data or None}
        consents.record_consent_of(act(), patient_id, **given)

    return _changed(
        patient_id, form, "Consent to share with a recipient", "Recorded.", work_it
    )  # fmt: skip


@custody_handovers_pages.route(f"{ONE}/consents/<int:consent_id>/strike", methods=["GET", "POST"])
@needs("release.plan")
def strike_consent(patient_id: int, consent_id: int) -> Page:
    """It was recorded wrongly."""
    form = WhyForm()
    return _changed(
        patient_id, form, "Strike out what was recorded of consent", "Struck out.",
        lambda: consents.strike_consent_of(act(), patient_id, consent_id, **form.answers()),
        button="Strike out", warning=True,
    )  # fmt: skip


# -- what the views share --------------------------------------------------------------------


def _prisons(work: Act, none: str) -> list[tuple[int, str]]:
    return [(0, none), *((each.id, each.name) for each in prisons(work))]


def _changed(
    patient_id: int, form: Form, title: str, says: str, work: Callable[[], object], **more: Any
) -> Page:
    patient = open_record(
        act(), patient_id, "handovers.into_custody_seen", right="release.plan"
    )  # fmt: skip
    if form.carried_out(work):
        flash(says)
        return redirect(url_for("custody_handovers_pages.person", patient_id=patient.id))
    return _form(form, title, patient, **more)


def _form(form: Form, title: str, patient: Patient, **more: Any) -> Page:
    page = render_template(
        "one_form.jinja", form=form, title=title, banner=banner(act(), patient),
        cancel=url_for("custody_handovers_pages.person", patient_id=patient.id), **more,
    )  # fmt: skip
    return page, form.status
