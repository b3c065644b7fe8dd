"""What does an entry say, in the words of the clinic?"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from clinic import ui
from clinic.prescriptions import kinds
from clinic.prescriptions.models import SUPERVISION, ClinicalEntry
from clinic.prescriptions.scales import SCALES

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


def order_rows(asked: dict[str, Any], decided_at: datetime) -> list[tuple[str, str]]:
    """An order and its supply as question and answer, as given."""
    order, supply = asked["order"], asked.get("supply") or {}
    rows = [
        ("Product", kinds.PRODUCT_NAMES.get(order["product"], order["product"])),
        ("Order", kinds.PHASES.get(order["phase"], order["phase"])),
        ("Dose taken at one time", dose_words(order)),
        ("Doses still to be taken that day", str(order.get("doses_remaining_today") or 1)),
        ("To be taken", ui.moment(decided_at)),
    ]
    if order.get("volume_ml") or order.get("strength_mg_per_ml"):
        rows.append(
            (
                "Volume and strength",
                f"{order.get('volume_ml') or 'volume not given'} ml at "
                f"{order.get('strength_mg_per_ml') or 'strength not given'} mg/ml",
            )
        )
    if "diluted" in order:
        rows.append(("Diluted", "yes" if order["diluted"] else "no"))
    if order.get("tablets"):
        made = ", ".join(
            f"{each['count']} of {each['strength_mg']} mg" for each in order["tablets"]
        )
        rows.append(("Tablets", made))
    if order.get("stocked_strengths_mg"):
        rows.append(("Strengths stocked", f"{', '.join(order['stocked_strengths_mg'])} mg"))
    for each in supply.get("collections") or ():
        rows.append(("Supply", _collection(each)))
    if "in_possession" in supply:
        rows.append(("In possession", "yes" if supply["in_possession"] else "no"))
    if supply.get("administered_by"):
        rows.append(("Given by", supply["administered_by"].replace("_", " ")))
    return rows


def dose_words(order: dict[str, Any]) -> str:
    if order.get("dose_mg") is not None:
        return f"{order['dose_mg']} mg"
    if order.get("dose_micrograms") is not None:
        return f"{order['dose_micrograms']} micrograms"
    return f"{order.get('dose_without_unit')} (no unit)"


def _collection(each: dict[str, Any]) -> str:
    first = ui.day(date.fromisoformat(each["collect_on"]))
    until = each.get("daily_until_on")
    span = f"daily from {first} to {ui.day(date.fromisoformat(until))}" if until else f"on {first}"
    how = "supervised" if each["supervised"] else "not supervised"
    home = each.get("take_home_days") or 0
    return f"{span}, {how}" + (f", {home} days to take home" if home else "")
