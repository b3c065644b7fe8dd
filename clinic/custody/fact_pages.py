"""The pages of what lies ahead of somebody in custody, where they are, and the way out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from clinic import ui
from clinic.auth import act, needs
from clinic.custody import fact_commands, queries, words
from clinic.custody.forms import (
    AwayCorrectionForm,
    AwayForm,
    ExitCorrectionForm,
    ExitForm,
    HearingCorrectionForm,
    HearingForm,
    LocationCorrectionForm,
    LocationForm,
    ReasonForm,
    ReleaseCorrectionForm,
    ReleaseForm,
    TransferCorrectionForm,
    TransferForm,
    as_text,
    yes_no,
)
from clinic.custody.models import WAYS_OUT, Delivery, Location
from clinic.custody.pages import (
    Page,
    about,
    carried_out,
    check_page,
    custody_pages,
    entry_of,
    to_be_checked,
    to_stay,
    with_wings,
)
from clinic.custody.queries import Stay
from clinic.errors import NotFound
from clinic.forms import Form
from clinic.patients.queries import banner
from clinic.phases.queries import lacking_before_leaving
from clinic.sites.models import Site


@dataclass(frozen=True)
class _Kind:
    """How one kind of fact is asked for, found and recorded."""

    title: str
    form: type[Form]
    correction: type[Form]
    record: Callable[..., int]
    rows: Callable[[Stay], Sequence[Any]]
    unknowns: tuple[str, ...] = ()


def _only(row: Any) -> Sequence[Any]:
    return [] if row is None else [row]


_KINDS = {
    "hearing": _Kind(
        "court hearing", HearingForm, HearingCorrectionForm, fact_commands.record_hearing,
        lambda view: view.hearings,
    ),
    "release": _Kind(
        "day of release", ReleaseForm, ReleaseCorrectionForm, fact_commands.record_release,
        lambda view: _only(view.release),
    ),
    "transfer": _Kind(
        "move to another prison", TransferForm, TransferCorrectionForm, fact_commands.record_transfer,
        lambda view: _only(view.transfer), ("prescriber_cover",),
    ),
    "unavailable": _Kind(
        "days away from groups", AwayForm, AwayCorrectionForm, fact_commands.record_unavailable,
        lambda view: view.unavailable,
    ),
    "location": _Kind(
        "move to a wing", LocationForm, LocationCorrectionForm, fact_commands.record_location,
        lambda view: [row for row in view.locations if row.wing.site_id == act().site_id],
    ),
    "exit": _Kind(
        "exit", ExitForm, ExitCorrectionForm, fact_commands.record_exit,
        lambda view: _only(view.exit),
    ),
}  # fmt: skip


_KIND = "<any(hearing, release, transfer, unavailable, location, exit):kind>"


def _with_choices(form: Form, row: Any = None) -> Form:
    """The form with what only the database knows: wings, and the prisons to be moved to."""
    with_wings(form, also=row.wing if isinstance(row, Location) else None)
    if "receiving_site_id" in form:
        others = act().session.scalars(
            select(Site).where(Site.kind == "prison", Site.id != act().site_id).order_by(Site.name)
        )
        form["receiving_site_id"].choices = [
            ("", "Choose"), *((site.id, site.name) for site in others), (0, "Not in this list")
        ]  # fmt: skip
    return form


def _values(form: Form, kind: _Kind) -> dict[str, Any]:
    values = {
        name: None if value == "" else value
        for name, value in form.answers().items()
        if name not in ("reason", "version")
    }
    if values.get("known_at", "") is None:
        del values["known_at"]
    for name in kind.unknowns:
        values[name] = yes_no(values[name])
    if "receiving_site_id" in values:
        values["receiving_site_id"] = values["receiving_site_id"] or None
    return values


_RECORDING = {
    "exit": "Record the exit",
    "unavailable": "Record days away from groups",
    "location": "On which wing do they live?",
}


def _planned_again(kind: str) -> str:
    return "" if kind == "location" else " The days are planned again."


def _as_typed(kind: _Kind, row: Any) -> dict[str, Any]:
    """A fact as its form shows it. When it became known is asked afresh, should a date move."""
    values = dict(vars(row), known_at=None)
    if "outcome" in values:
        values["outcome"] = values["outcome"] or ""
    if "receiving_prison" in values:
        values["receiving_site_id"] = values["receiving_site_id"] or 0
    for name in kind.unknowns:
        values[name] = as_text(values[name])
    return {name: value for name, value in values.items() if name not in ("version", "reason")}


@custody_pages.route(f"/stays/<int:reception_id>/{_KIND}/new", methods=["GET", "POST"])
@needs("release.plan")
def record(reception_id: int, kind: str) -> Page:
    """Record a hearing, a release, a move, days away or an exit; the days are planned again."""
    each = _KINDS[kind]
    form = _with_choices(each.form())

    def work() -> None:
        each.record(act(), reception_id, **_values(form, each))

    to_check = kind == "exit"
    if (form.confirmed or not to_check) and carried_out(form, work):
        left = to_check and form["how"].data != "transfer"
        follows = " What was still open is closed." if left else _planned_again(kind)
        return to_stay(reception_id, f"Recorded: {each.title}.{follows}")
    view = queries.stay(act(), reception_id)
    if kind == "location" and len(form["wing_id"].choices) == 1:
        raise NotFound("No wing of this prison is listed yet. A manager lists them under Custody.")
    if to_check and to_be_checked(form):
        rows = [
            ("Left", ui.moment(form["at"].data)),
            ("How", WAYS_OUT[form["how"].data]),
        ]
        return check_page(
            form, "Check the exit", rows, banner=banner(act(), view.patient),
            warning=form["how"].data == "died",
        )  # fmt: skip
    lead = None
    if to_check and (lacks := lacking_before_leaving(act(), reception_id)):
        lead = f"Not offered yet, and owed to everybody however short the stay: {'; '.join(lacks)}."
    return about(view, form, _RECORDING.get(kind, f"Record a {each.title}"), lead=lead)


@custody_pages.route(
    f"/stays/<int:reception_id>/{_KIND}/<int:fact_id>/correct", methods=["GET", "POST"]
)
@needs("release.plan")
def correct(reception_id: int, kind: str, fact_id: int) -> Page:
    """Put right a hearing, a release, a move, days away or an exit."""
    each = _KINDS[kind]
    row = entry_of(each.rows(queries.stay(act(), reception_id)), fact_id)
    form = _with_choices(each.correction(**_as_typed(each, row)), row)

    def work() -> None:
        fact_commands.correct_fact(
            act(), reception_id, kind, fact_id, version=form["version"].data or 0,
            reason=form["reason"].data or "", **_values(form, each),
        )  # fmt: skip

    if carried_out(form, work):
        return to_stay(reception_id, f"Corrected: {each.title}.{_planned_again(kind)}")
    return about(queries.stay(act(), reception_id), form, f"Correct: {each.title}")


@custody_pages.route(
    "/stays/<int:reception_id>"
    "/<any(hearing, release, transfer, unavailable, location, exit, delivery):kind>"
    "/<int:fact_id>/strike-out",
    methods=["GET", "POST"],
)
@needs("custody.read")
def strike_out(reception_id: int, kind: str, fact_id: int) -> Page:
    """It was recorded in error. The command asks for the right the entry itself needs."""
    form = ReasonForm()

    def work() -> None:
        fact_commands.strike_out(
            act(), reception_id, kind, fact_id, version=form.version.data or 0,
            reason=form.reason.data or "",
        )  # fmt: skip

    if carried_out(form, work):
        says = "The entry is struck out. It stays in the history."
        move = queries.stay(act(), reception_id).transfer
        if kind == "exit" and move is not None:
            says += f" The move to {move.receiving_prison} is still booked: strike it out as well "
            says += "if they are not to go."
        return to_stay(reception_id, says)
    view = queries.stay(act(), reception_id)
    if kind == "delivery":
        row: Delivery = entry_of(view.deliveries, fact_id)
        said = f"{words.duty(row.item, row.for_on)}, {ui.moment(row.done_at)}"
    else:
        entry_of(_KINDS[kind].rows(view), fact_id)
        said = _KINDS[kind].title
    return about(
        view, form, "Strike out an entry", warning=True, button="Strike out",
        lead=f"{said[0].upper()}{said[1:]}. Use this when it was recorded in error.",
    )  # fmt: skip
