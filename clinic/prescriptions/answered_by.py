"""A rule fired because something is not recorded, or too old: which entry would answer it?

Only what an entry can answer stands here; that a dose is too high is answered by no entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from clinic.assessments.kinds import CONSENT, ITEMS, KINDS

Entry = tuple[str, str | None]
"""The kind of an entry, and what it is about where its form asks."""

_LOOK: Final[Entry] = ("observation", None)
_TEST: Final[Entry] = ("drug_test", None)
_ECG: Final[Entry] = ("ecg", None)
ENTRIES: Final[Mapping[str, tuple[Entry, ...]]] = {
    **dict.fromkeys(
        ("B-PW-07", "G-AL-04", "G-WD-01", "M-D1-03", "M-TI-07", "P-07", "P-08"), (_LOOK,)
    ),
    "P-04": (_TEST, _LOOK),
    **dict.fromkeys(("G-DT-01", "G-DT-05"), (_TEST,)),
    **dict.fromkeys(("M-MX-01", "M-MX-05"), (_ECG,)),
    **dict.fromkeys(
        ("B-MD-02", "B-MD-04", "M-MD-02"), (("assessment", "prescriber_assessed"), _LOOK)
    ),
    "B-SW-01": (("assessment", "retitration_plan"),),
    "G-PG-01": (("pregnancy_test", None),),
    "G-PG-02": (("assessment", "specialist_review"),),
    "I-BZ-01": (("monitoring_plan", None),),
    "P-05": (("confirmation", None),),
    "P-11": (("assessment", "informed_choice"),),
    "P-12": (("assessment", "maintenance_justified"),),
    "P-14": (("assessment", "naloxone_offered"),),
    "S-05": (("assessment", "safe_storage"),),
}


def entries_for(finding: Mapping[str, Any]) -> tuple[Entry, ...]:
    """The entries that would answer a finding; none where no entry can."""
    known = finding.get("facts") or {}
    if finding["rule"] == "G-AS-01":
        items = [each.replace(" ", "_") for each in known.get("missing_items", ())]
        return tuple((CONSENT, None) if each == CONSENT else ("assessment", each) for each in items)
    if finding["rule"] == "P-09":
        return tuple(("assessment", f"review_{each}") for each in known.get("reviews", ()))
    return ENTRIES.get(finding["rule"], ())


def said(entry: Entry) -> str:
    """What the link to such an entry says."""
    kind, about = entry
    return f"Record: {(ITEMS[about] if about else KINDS[kind].says).lower()}"
