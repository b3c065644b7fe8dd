"""What does an entry say, in the words of the clinic?"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from clinic import ui
from clinic.assessments import kinds
from clinic.assessments.models import ClinicalEntry
from clinic.assessments.scales import SCALES
from clinic.consumption.models import SUPERVISION

_WORDS: dict[str, dict[str, str]] = {
    "item": kinds.ITEMS, "finding": kinds.FINDINGS, "tolerance": kinds.TOLERANCES,
    "conditions": kinds.CONDITIONS, "substance_use": kinds.SUBSTANCES,
    "status": {**kinds.PREGNANCY, **kinds.STATUSES}, "classes": kinds.MEDICINE_CLASSES,
    "topic": kinds.TOPICS, "whose_word": kinds.WHOSE_WORD, "primary_drug": kinds.DRUGS,
    "secondary_drug": kinds.DRUGS, "sample": kinds.SAMPLES, "method": kinds.METHODS,
    "result": kinds.RESULTS, "withdrawal_scale": SCALES, "sedation": kinds.SEDATION,
    "opioid": kinds.OPIOIDS, "product": kinds.PRODUCT_NAMES, "supervision": SUPERVISION,
    "by": kinds.CONFIRMERS, "outcome": kinds.CONFIRMATIONS, "plan": kinds.PLANS,
}  # fmt: skip
_LABELS = {
    "withdrawal_scale": "Scale", "withdrawal_score": "Total", "cows_items": "Items",
    "hard_to_rouse_or_heavy_snoring": "Hard to rouse or heavy snoring",
    "breath_alcohol_micrograms_per_100ml": "Breath alcohol, micrograms per 100 ml",
    "breath_alcohol_mg_per_l": "Breath alcohol, mg per litre",
    "blood_alcohol_mg_per_100ml": "Blood alcohol, mg per 100 ml", "qtc_ms": "QTc, ms",
    "daily_dose_mg": "Daily dose, mg", "by": "Asked",
}  # fmt: skip
_UNSAID = ("confirms_id",)


def lines(row: ClinicalEntry) -> list[tuple[str, str]]:
    """An entry as (label, words) pairs, in the order it was written."""
    return [
        (_LABELS.get(name, name.replace("_", " ").capitalize()), _said(name, value))
        for name, value in row.data.items()
        if name not in _UNSAID
    ]


def _said(name: str, value: Any) -> str:
    words = _WORDS.get(name, {})
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(words.get(each, str(each)) for each in value) or "asked, none"
    if isinstance(value, dict):
        return ", ".join(
            f"{key.replace('_', ' ')} {_said(key, each)}"
            for key, each in value.items()
            if each is not None
        )
    if name.endswith("_on"):
        return ui.day(date.fromisoformat(value))
    if name.endswith("_at"):
        return ui.moment(datetime.fromisoformat(value))
    return words.get(str(value), str(value))


def said(row: ClinicalEntry) -> str:
    """An entry in one line."""
    if row.kind == "assessment":
        return kinds.FINDINGS[row.data["finding"]]
    if row.kind == "asked":
        return kinds.TOPICS[row.data["topic"]]
    return "; ".join(f"{label}: {words}" for label, words in lines(row) if label != "Items")
