"""The prescribing pages: what is known, the dose and its check, decisions, doses taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from clinic import home, ui
from clinic.act import Act
from clinic.auth import act, needs, secret_token
from clinic.errors import Conflict, Invalid, NotFound, NotReady
from clinic.forms import Form
from clinic.patients.access import open_record
from clinic.patients.models import Patient
from clinic.patients.pages import record_link
from clinic.patients.queries import banner
from clinic.prescriptions import commands, facts, presenters, queries
from clinic.prescriptions.commands import FactsMissing, ReasonNeeded, Stopped
from clinic.prescriptions.forms import (
    FORMS,
    DoseForm,
    ElsewhereDoseForm,
    EntryForm,
    OrderForm,
    SureForm,
    WhyForm,
)
from clinic.prescriptions.kinds import IN_PRISON_ONLY, ITEMS, KINDS, PRODUCT_NAMES, TOPICS
from clinic.prescriptions.models import OUTCOMES, OVERRIDES, SWALLOWED
from dosing.check import rulebook
from dosing.examples import run_examples

prescriptions_pages = Blueprint("prescriptions_pages", __name__)
ui.nav("Prescribing", "prescriptions_pages.listed", "prescribing.read")
record_link("Prescribing", "prescriptions_pages.record", "prescribing.read")

Page = str | Response | tuple[str, int]

COLOURS = {queries.STOPPED: "red", queries.DOSE: "orange"}
BASE = "/patients/<int:patient_id>/prescribing"


@prescriptions_pages.record_once
def _try_the_rules(state: Any) -> None:
    """The rules do their own worked examples before anybody relies on them."""
    state.app.extensions["rule_failures"] = run_examples(rulebook())


@home.worklist("prescribing.assess")
def worklist(work: Act) -> home.Worklist:
    """Who waits for a dose, a decision or another look today."""
    return home.Worklist(
        title="Prescribing today",
        rows=_rows(queries.waiting(work)),
        empty="Nobody waits for a decision or a dose.",
        more_text="Prescribing at this site",
        more_href=url_for("prescriptions_pages.listed"),
    )


def _rows(found: list[tuple[Patient, queries.Waiting]]) -> list[home.Row]:
    return [
        home.Row(
            due=each.due,
            person=patient.listed_name,
            href=url_for("prescriptions_pages.record", patient_id=patient.id),
            what=each.why,
            who=None,
            risk=each.risk,
            risk_colour=COLOURS.get(each.risk or "", "grey"),
        )
        for patient, each in found
    ]


@prescriptions_pages.get("/prescribing")
@needs("prescribing.read")
def listed() -> Page:
    """What waits at this site."""
    return render_template("prescriptions/list.jinja", rows=_rows(queries.waiting(act())))


@prescriptions_pages.get(BASE)
@needs("prescribing.read")
def record(patient_id: int) -> Page:
    """What is recorded, when and by whom, what is missing, what was decided and taken."""
    work = act()
    found = queries.prescribing_record(work, patient_id)
    return render_template(
        "prescriptions/record.jinja", record=found, banner=banner(work, found.patient),
        parts=queries.assessed(found), kinds=KINDS, items=_items(), said=presenters.said,
        products=PRODUCT_NAMES, outcomes=OUTCOMES, overrides=OVERRIDES, topics=TOPICS,
        swallowed=SWALLOWED, today=work.today, failing=current_app.extensions["rule_failures"],
        days_of=facts.days_of, missing=[_missing(each, found.patient.id) for each in found.missing],
    )  # fmt: skip


def _items() -> dict[str, str]:
    """The parts of the assessment asked at this kind of site."""
    prison = g.staff.site_kind == "prison"
    return {item: words for item, words in ITEMS.items() if prison or item not in IN_PRISON_ONLY}


def _missing(each: facts.Missing, patient_id: int) -> dict[str, str | None]:
    """A missing fact and where it is recorded."""
    if each.kind == "dose":
        href = url_for(
            "prescriptions_pages.dose", patient_id=patient_id, decision_id=each.decision_id
        )
    elif each.kind in TOPICS:
        href = url_for(
            "prescriptions_pages.entry", patient_id=patient_id, kind="asked", about=each.kind
        )
    elif each.kind in KINDS:
        href = url_for("prescriptions_pages.entry", patient_id=patient_id, kind=each.kind)
    else:
        return {"says": each.says, "href": None}
    return {"says": each.says, "href": href}


# -- recording -----------------------------------------------------------------------------


def _patient(patient_id: int, right: str = "prescribing.assess") -> Patient:
    return open_record(act(), patient_id, "prescribing.read", right=right)


def _to_record(patient_id: int, says: str) -> Response:
    flash(says)
    return redirect(url_for("prescriptions_pages.record", patient_id=patient_id))


def _carried_out(form: Form, work: Callable[[], object]) -> bool:
    """As the form's own, with a refusal of the contract's told at the field it names."""

    def told() -> None:
        try:
            work()
        except Invalid as refusal:
            raise Invalid(
                refusal.detail,
                faults=[(_field(form, name), says) for name, says in refusal.faults],
            ) from refusal

    return form.carried_out(told)


def _answered(form: Form) -> dict[str, Any]:
    """What was answered, a blank as unknown."""
    return {name: value or None for name, value in form.answers().items()}


def _field(form: Form, path: str) -> str:
    """The form's name for a field of the contract: the last part of the path it has."""
    parts = path.replace("]", "").replace("[", ".").split(".")
    like = getattr(form, "LIKE", {})
    for part in reversed(parts):
        for name in (like.get(part, part), f"cows_{part}"):
            if name in form:
                return str(name)
    return path


