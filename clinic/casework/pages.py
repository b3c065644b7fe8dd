"""The pages of the casework file, the end of the 28 days, and moves between prisons."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, url_for

from clinic import home, ui
from clinic.act import Act
from clinic.auth import act, needs
from clinic.casework import commands, moves, queries
from clinic.casework.forms import (
    AcceptedElsewhereForm,
    AcceptForm,
    CertifyAgainForm,
    CertifyForm,
    CompletionForm,
    CorrectCompletionForm,
    EntryForm,
    StrikeForm,
)
from clinic.casework.models import NEXT_STEP_WORDS, Certificate, Completion
from clinic.casework.pdf import certificate_pdf
from clinic.custody import presenters, words
from clinic.custody import queries as custody
from clinic.custody.expected import expected
from clinic.custody.models import MODES, TOPIC_NAMES
from clinic.custody.pages import Page, about, carried_out
from clinic.errors import NotFound
from clinic.handovers import parts
from clinic.patients.queries import banner, same_person
from clinic.sheets import as_csv
from dosing.days import london_time
from scheduling.careplans import REFERRALS

casework_pages = Blueprint("casework_pages", __name__, url_prefix="/casework")
MOST_ON_HOME = 20
_ONE = "/stays/<int:reception_id>"


@home.worklist("custody.deliver")
def next_steps(work: Act) -> home.Worklist | None:
    """Whose day 28 has come without a next step."""
    if not custody.at_a_prison(work):
        return None
    rows = queries.without_next_step(work)
    return home.Worklist(
        title="Day 28 without a next step",
        rows=[
            home.Row(
                due=row.day_28,
                person=row.person,
                href=url_for("casework_pages.complete", reception_id=row.reception_id),
                what="Say what comes next",
                who="Keyworker",
                risk=presenters.risk(row.ppo, row.heightened_risk, row.day)[0],
                risk_colour=presenters.risk(row.ppo, row.heightened_risk, row.day)[1],
            )
            for row in rows[:MOST_ON_HOME]
        ],
        empty="Everybody at day 28 has a next step.",
    )


def _to_file(reception_id: int, says: str) -> Any:
    flash(says)
    return redirect(url_for("casework_pages.file", reception_id=reception_id))


# -- the file --------------------------------------------------------------------------------


@casework_pages.get(_ONE)
@needs("careplans.read")
def file(reception_id: int) -> Page:
    """The casework file of one person: everything in the order it was."""
    work = act()
    view = queries.casework_file(work, reception_id)
    return render_template(
        "casework/file.jinja", view=view, banner=banner(work, view.stay.patient),
        day=presenters.day_of_custody(view.stay, work.today), next_steps=NEXT_STEP_WORDS,
        asked=[(REFERRALS[kind], why) for kind, why in view.asked],
    )  # fmt: skip


@casework_pages.get(f"{_ONE}/file.csv")
@needs("careplans.read")
def export(reception_id: int) -> Response:
    """The file as a table for a spreadsheet. It carries no name."""
    view = queries.casework_file(act(), reception_id, action="casework.exported")
    return as_csv(
        f"casework-{reception_id}.csv", ("at", "kind", "what", "says", "by", "struck_out"),
        [
            (
                (line.on or london_time(line.at)).isoformat(), line.kind, line.what, line.says,
                line.by, line.struck,
            )
            for line in view.lines
        ],
    )  # fmt: skip


@casework_pages.get(f"{_ONE}/transfer")
@needs("careplans.read")
def transfer(reception_id: int) -> Page:
    """What goes with somebody to the next prison, on one page."""
    work = act()
    view = queries.casework_file(work, reception_id, action="casework.transfer_file_shown")
    on = view.stay.transfer.on if view.stay.transfer else work.today
    day = presenters.day_of_custody(view.stay, on)
    return render_template(
        "casework/transfer.jinja", view=view, banner=banner(work, view.stay.patient),
        phases=presenters.phases(view.stay), day=day, on=on,
        risk=presenters.risk(view.stay.detail.ppo, view.stay.detail.heightened_risk, day),
        referral_names=REFERRALS, came=presenters.came,
        doses=dict(parts.dose_lines(parts.doses(work, same_person(work, view.stay.patient.id)))),
    )  # fmt: skip


@casework_pages.route(f"{_ONE}/entries/new", methods=["GET", "POST"])
@needs("custody.deliver")
def enter(reception_id: int) -> Page:
    """A session offered, missed, moved or made lighter; or a note."""
    form = EntryForm()
    if carried_out(form, lambda: commands.record_entry(act(), reception_id, **form.answers())):
        return _to_file(reception_id, "It is in the casework file.")
    lead = "What was done goes through the 28 days. The day a session is due by stays as it is."
    return _about(reception_id, form, "Add to the casework file", lead=lead)


def _about(reception_id: int, form: Any, title: str, **more: Any) -> Page:
    more.setdefault("cancel", url_for("casework_pages.file", reception_id=reception_id))
    return about(custody.stay(act(), reception_id), form, title, **more)


@casework_pages.route(
    f"{_ONE}/<any(entry, completion, certificate, acceptance):what>/<int:row_id>/strike-out",
    methods=["GET", "POST"],
)
@needs("custody.deliver")
def strike_out(reception_id: int, what: str, row_id: int) -> Page:
    """It was wrong: it counts no more and stays visible."""
    form = StrikeForm()
    if carried_out(
        form, lambda: commands.strike_out(act(), what, row_id, reason=form.reason.data or "")
    ):
        return _to_file(reception_id, "It is struck out. It stays in the file.")
    said = {"entry": "an entry", "completion": "the final review", "certificate": "the certificate",
            "acceptance": "the acceptance"}[what]  # fmt: skip
    return _about(
        reception_id, form, f"Strike out {said}", warning=True, button="Strike out",
        lead="Use this when it was recorded in error. What it made done is open again.",
    )  # fmt: skip


# -- completion ------------------------------------------------------------------------------


@casework_pages.route(f"{_ONE}/completion", methods=["GET", "POST"])
@needs("custody.deliver")
def complete(reception_id: int) -> Page:
    """The final case review: exit strategy and next step."""
    before = commands.standing(act(), Completion, reception_id)
    form: CompletionForm = (
        CorrectCompletionForm(
            exit_strategy=before.exit_strategy, next_step=before.next_step,
            next_says=before.next_says, next_on=before.next_on, reviewed_at=before.reviewed_at,
            by=queries.took_part(act(), reception_id),
        )
        if before
        else CompletionForm()
    )  # fmt: skip
    if carried_out(form, lambda: commands.complete(act(), reception_id, **form.answers())):
        return _to_file(reception_id, "The final review is recorded.")
    view = queries.casework_file(act(), reception_id)
    page = render_template(
        "casework/completion.jinja", form=form, banner=banner(act(), view.stay.patient), view=view,
        title="Correct the final review" if before else "Final case review",
        asked=[(REFERRALS[kind], why) for kind, why in view.asked],
        cancel=url_for("casework_pages.file", reception_id=reception_id),
    )  # fmt: skip
    return page, form.status


@casework_pages.route(f"{_ONE}/certificate", methods=["GET", "POST"])
@needs("custody.deliver")
def certify(reception_id: int) -> Page:
    """Give a certificate of what was attended."""
    before = commands.standing(act(), Certificate, reception_id)
    form = CertifyAgainForm() if before else CertifyForm()
    if carried_out(form, lambda: commands.certify(act(), reception_id, **form.answers())):
        return _to_file(reception_id, "The certificate is given. Print it from here.")
    view = custody.stay(act(), reception_id)
    attended = [
        _listed(each.item, each.on, each.topic, each.mode)
        for each in commands.sessions_attended(act(), reception_id)
    ]
    elsewhere = [
        _listed(each.item, each.on, each.topic, each.mode)
        for each in commands.sessions_elsewhere(act(), reception_id)
    ]
    page = render_template(
        "casework/certify.jinja", form=form, banner=banner(act(), view.patient), attended=attended,
        elsewhere=elsewhere, there=view.detail.came_from,
        title="Give another certificate" if before else "Give a certificate",
        cancel=url_for("casework_pages.file", reception_id=reception_id),
    )  # fmt: skip
    return page, form.status


def _listed(item: str, on: date, topic: str | None, mode: str | None) -> dict[str, str]:
    """A session as the certificate names it."""
    return {
        "on": ui.day(on),
        "what": TOPIC_NAMES[topic] if topic else words.duty(item),
        "how": MODES[mode] if mode else "Session",
    }


def prisons_of(stay: custody.Stay, issued_at: datetime) -> list[str]:
    """Where somebody had been in these days when a certificate was given, in that order."""
    moved = stay.exit is not None and stay.exit.how == "transfer" and stay.exit.at <= issued_at
    there = stay.transfer if moved else None
    return [stay.site.name, *([there.receiving_prison] if there else [])]


@casework_pages.get("/certificates/<int:certificate_id>.pdf")
@needs("custody.read")
def certificate(certificate_id: int) -> Response:
    """A certificate as it was given."""
    work = act()
    row, patient, reception = queries.certificate(work, certificate_id)
    stay = custody.stay(work, reception.id)
    made = certificate_pdf(
        {
            "prison": " and ".join(prisons_of(stay, row.issued_at)),
            "name": f"{patient.given_name} {patient.family_name}",
            "issued": ui.day(row.issued_at),
            "number": f"Certificate {row.number} of stay {reception.id}",
            "keyworker": stay.keyworker.name if stay.keyworker else None,
            "withdrawn": f"WITHDRAWN: {row.struck_reason}" if row.struck_at else None,
            "sessions": [_printed(each) for each in row.sessions if "elsewhere" not in each],
            "elsewhere": [_printed(each) for each in row.sessions if "elsewhere" in each],
            "there": next((each["elsewhere"] for each in row.sessions if "elsewhere" in each), ""),
        }
    )
    return Response(
        made, mimetype="application/pdf",
        headers={"Content-Disposition": f'inline; filename="certificate-{row.id}.pdf"',
                 "Cache-Control": "no-store"},
    )  # fmt: skip


def _printed(each: dict[str, str]) -> dict[str, str]:
    return _listed(each["item"], date.fromisoformat(each["on"]), each["topic"], each["mode"])


# -- moves -----------------------------------------------------------------------------------


@casework_pages.get("/moves")
@needs("custody.read")
def between_prisons() -> Page:
    """Who comes here inside their 28 days, and whom this prison still answers for."""
    work = act()
    if not custody.at_a_prison(work):
        raise NotFound("Moves between prisons belong to a prison.")
    return render_template(
        "casework/moves.jinja", arrivals=moves.arrivals(work), leaving=moves.handing_over(work),
        expected=expected(work),
        risk=presenters.risk,
    )  # fmt: skip


@casework_pages.route(f"{_ONE}/accept", methods=["GET", "POST"])
@needs("custody.deliver")
def accept(reception_id: int) -> Page:
    """The receiving team takes somebody over."""
    view = custody.stay(act(), reception_id)
    here = view.transfer is not None and view.transfer.receiving_site_id == act().site_id
    form = AcceptForm() if here else AcceptedElsewhereForm()
    if carried_out(form, lambda: commands.accept_transfer(act(), reception_id, **form.answers())):
        flash("The transfer is accepted.")
        return redirect(url_for("casework_pages.between_prisons"))
    lead = "From now on the receiving team answers for them. Their 28 days go on."
    return about(
        custody.stay(act(), reception_id), form, "Accept the transfer", button="Accept",
        lead=lead, cancel=url_for("casework_pages.between_prisons"),
    )  # fmt: skip
