"""What does an order say, in the words of the clinic?"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from clinic import ui
from clinic.assessments import kinds


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
