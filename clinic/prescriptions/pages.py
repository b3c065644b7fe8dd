"""The prescribing pages: what is known, the dose and its check, decisions."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from clinic import home, ui
from clinic.act import Act
from clinic.answers import Page, WhyForm, field_of, patient_of, to_record, why_page
from clinic.assessments.gate import NotCleared
from clinic.assessments.kinds import KINDS, PRODUCT_NAMES, TOPICS, may_record
from clinic.assessments.queries import assessment_of
from clinic.auth import act, needs, secret_token
from clinic.consumption.models import OUTCOMES, SWALLOWED
from clinic.errors import Conflict, Invalid, NotReady
from clinic.patients.models import Patient
from clinic.patients.pages import record_link
from clinic.patients.queries import banner, wing_lines
from clinic.prescriptions import answered_by, commands, facts, presenters, queries
from clinic.prescriptions.commands import FactsMissing, ReasonNeeded, Stopped
from clinic.prescriptions.doses import days_of
from clinic.prescriptions.forms import OrderForm
from clinic.prescriptions.models import OVERRIDES

prescriptions_pages = Blueprint("prescriptions_pages", __name__)
ui.nav("Prescribing", "prescriptions_pages.listed", "prescribing.read")
record_link("Prescribing", "prescriptions_pages.record", "prescribing.read")


COLOURS = {queries.STOPPED: "red", queries.DOSE: "orange"}
BASE = "/patients/<int:patient_id>/prescribing"


@home.worklist("prescribing.assess")
def worklist(work: Act) -> home.Worklist:
    """Who waits for a dose, a decision or another look today."""
    return home.Worklist(
        title="Prescribing today",
        rows=_rows(work, queries.waiting(work)),
        empty="Nobody waits for a decision or a dose.",
        more_text="Prescribing at this site",
        more_href=url_for("prescriptions_pages.listed"),
    )


def _rows(work: Act, found: list[tuple[Patient, queries.Waiting]]) -> list[home.Row]:
    where = wing_lines(work, [patient.id for patient, _ in found])
    return [
        home.Row(
            due=each.due,
            person=patient.listed_name,
            href=url_for("prescriptions_pages.record", patient_id=patient.id),
            what=each.why,
            who=None,
            risk=each.risk,
            risk_colour=COLOURS.get(each.risk or "", "grey"),
            where=where.get(patient.id),
        )
        for patient, each in found
    ]


@prescriptions_pages.get("/prescribing")
@needs("prescribing.read")
def listed() -> Page:
    """What waits at this site."""
    work = act()
    return render_template("prescriptions/list.jinja", rows=_rows(work, queries.waiting(work)))


@prescriptions_pages.get(BASE)
@needs("prescribing.read")
def record(patient_id: int) -> Page:
    """What is recorded, when and by whom, what is missing, what was decided and taken."""
    work = act()
    found = queries.prescribing_record(work, patient_id)
    return render_template(
        "prescriptions/record.jinja", record=found, banner=banner(work, found.patient),
        assessment=assessment_of(work, found.patient),
        products=PRODUCT_NAMES, outcomes=OUTCOMES, overrides=OVERRIDES, topics=TOPICS,
        swallowed=SWALLOWED, today=work.today,
        days_of=days_of, missing=[missing_link(each, found.patient.id) for each in found.missing],
    )  # fmt: skip


def missing_link(each: facts.Missing, patient_id: int) -> dict[str, str | None]:
    """A missing fact and, for whoever may record it, where that is done."""
    rights, href = act().rights, None
    kind, about = ("asked", each.kind) if each.kind in TOPICS else (each.kind, None)
    if each.kind == "dose" and "consumption.record" in rights:
        href = url_for(
            "consumption_pages.give",
            patient_id=patient_id,
            decision_id=each.decision_id,
            on=each.on,
        )
    elif kind == "elsewhere" and "prescribing.assess" in rights:
        href = url_for("consumption_pages.dose_elsewhere", patient_id=patient_id)
    elif kind in KINDS:
        href = _entry_href(patient_id, kind, about)
    return {"says": each.says, "href": href}


def _entry_href(patient_id: int, kind: str, about: str | None) -> str | None:
    """Where such an entry is recorded; None for whoever may not."""
    if not may_record(act().rights, kind, about):
        return None
    return url_for("assessments_pages.entry", patient_id=patient_id, kind=kind, about=about)


def ways_to_record(
    answer: dict[str, Any] | None, patient_id: int, *, reason_asked: bool = False
) -> dict[str, list[dict[str, str]]]:
    """Rule -> where what it reads or misses is put right, for whoever may do that.

    `reason_asked`: the page itself asks for the reason for going on.
    """
    ways: dict[str, list[dict[str, str]]] = {}
    for finding in (answer or {}).get("findings", ()):
        rule = finding["rule"]
        links = [
            {"says": answered_by.said((kind, about)), "href": href}
            for kind, about in answered_by.entries_for(finding)
            if (href := _entry_href(patient_id, kind, about)) is not None
        ]
        page = answered_by.PAGES.get(rule)
        if page is not None and page.right in act().rights:
            href = url_for(page.endpoint, patient_id=patient_id)
            links.append({"says": page.says, "href": href})
        if reason_asked and rule in answered_by.TYPED_REASON:
            links.append({"says": "Give the reason for going on", "href": "#reason_code"})
        if links:
            ways[rule] = links
    return ways


# -- the dose ------------------------------------------------------------------------------


@prescriptions_pages.route(f"{BASE}/dose", methods=["GET", "POST"])
@needs("prescribing.prescribe")
def order(patient_id: int) -> Page:
    """State a dose, see every finding, then save it if nothing stops it."""
    work = act()
    patient = patient_of(patient_id, "prescribing.prescribe")
    form = OrderForm(decided_at=work.at, once=secret_token())
    known = queries.prescribing_record(work, patient.id)
    _offer_replacing(form, known)
    checked: dict[str, Any] | None = None
    planned: Any = ()
    missing: list[Any] = []
    if not form.is_submitted():  # told before the order is typed, not after
        missing = [missing_link(each, patient.id) for each in known.missing]
    lacking = assessment_of(work, patient).lacking
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
        except FactsMissing as facts_missing:
            missing, status = (
                [missing_link(each, patient.id) for each in facts_missing.missing],
                422,
            )
        except NotCleared as not_cleared:
            lacking, status = not_cleared.lacking, not_cleared.status
        except NotReady as not_ready:
            form.refuse(not_ready.detail)
        except (Invalid, Conflict) as refusal:
            checked = None
            form.refuse(refusal.detail, [(field_of(form, f), says) for f, says in refusal.faults])
    template = "prescriptions/check.jinja" if checked else "prescriptions/order.jinja"
    asked = checked is not None and checked["outcome"] == "ALERT"
    page = render_template(
        template, form=form, check=checked, planned=planned, missing=missing, lacking=lacking,
        ways=ways_to_record(checked, patient.id, reason_asked=asked),
        may=lambda kind, about: may_record(work.rights, kind, about),
        banner=banner(act(), patient), patient=patient, products=PRODUCT_NAMES,
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


def _offer_replacing(form: OrderForm, record: queries.Record) -> None:
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
    again = queries.check_again(work, row)
    people = (row.recorded_by, row.withdrawn_by, *(each.recorded_by for each in doses))
    return render_template(
        "prescriptions/decision.jinja", row=row, doses=doses, patient=patient,
        banner=banner(work, patient), products=PRODUCT_NAMES, outcomes=OUTCOMES,
        overrides=OVERRIDES, names=queries.staff_names(work, *people),
        rows=presenters.order_rows(row.asked, row.decided_at),
        again=again, ways=ways_to_record(again, patient.id), today=work.today,
    )  # fmt: skip


@prescriptions_pages.route(f"{BASE}/decisions/<int:decision_id>/withdraw", methods=["GET", "POST"])
@needs("prescribing.prescribe")
def withdraw(patient_id: int, decision_id: int) -> Page:
    """Take a decision back."""
    form = WhyForm()
    if form.carried_out(
        lambda: commands.withdraw_decision(act(), patient_id, decision_id, form.reason.data or "")
    ):
        return to_record(patient_id, "Withdrawn. Nothing more is to be given on it.")
    return why_page(
        patient_id, form, "Withdraw this decision",
        "First record any dose of it that was taken. Tell whoever was to give the rest.",
    )  # fmt: skip
