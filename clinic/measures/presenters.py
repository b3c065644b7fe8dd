"""Numbers of measures as words, and the page on which each case can be looked into."""

from __future__ import annotations

from flask import url_for

from clinic.act import Act
from scheduling.measures import ENDED, IN_TIME, LATE, RUNNING, Case, Count

STANDS = {
    IN_TIME: ("In time", "green"),
    LATE: ("Late", "red"),
    RUNNING: ("Still running", "blue"),
    ENDED: ("Ended before", "grey"),
}
_PAGES = {
    "referral": ("appointments_pages.referral", "referral_id", "appointments.read"),
    "stay": ("custody_pages.stay", "reception_id", "custody.read"),
    "release": ("release_pages.plan", "plan_id", "release.read"),
}


def says(count: Count) -> str:
    """One plain sentence: "7 of 9 in time (78 %)"."""
    if count.percent is None:
        return "nobody’s time was up"
    return f"{count.numerator} of {count.denominator} in time ({count.percent}\u00a0%)"


def link(work: Act, case: Case) -> str | None:
    """Where the case is: the referral, the stay or the release plan; else the build-up of the dose.

    None for somebody who may not open it.
    """
    kind, _, rest = case.key.partition("-")
    if kind not in _PAGES:
        may = work.may("prescribing.read")
        return url_for("titration_pages.person", patient_id=case.patient_id) if may else None
    endpoint, name, right = _PAGES[kind]
    number = int(rest.partition("-")[0])
    return url_for(endpoint, **{name: number}) if work.may(right) else None