@prescriptions_pages.route(f"{BASE}/record/<kind>", methods=["GET", "POST"])
@prescriptions_pages.route(f"{BASE}/record/<kind>/<about>", methods=["GET", "POST"])
@needs("prescribing.assess")
def entry(patient_id: int, kind: str, about: str | None = None) -> Page:
    """Record one thing. `about`: the part of the assessment, or the list that is whole."""
    if kind not in FORMS or (about is None) != (kind not in ("assessment", "asked")):
        raise NotFound
    known = {"assessment": ITEMS, "asked": TOPICS}.get(kind, {})
    if about is not None and about not in known:
        raise NotFound
    patient = _patient(patient_id)
    replaces = _replaced(patient, kind)
    form: EntryForm = FORMS[kind](happened_at=act().at)
    if kind == "drug_test":
        form["confirms_id"].choices = _on_site_tests(patient)
    own = {"assessment": {"item": about}, "asked": {"topic": about}}.get(kind, {})

    def work() -> None:
        happened_at = form.happened_at.data
        assert happened_at is not None, "the form requires it"
        commands.record_entry(
            act(), patient.id, kind, {**own, **form.content()},
            happened_at=happened_at, note=form.note.data, reason=form.reason.data,
            replaces_id=replaces,
        )  # fmt: skip

    if _carried_out(form, work):
        return _to_record(patient.id, _recorded(kind, form))
    title = known.get(about or "", KINDS[kind].says)
    page = render_template(
        "prescriptions/entry.jinja", form=form, title=title, kind=kind, replaces=replaces,
        banner=banner(act(), patient),
        cancel=url_for("prescriptions_pages.record", patient_id=patient.id),
    )  # fmt: skip
    return page, form.status


def _recorded(kind: str, form: EntryForm) -> str:
    content = form.content()
    if kind == "observation" and "cows_items" in content:
        return f"Recorded. COWS total {content['withdrawal_score']}."
    return "Recorded."


