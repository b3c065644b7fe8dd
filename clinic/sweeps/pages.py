"""The runs of the sweeps, for managers, auditors and administrators."""

from __future__ import annotations

from flask import Blueprint, render_template
from sqlalchemy import select

from clinic import ui
from clinic.auth import act, needs
from clinic.sweeps.models import SweepRun
from clinic.sweeps.schedule import SWEEPS

sweeps_pages = Blueprint("sweeps_pages", __name__, url_prefix="/sweeps")
ui.nav("Sweeps", "sweeps_pages.runs", "sweeps.read")

SHOWN = 100


@sweeps_pages.get("")
@needs("sweeps.read")
def runs() -> str:
    """The newest runs, failures first among equals of a day."""
    rows = act().session.scalars(
        select(SweepRun).order_by(SweepRun.day.desc(), SweepRun.outcome.desc()).limit(SHOWN)
    )
    return render_template("sweeps/runs.jinja", runs=list(rows), sweeps=SWEEPS)
