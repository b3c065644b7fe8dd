"""The register of alerts gone against, how often, a quarter's sheet, and the clinical lead's review."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from clinic import home, sheets, ui
from clinic.act import Act
from clinic.answers import Page
from clinic.auth import act, needs
from clinic.guidance import commands, overrides
from clinic.guidance.forms import ReviewForm
from clinic.periods import Quarter

override_pages = Blueprint("override_pages", __name__, url_prefix="/overrides")
ui.nav("Overrides", "override_pages.register", "guidance.oversee")

SHOWN = 8


@home.worklist("guidance.review")
def worklist(work: Act) -> home.Worklist:
    """How many overrides wait for the clinical lead."""
    count = overrides.to_review(work)
    says = "None of the last 90 days waits for your review."
    if count:
        says = f"{count} of the last 90 days {'waits' if count == 1 else 'wait'} for your review."
    return home.Worklist(
        title="Alerts gone against", rows=[], empty=says, more_text="Open the register",
        more_href=url_for("override_pages.register"), counted=count,
    )  # fmt: skip


def _quarter() -> Quarter:
    """The quarter of the address; this one when none is named."""
    name = request.args.get("quarter")
    return Quarter.named(name) if name else Quarter.of(act().today)


def _recent(shown: Quarter) -> list[Quarter]:
    quarters = [Quarter.of(act().today)]
    while len(quarters) < SHOWN:
        quarters.append(quarters[-1].before())
    return sorted({*quarters, shown}, reverse=True)


@override_pages.get("")
@needs("guidance.oversee")
def register() -> str:
    """The alerts gone against in a quarter, newest first."""
    quarter = _quarter()
    page = request.args.get("page", "1")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1
    return render_template(
        "guidance/overrides.jinja", found=overrides.register(act(), quarter, number),
        quarters=_recent(quarter),
    )  # fmt: skip


@override_pages.get("/rates")
@needs("guidance.oversee")
def rates() -> str:
    """How often each rule fired and was gone against, and by whom."""
    quarter = _quarter()
    return render_template(
        "guidance/rates.jinja", found=overrides.rates(act(), quarter), quarters=_recent(quarter)
    )


@override_pages.get("/<quarter>.csv")
@needs("guidance.oversee")
def sheet(quarter: str) -> Response:
    """A quarter as a sheet that names no patient."""
    named = Quarter.named(quarter)
    return sheets.as_csv(f"overrides-{named}.csv", overrides.HEADS, overrides.export(act(), named))


@override_pages.route("/<int:finding_id>", methods=["GET", "POST"])
@needs("guidance.oversee")
def override(finding_id: int) -> Page:
    """One alert gone against, what was made of it, and a place to add to that."""
    found = overrides.override(act(), finding_id)
    form = ReviewForm()
    if form.carried_out(
        lambda: commands.review_override(act(), finding_id, form.comment.data or "")
    ):
        flash("Your review is recorded.")
        return redirect(url_for("override_pages.override", finding_id=finding_id))
    page = render_template(
        "guidance/override.jinja", found=found, form=form,
        may_review=act().may("guidance.review") and found.finding.recorded_by != act().staff_id,
        quarter=Quarter.of(found.finding.found_on),
    )  # fmt: skip
    return page, form.status
