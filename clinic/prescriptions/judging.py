"""How is an order judged where nobody knows whether a dose of the day was taken?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from clinic.prescriptions.facts import Gathered
from clinic.prescriptions.findings import together
from dosing.check import check
from dosing.continuation import treatment_of
from dosing.medicines import PRODUCTS
from dosing.tightening import SiteLimit
from dosing.units import as_text, mg_from_micrograms

Data = dict[str, Any]
MISSED = "-MD-"
"""In the id of every rule about missed days."""


def judged(gathered: Gathered, limits: tuple[SiteLimit, ...]) -> tuple[Data | None, Data]:
    """What was judged beside the request, if anything, and the rules' answer to all of it.

    A dose of the day that nobody knows to have been taken counts in every total, so that no two
    orders add up to too much; it does not end the days that were missed. One request cannot say
    both, so where days were missed there are two more: see `beside`.
    """
    answer = check(gathered.read, limits)
    if gathered.happened is None or not treatment_of(gathered.read_as_happened).missed_days:
        return None, answer
    more = beside(gathered)
    return more, answer_beside(answer, more, limits)


def beside(gathered: Gathered) -> Data | None:
    """The order as if no dose of the day in doubt were taken, and, for the rules about missed days,
    as if all of them were part of it: they read how long the gap is and how much ends it."""
    if gathered.happened is None:
        return None
    return {"happened": gathered.happened, "at_once": _at_once(gathered)}


def _at_once(gathered: Gathered) -> Data:
    assert gathered.happened is not None
    order = gathered.happened["order"]
    mg = _ordered_mg(order)
    if mg is None:
        return gathered.happened
    drug = PRODUCTS[order["product"]].drug
    in_doubt = _daily_mg(gathered.request, drug) - _daily_mg(gathered.happened, drug)
    whole = {
        "dose_mg": as_text(mg + in_doubt), "dose_micrograms": None, "doses_remaining_today": 1,
    }  # fmt: skip
    return {**gathered.happened, "order": {**order, **whole}}


def _ordered_mg(order: Data) -> Decimal | None:
    """The day's mg of an order; None where it does not say one amount in one unit (U-06)."""
    mg, micrograms = order.get("dose_mg"), order.get("dose_micrograms")
    if (mg is None) == (micrograms is None) or order.get("dose_without_unit") is not None:
        return None
    one = Decimal(mg) if mg is not None else mg_from_micrograms(Decimal(micrograms))
    return one * (order.get("doses_remaining_today") or 1)


def _daily_mg(request: Data, drug: str) -> Decimal:
    """All the mg of a drug's daily doses in a request's history."""
    return sum(
        (
            Decimal(dose["dose_mg"])
            for dose in request["treatment_history"]["doses"]
            if (product := PRODUCTS[dose["product"]]).drug == drug and not product.depot
        ),
        Decimal(0),
    )


def answer_beside(
    answer: Data, more: Data, limits: tuple[SiteLimit, ...], edition: str | None = None
) -> Data:
    """One answer to a request and to what is judged beside it: each rule once, at its gravest."""
    at_once = about_missed_days(check(more["at_once"], limits, edition))
    return together([at_once, answer, check(more["happened"], limits, edition)])


def about_missed_days(answer: Data) -> Data:
    """What the rules about missed days say, and no other."""
    return {**answer, "findings": [f for f in answer["findings"] if MISSED in f["rule"]]}


def stops_for_missed(answer: Data) -> bool:
    """Do the rules stop because days were missed?"""
    return any(f["severity"] == "STOP" for f in about_missed_days(answer)["findings"])
