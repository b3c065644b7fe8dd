"""What do a form, a way to collect and the patient's own copy say, in plain words?"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from clinic.release.forms import WEEKDAY_NAMES
from clinic.scripts.facts import Made
from clinic.scripts.models import STATUSES, SUPERVISED, Script
from clinic.scripts.paper import SHORT, span
from clinic.ui import day, moment
from dosing.units import as_text

Data = dict[str, Any]


def days_words(days: dict[str, str]) -> str:
    """ "Monday, Wednesday, supervised; Sunday, taken away"."""
    supervised = [each for each in WEEKDAY_NAMES if days.get(each) == SUPERVISED]
    away = [each for each in WEEKDAY_NAMES if days.get(each, SUPERVISED) != SUPERVISED]
    parts = []
    for chosen, how in ((supervised, "supervised"), (away, "taken away")):
        if len(chosen) == len(WEEKDAY_NAMES):
            parts.append(f"Every day, {how}")
        elif chosen:
            parts.append(f"{', '.join(WEEKDAY_NAMES[each] for each in chosen)}, {how}")
    return "; ".join(parts)


def instalment_table(paper: Data) -> Data:
    """The instalments of an issued form, as its paper has them."""
    return {
        "rows": [
            {
                "due": each["due"], "dates": each["for"], "supervised": each["supervised"],
                "home": each["take_home_days"], "amount": each["amount"], "mg": each["mg"],
            }
            for each in paper["instalments"]
        ],
    }  # fmt: skip


def planned_table(made: Made) -> Data:
    """The instalments of a draft as worked out now."""
    return {
        "rows": [
            {
                "due": day(each.due_on), "dates": span(each.dates[0], each.dates[-1]),
                "supervised": each.supervised, "home": len(each.taken_home),
                "amount": as_text(each.amount), "mg": as_text(each.mg),
            }
            for each in made.plan.instalments
        ],
        "unit": SHORT[made.written.unit], "total": as_text(made.plan.total),
        "total_mg": as_text(made.plan.total_mg),
    }  # fmt: skip


def patient_copy(script: Script, children_at_home: bool | None) -> Data:
    """The patient's copy of an issued form: when to go, what they get, how to keep it safe.

    Nobody asked about children: told as if there were some (S-05).
    """
    paper = script.paper or {}
    unit = paper["unit"]
    pharmacy, prescriber = paper["pharmacy"], paper["prescriber"]
    where = ", ".join(part for part in (pharmacy["name"], pharmacy["address"]) if part)
    home = any(each["take_home_days"] for each in paper["instalments"])
    phone = f" on {prescriber['telephone']}" if prescriber["telephone"] else ""
    says = [
        f"Your medicine is {paper['item']['name'].lower()} {paper['item']['form']}, "
        f"{paper['item']['strength']}.",
        *(f"Your dose: {each['text']}, {each['when']}." for each in paper["doses"]),
        f"Your pharmacy: {where}.",
        f"The last dose of this prescription is for {paper['last_day']}. We will see you before then.",
    ]
    return {
        "says": says,
        "collections": [
            {
                "on": each["due"],
                "gives": f"{each['amount']} {unit} ({each['mg']} mg)",
                "how": _how(each),
            }
            for each in paper["instalments"]
        ],
        "storage": storage_advice(home, children_at_home),
        "trouble": [
            f"If you cannot get to the pharmacy, call us{phone}. Do not take two doses on one day.",
            "If you have missed 3 days in a row or more, do not take a dose at home: call us first.",
            "If somebody else has taken your medicine, or anybody cannot be woken after it, call "
            "999 at once. A small amount can kill a child or somebody not used to it.",
            "Do not drive or use machines if you feel drowsy.",
        ],
    }


def _how(each: Data) -> str:
    days = each["take_home_days"]
    there = "Take a dose there, the pharmacist watches"
    if not days:
        return f"{there}."
    home = f"take home the doses for {days} day{'s' if days > 1 else ''}"
    return f"{there}; {home}." if each["supervised"] else f"{home.capitalize()}: {each['for']}."


def storage_advice(home: bool, children_at_home: bool | None) -> list[str]:
    """How medicine is kept at home. Nobody asked about children: as if there were some (S-05)."""
    if not home:
        return ["You take every dose at the pharmacy. There is nothing to keep at home."]
    told = [
        "Keep your medicine locked away, in the bottle or pack it came in, with its label.",
        "Ask for caps that children cannot open. They slow a child down; they do not stop one.",
        "Never pour it into another bottle or cup to keep.",
        "Take what you no longer need back to the pharmacy.",
    ]
    if children_at_home is not False:
        told.insert(
            0,
            "Children must never see or reach it. Use a locked box, high up, and never take a dose "
            "in front of a child.",
        )
    return told


def earlier_endings(row: Script) -> list[tuple[str, str, str]]:
    """What was ended, told or settled before what holds now, oldest first: title, words, and when."""
    return [_earlier(each) for each in row.earlier_endings or ()]


def _earlier(kept: Data) -> tuple[str, str, str]:
    at = {name: datetime.fromisoformat(kept[name]) for name in kept if name.endswith("_at")
          and kept[name]}  # fmt: skip
    if "undone_at" in at:
        call = "called_at" in at
        said = kept["called_who"] if call else kept["settled_reason"]
        title = "Pharmacy told" if call else "No next form"
        when = moment(at["called_at" if call else "settled_at"])
        return f"Taken back: {title.lower()}", f"{said}. {kept['undone_reason']}", (
            f"{when}; taken back {moment(at['undone_at'])}"
        )  # fmt: skip
    from_on = day(date.fromisoformat(kept["ended_from_on"]))
    told = f"; the pharmacy was told ({kept['called_who']})" if kept["called_who"] else ""
    return (
        f"Before: {STATUSES[kept['status']].lower()}",
        f"from the doses of {from_on} on. {kept['ended_reason']}",
        f"{moment(at['ended_at'])}{told}",
    )
