"""A rule fired on something recorded, not recorded, or too old: where is that put right?

Only what an entry or a page can answer stands here; that a dose is too high is answered by none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from clinic.assessments.kinds import CONSENT, ITEMS, KINDS

Entry = tuple[str, str | None]
"""The kind of an entry, and what it is about where its form asks."""

_LOOK: Final[Entry] = ("observation", None)
_TEST: Final[Entry] = ("drug_test", None)
_ECG: Final[Entry] = ("ecg", None)
_MEDICINE: Final[Entry] = ("medicine", None)
_HISTORY: Final[Entry] = ("medical_history", None)
_TOLERANCE: Final[Entry] = ("tolerance", None)
_USE: Final[Entry] = ("opioid_use", None)
_CLAIM: Final[Entry] = ("steady_dose", None)
_CONFIRMED: Final[Entry] = ("confirmation", None)
_SEEN: Final[Entry] = ("assessment", "prescriber_assessed")


def _each(answer: tuple[Entry, ...], *rules: str) -> dict[str, tuple[Entry, ...]]:
    return dict.fromkeys(rules, answer)


ENTRIES: Final[Mapping[str, tuple[Entry, ...]]] = {
    **_each(
        (_LOOK,), "B-DP-02", "B-PW-07", "G-AL-01", "G-AL-02", "G-AL-03", "G-AL-04", "G-IN-01",
        "G-IN-02", "G-WD-01", "G-WD-02", "M-D1-03", "M-D1-04", "M-TI-07", "P-07", "P-08",
    ),
    **_each((_TEST,), "G-DT-01", "G-DT-02", "G-DT-03", "G-DT-04", "G-DT-05"),
    "P-04": (_TEST, _LOOK),
    **_each((_ECG,), "M-MX-01", "M-MX-02", "M-MX-03", "M-MX-04", "M-MX-05"),
    **_each((_SEEN, _LOOK), "B-MD-02", "B-MD-04", "M-MD-02", "M-MD-04"),
    **_each((_USE, _LOOK), "B-PW-01", "B-PW-02"),
    "B-PW-03": (_LOOK, _TOLERANCE),
    **_each((_USE, _CLAIM), "B-PW-04", "B-PW-05", "B-PW-06", "B-PW-08"),
    **_each((_TOLERANCE, _HISTORY), "B-FD-02", "M-D1-09", "M-D1-12", "M-D1-13", "M-FD-03", "M-FD-05"),
    **_each((_USE, _TOLERANCE), "M-FD-08", "M-FD-09"),
    **_each((_HISTORY, _MEDICINE), "G-CI-01", "I-GB-01"),
    **_each((_HISTORY,), "G-CI-02", "G-CI-03", "G-CI-04", "M-RD-01", "M-RD-02"),
    **_each((_MEDICINE,), "G-NX-01", "I-CY-01", "I-CY-02", "I-OP-01"),
    "I-BZ-01": (("monitoring_plan", None), _MEDICINE),
    "B-SW-01": (("assessment", "retitration_plan"),),
    "G-PG-01": (("pregnancy_test", None),),
    "G-PG-02": (("assessment", "specialist_review"),),
    **_each((_CONFIRMED,), "P-01", "P-02", "P-03", "P-05"),
    "P-06": (_CLAIM,),
    "P-11": (("assessment", "informed_choice"),),
    "P-12": (("assessment", "maintenance_justified"),),
    "P-13": (("custody", None),),
    "P-14": (("assessment", "naloxone_offered"),),
    "S-05": (("assessment", "safe_storage"),),
}  # fmt: skip


@dataclass(frozen=True)
class Elsewhere:
    """A page that is no entry's form: its endpoint, who may open it, what the link says."""

    endpoint: str
    right: str
    says: str


_BORN: Final = Elsewhere("patients_pages.correct", "patients.edit", "Correct the date of birth")
_DOSES: Final = Elsewhere(
    "consumption_pages.person", "consumption.read", "See what is recorded of each dose"
)
PAGES: Final[Mapping[str, Elsewhere]] = {
    **dict.fromkeys(("G-AG-01", "G-AG-02"), _BORN),
    **dict.fromkeys(
        ("B-MD-02", "B-MD-04", "M-MD-02", "M-MD-03", "M-MD-04", "M-MD-05", "M-TI-08", "B-DP-06",
         "B-DP-04", "M-D1-01"),
        _DOSES,
    ),
    "P-13": Elsewhere("release_pages.start", "release.plan", "Open the release plan"),
}  # fmt: skip
TYPED_REASON: Final = frozenset({
    "G-CI-02", "G-DT-02", "G-DT-04", "L-08", "M-FD-04", "M-TI-01", "P-06", "S-02",
})  # fmt: skip
"""Rules that ask for a reason in so many words: it is typed with the decision itself."""


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