def _replaced(patient: Patient, kind: str) -> int | None:
    """The entry this form is in place of, by its id in the address."""
    given = request.args.get("replaces", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


def _on_site_tests(patient: Patient) -> list[tuple[str, str]]:
    tests = queries.prescribing_record(act(), patient.id).of("drug_test")
    return [("", "No on-site test: a sample of its own")] + [
        (str(row.id), ui.moment(row.happened_at))
        for row in tests
        if row.data["method"] == "on_site"
    ]


@prescriptions_pages.route(f"{BASE}/entries/<int:entry_id>/strike", methods=["GET", "POST"])
@needs("prescribing.assess")
def strike_entry(patient_id: int, entry_id: int) -> Page:
    """Strike an entry out as wrong."""
    form = WhyForm()
    if form.carried_out(
        lambda: commands.strike_entry(act(), patient_id, entry_id, form.reason.data or "")
    ):
        return _to_record(patient_id, "Struck out. It stays on the record and counts no longer.")
    return _why(patient_id, form, "Strike this entry out", "It stays on the record, struck out.")


def _why(patient_id: int, form: Form, title: str, lead: str, **more: Any) -> Page:
    patient = _patient(patient_id, "prescribing.read")
    page = render_template(
        "one_form.jinja", form=form, title=title, lead=lead, warning=True,
        banner=banner(act(), patient),
        cancel=url_for("prescriptions_pages.record", patient_id=patient.id),
        **{"button": title, **more},
    )  # fmt: skip
    return page, form.status


# -- the dose ------------------------------------------------------------------------------


@prescriptions_pages.route(f"{BASE}/dose", methods=["GET", "POST"])
@needs("prescribing.prescribe")
def order(patient_id: int) -> Page:
    """State a dose, see every finding, then save it if nothing stops it."""
    work = act()
    patient = _patient(patient_id, "prescribing.prescribe")
    form = OrderForm(decided_at=work.at, once=secret_token())
    _offer_replacing(form, patient)
    checked: dict[str, Any] | None = None
    planned: Any = ()
    missing: list[Any] = []
    status = None
    if form.validate_on_submit() and not form.changing:
        given: dict[str, Any] = {
            "order": form.order(), "supply": form.supply(), "decided_at": form.decided_at.data,
            "replaces_id": form.replaces(),
        }  # fmt: skip
        try:
            checked, planned = commands.check_dose(act(), patient.id, **given)
            # A stopped order goes to the command too: it keeps the STOP for whoever decides next.
            if form.confirmed or checked["outcome"] == "STOP":
                decision_id = commands.save_dose_decision(
                    act(), patient.id, **given, once=form.once.data or None,
                    reason_code=form.reason_code.data, reason=form.reason.data,
                )  # fmt: skip
                flash("The decision is saved.")
                return redirect(
                    url_for(
                        "prescriptions_pages.decision", patient_id=patient.id,
                        decision_id=decision_id,
                    )
                )  # fmt: skip
        except Stopped as stopped:
            checked, status = stopped.answer, stopped.status
        except ReasonNeeded as needed:
            checked = needed.answer
            form.refuse(needed.detail, [_reason_fault(*fault) for fault in needed.faults])
        except FactsMissing as lacking:
            missing, status = [_missing(each, patient.id) for each in lacking.missing], 422
        except NotReady as not_ready:
            form.refuse(not_ready.detail)
        except (Invalid, Conflict) as refusal:
            checked = None
            form.refuse(refusal.detail, [(_field(form, f), says) for f, says in refusal.faults])
    template = "prescriptions/check.jinja" if checked else "prescriptions/order.jinja"
    page = render_template(
        template, form=form, check=checked, planned=planned, missing=missing,
        banner=banner(act(), patient), patient=patient, products=PRODUCT_NAMES,
        failing=current_app.extensions["rule_failures"],
        rows=presenters.order_rows(
            {"order": form.order(), "supply": form.supply()}, form.decided_at.data
        )
        if checked and form.decided_at.data
        else (),
        cancel=url_for("prescriptions_pages.record", patient_id=patient.id),
    )  # fmt: skip
    return page, status or form.status


def _reason_fault(field: str, says: str) -> tuple[str, str]:
    """The code of a reason is chosen by its words on the page."""
    return (field, "Choose a reason for going on" if field == "reason_code" else says)


def _offer_replacing(form: OrderForm, patient: Patient) -> None:
    record = queries.prescribing_record(act(), patient.id)
    form.replaces_id.choices = [("", "This order stands beside them, or there are none")] + [
        (
            str(row.id),
            f"It takes the place of decision {row.id}: {ui.mg(row.dose_mg)} "
            f"{PRODUCT_NAMES[row.product]}, {ui.day(row.dose_on)}. None of it was taken unrecorded",
        )
        for row in record.decisions
        if row.withdrawn_at is None and row.last_on >= act().today
    ]


@prescriptions_pages.get(f"{BASE}/decisions/<int:decision_id>")
@needs("prescribing.read")
def decision(patient_id: int, decision_id: int) -> Page:
    """One decision: the order, what was found then, what has been recorded since."""
    work = act()
    patient, row = queries.decision(work, patient_id, decision_id)
    doses = queries.doses_of(work, row.id)
    people = (row.recorded_by, row.withdrawn_by, *(each.recorded_by for each in doses))
    return render_template(
        "prescriptions/decision.jinja", row=row, doses=doses, patient=patient,
        banner=banner(work, patient), products=PRODUCT_NAMES, outcomes=OUTCOMES,
        overrides=OVERRIDES, names=queries.staff_names(work, *people),
        rows=presenters.order_rows(row.asked, row.decided_at),
        again=queries.check_again(work, row), today=work.today,
    )  # fmt: skip


@prescriptions_pages.route(f"{BASE}/decisions/<int:decision_id>/withdraw", methods=["GET", "POST"])
@needs("prescribing.prescribe")
def withdraw(patient_id: int, decision_id: int) -> Page:
    """Take a decision back."""
    form = WhyForm()
    if form.carried_out(
        lambda: commands.withdraw_decision(act(), patient_id, decision_id, form.reason.data or "")
    ):
        return _to_record(patient_id, "Withdrawn. Nothing more is to be given on it.")
    return _why(
        patient_id, form, "Withdraw this decision",
        "First record any dose of it that was taken. Tell whoever was to give the rest.",
    )  # fmt: skip


# -- doses taken ---------------------------------------------------------------------------


@prescriptions_pages.route(f"{BASE}/decisions/<int:decision_id>/dose", methods=["GET", "POST"])
@needs("prescribing.assess")
def dose(patient_id: int, decision_id: int) -> Page:
    """Record what became of a decided dose."""
    patient, row = queries.decision(act(), patient_id, decision_id)
    form = DoseForm(consumed_at=act().at)
    form.increment.choices = [
        (number, f"{number}") for number in facts.increments_of(row)
    ]  # fmt: skip
    if _carried_out(
        form,
        lambda: commands.record_dose(
            act(), patient.id, row.id,
            **_answered(form),
        ),
    ):  # fmt: skip
        return _to_record(patient.id, "The dose is recorded.")
    page = render_template(
        "prescriptions/dose.jinja", form=form, title="Record a dose",
        lead=f"Decision {row.id}: {ui.mg(row.dose_mg)} {PRODUCT_NAMES[row.product]}, "
        f"{ui.day(row.dose_on)}.",
        banner=banner(act(), patient), one=row.doses_that_day == 1,
        cancel=url_for("prescriptions_pages.record", patient_id=patient.id),
    )  # fmt: skip
    return page, form.status


@prescriptions_pages.route(f"{BASE}/doses/elsewhere", methods=["GET", "POST"])
@needs("prescribing.assess")
def dose_elsewhere(patient_id: int) -> Page:
    """Record a dose taken at another service."""
    patient = _patient(patient_id)
    form = ElsewhereDoseForm(consumed_at=act().at)
    if _carried_out(
        form,
        lambda: commands.record_dose_elsewhere(act(), patient.id, **_answered(form)),
    ):
        return _to_record(patient.id, "Recorded as a claim, until it is confirmed.")
    page = render_template(
        "one_form.jinja", form=form, title="Record a dose taken elsewhere",
        banner=banner(act(), patient),
        cancel=url_for("prescriptions_pages.record", patient_id=patient.id),
    )  # fmt: skip
    return page, form.status


@prescriptions_pages.route(f"{BASE}/doses/<int:dose_id>/strike", methods=["GET", "POST"])
@needs("prescribing.assess")
def strike_dose(patient_id: int, dose_id: int) -> Page:
    """Strike out what was recorded of a dose."""
    form = WhyForm()
    if form.carried_out(
        lambda: commands.strike_dose(act(), patient_id, dose_id, form.reason.data or "")
    ):
        return _to_record(patient_id, "Struck out.")
    return _why(
        patient_id, form, "Strike this dose out",
        "If it was recorded as taken, it counts in today's checks until a second person agrees.",
    )  # fmt: skip


@prescriptions_pages.route(f"{BASE}/doses/<int:dose_id>/agree", methods=["GET", "POST"])
@needs("prescribing.assess")
def agree_strike(patient_id: int, dose_id: int) -> Page:
    """Agree that a dose struck out was not taken."""
    form = SureForm()
    if form.carried_out(lambda: commands.agree_strike(act(), patient_id, dose_id)):
        return _to_record(patient_id, "Agreed. The dose counts no longer.")
    return _why(
        patient_id, form, "Agree that this dose was not taken",
        "From then on it counts in no check. Somebody other than who struck it out must agree.",
    )  # fmt: skip
