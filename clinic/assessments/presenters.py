"""What does an entry say, in the words of the clinic?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from clinic import ui
from clinic.assessments import kinds, words
from clinic.assessments.models import ClinicalEntry
from clinic.assessments.scales import SCALES
from clinic.consumption.models import SUPERVISION
from dosing import alcohol
from dosing.complexity import REASONS
from scheduling import assessment

Codes = Mapping[str, str]
_CASE = {id: reason["says"] for id, reason in REASONS.items()}
_UNKNOWN = {id: reason["unknown"] for id, reason in REASONS.items()}
_WORDS: dict[str, Codes] = {
    "item": kinds.ITEMS, "finding": kinds.FINDINGS, "tolerance": kinds.TOLERANCES,
    "conditions": kinds.CONDITIONS, "substance_use": kinds.SUBSTANCES,
    "stimulants": kinds.DRUGS, "status": {**kinds.PREGNANCY, **kinds.STATUSES},
    "classes": kinds.MEDICINE_CLASSES, "topic": kinds.TOPICS, "whose_word": kinds.WHOSE_WORD,
    "primary_drug": kinds.DRUGS, "secondary_drug": kinds.DRUGS, "sample": kinds.SAMPLES,
    "method": kinds.METHODS, "result": kinds.RESULTS, "withdrawal_scale": SCALES,
    "sedation": kinds.SEDATION, "clinical_view": words.CLINICAL_VIEWS, "opioid": kinds.OPIOIDS,
    "product": kinds.PRODUCT_NAMES, "supervision": SUPERVISION, "by": kinds.ASKED,
    "outcome": kinds.CONFIRMATIONS, "plan": kinds.PLANS, "problems": words.MENTAL_HEALTH,
    "needs": words.SOCIAL, "offer": words.PREGNANCY_OFFERS, "why": words.CONTESTED_WHY,
    "risk": assessment.RISKS, "action": assessment.ACTIONS, "how": words.ACTION_ENDS,
    "decision": words.CONSENTS, "information": words.INFORMATION, "language": words.LANGUAGES,
    "formats": words.FORMATS, "response": words.RESPONSES, "points": assessment.REMINDER_POINTS,
    "medicine": words.MEDICINES, "longer_assessment": words.LONGER_ASSESSMENT,
    "complexity": {"complex": "complex", "not_known": "not known", "non_complex": "non-complex"},
    "reasons": _CASE, "unknown": _UNKNOWN, "instead": words.INSTEAD,
    "community_prescription": words.COMMUNITY_PRESCRIPTIONS,
}  # fmt: skip
# The same field in another kind of entry speaks other words.
_OF_KIND: dict[str, dict[str, Codes]] = {
    "contest": {"by": words.CONTESTED_BY},
    "help": {"item": assessment.HELP},
    "outcome": {"outcome": words.OUTCOMES, "why": words.OUTCOME_REASONS},
    "pregnancy_test": {"result": words.PREGNANCY_RESULTS},
    "arrival": {"where": words.ARRIVALS},
    "arrest_review": {"finding": words.ARREST_FINDINGS},
}
_LABELS = {
    "withdrawal_scale": "Scale", "withdrawal_score": "Total", "cows_items": "Items",
    "clinical_view": "Intoxication", "reading_checked": "Reading checked on the device",
    "hard_to_rouse_or_heavy_snoring": "Hard to rouse or heavy snoring",
    alcohol.MICROGRAMS: "Breath alcohol, micrograms per 100 ml",
    alcohol.MG_PER_LITRE: "Breath alcohol, mg per litre",
    alcohol.BLOOD: "Blood alcohol, mg per 100 ml", "qtc_ms": "QTc, ms",
    "daily_dose_mg": "Daily dose, mg", "by": "Asked", "complexity": "The case was",
    "reasons": "Because of", "unknown": "Not known then", "points": "Checked",
    "in_treatment": "Says they are in treatment", "dose_taken_today": "Substitute taken that day",
    "surgery": "GP and surgery", "prescriber_continues": "The prescriber goes on",
    "community_prescription": "Prescription outside", "told": "Told",
    "overdose_information": "Overdose information given",
    "continues": "Goes on after release", "confirmed": "Dose and prescriber confirmed outside",
}  # fmt: skip
_LABELS_OF_KIND = {("contest", "by"): "Contested by", ("onward", "source"): "Said by"}


def lines(row: ClinicalEntry) -> list[tuple[str, str]]:
    """An entry as (label, words) pairs, in the order it was written. Ids are left out."""
    out = []
    for name, value in row.data.items():
        if name.endswith("_id") or value == [] and name in ("reasons", "unknown"):
            continue
        label = _LABELS_OF_KIND.get((row.kind, name)) or _LABELS.get(name)
        out.append((label or name.replace("_", " ").capitalize(), _said(row.kind, name, value)))
        if name in alcohol.UNITS:
            out.append(("The same in other units", other_units(row.data, name)))
    return out


def _said(kind: str, name: str, value: Any) -> str:
    codes = _OF_KIND.get(kind, {}).get(name) or _WORDS.get(name, {})
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(codes.get(each, str(each)) for each in value) or "asked, none"
    if isinstance(value, dict):
        return ", ".join(
            f"{key.replace('_', ' ')} {_said(kind, key, each)}"
            for key, each in value.items()
            if each is not None
        )
    if name.endswith("_on"):
        return ui.day(date.fromisoformat(value))
    if name.endswith("_at"):
        return ui.moment(datetime.fromisoformat(value))
    return codes.get(str(value), str(value))


def other_units(data: dict[str, Any], unit: str) -> str:
    """An alcohol reading in the two units it was not taken in."""
    amounts = alcohol.in_every_unit(kinds.in_micrograms(data, unit), kinds.alcohol_units())
    return ", ".join(
        f"{amount.normalize():f} {kinds.ALCOHOL_UNITS[each]}"
        for each, amount in amounts.items()
        if each != unit
    )


def said(row: ClinicalEntry) -> str:
    """An entry in one line."""
    if row.kind == "assessment":
        return kinds.FINDINGS[row.data["finding"]]
    if row.kind == "asked":
        return kinds.TOPICS[row.data["topic"]]
    if row.kind == "risk":
        return assessment.RISKS[row.data["risk"]]
    if row.kind in ("help", "risk_action"):
        return "; ".join(
            words if label in ("Response", "Action") else f"{label}: {words}"
            for label, words in lines(row)
            if label != "Item"
        )
    return "; ".join(f"{label}: {words}" for label, words in lines(row) if label != "Items")


def what(row: ClinicalEntry) -> str:
    """What an entry is about, as a heading."""
    if row.kind == "assessment":
        return kinds.ITEMS[row.data["item"]]
    if row.kind == "help":
        return assessment.HELP[row.data["item"]]
    return kinds.KINDS[row.kind].says
