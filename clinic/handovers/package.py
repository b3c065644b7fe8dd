"""What does the next service have to know? A release plan and its doses -> one package, kept as it was.

Plain JSON, for their system; the text and the printed page are made from it and from nothing else.
What nobody knows is said to be not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from clinic.act import Act
from clinic.handovers import custody_package, parts
from clinic.handovers.parts import NOT_KNOWN, Json, day_said, digest, moment_said
from clinic.patients.queries import same_person
from clinic.release import presenters
from clinic.release.queries import PlanNow
from clinic.release.sections import SECTIONS
from clinic.sites.models import Site
from dosing.days import london_day
from scheduling.handover import DOSES

__all__ = ["as_words", "digest", "leaves_on", "lines", "make"]


def make(act: Act, now: PlanNow, recipient: str) -> Json:
    """The package of a plan as it stands at this moment."""
    site = act.session.get_one(Site, now.plan.site_id)
    answer = now.answer or {}
    told = _doses_told(now)
    return {
        **parts.heads(act, now.patient, site, recipient),
        **parts.doses(act, same_person(act, now.patient.id), [each["on"] for each in told]),
        "doses_told": told,
        "medicine": _says(now, "treatment"),
        "prescriber": _says(now, "prescriber"),
        "appointment": now.request.get("appointment"),
        "first_collection": _first_collection(now),
        "pharmacy": (now.request.get("pharmacy") or {}).get("name"),
        "plan": {
            name: answer.get(name)
            for name in (
                "expected_release_on", "cover_ends_on", "first_community_dose_on",
                "uncovered_days", "gap_days", "continuity_deadline_on",
            )
        },
        "risks": [{"severity": each.severity, "says": each.message} for each in now.flags],
        "naloxone": _says(now, "naloxone"),
        "overdose_session": _says(now, "overdose_session"),
        "consent": _says(now, "consent"),
        "not_known": presenters.unknown(now) + ([now.fault] if now.fault else []),
    }  # fmt: skip


def _says(now: PlanNow, section: str) -> Json | None:
    rows = now.facts[section]
    return dict(rows[0].says) if rows else None


def _doses_told(now: PlanNow) -> list[Json]:
    """Doses the plan alone knows of, the newest first: when and where, never how much."""
    told = [
        {
            "on": row.says.get("on") or london_day(datetime.fromisoformat(row.says["at"])).isoformat(),
            "at": row.says.get("at"), "where": row.says["where"], "source": row.says.get("source"),
        }
        for row in now.facts["dose"]
    ]  # fmt: skip
    return sorted(told, key=lambda each: (each["on"], each["at"] or ""), reverse=True)


def _told(each: Mapping[str, Any]) -> str:
    when = moment_said(each["at"]) if each["at"] else day_said(each["on"])
    ask = SECTIONS["dose"].ask("where")
    where = presenters.said(ask, each["where"]) if ask else each["where"]
    source = f"; who says so: {each['source']}" if each["source"] else ""
    return f"{when}; {where}; amount not recorded here{source}"


def _first_collection(now: PlanNow) -> Json | None:
    """The first day something is to be collected, of the supplies that are recorded."""
    found = [
        (each["collect_on"], each["covers"], supply)
        for supply in now.request.get("bridging_supplies", ())
        for each in supply["instalments"]
    ]
    if not found:
        return None
    on, covers, supply = min(found, key=lambda each: each[0])
    return {"on": on, "covers": covers, "form": supply["form"], "in_hand": supply.get("in_hand")}


# -- in words ------------------------------------------------------------------------------


def lines(package: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """The package as headed lines: the printed page and the plain text are both made of them."""
    if "custody" in package:
        yield from custody_package.lines(package)
        return
    plan = package["plan"]
    yield from parts.head_lines(package)
    yield "Medicine", _facts("treatment", package["medicine"])
    yield from parts.dose_lines(package)
    if told := package.get("doses_told"):  # a package of an earlier version has none
        yield "Other doses told of", [_told(each) for each in told[:DOSES]]
    yield "Prescriber after release", _facts("prescriber", package["prescriber"])
    yield "First appointment", _facts("appointment", package["appointment"])
    yield "First collection", [_collection(package)]
    yield (
        "The plan",
        [
            f"Release: {day_said(plan['expected_release_on'])}. "
            f"Cover ends: {day_said(plan['cover_ends_on'])}. "
            f"First community dose: {day_said(plan['first_community_dose_on'])}",
            _gap(plan),
            f"In treatment outside by: {day_said(plan['continuity_deadline_on'])}",
        ],
    )
    yield (
        "Risks",
        [f"{each['severity'].capitalize()}: {each['says']}" for each in package["risks"]]
        or ["No flag stands"],
    )
    yield "Naloxone", _facts("naloxone", package["naloxone"])
    yield "Overdose session", _facts("overdose_session", package["overdose_session"])
    yield "Consent to share", _facts("consent", package["consent"])
    if package["not_known"]:
        yield "Not known", list(package["not_known"])


def as_words(package: Mapping[str, Any]) -> str:
    """The package as plain text."""
    parts = ["HAND-OVER", f"Made {moment_said(package['made_at'])} by {package['made_by']}", ""]
    for head, said in lines(package):
        parts += [head.upper(), *(f"- {line}" for line in said), ""]
    return "\n".join(parts)


def _facts(section: str, says: Json | None) -> list[str]:
    if not says:
        return [NOT_KNOWN]
    asks = SECTIONS[section].asks
    return [
        f"{ask.label.rstrip('?')}: {presenters.said(ask, says[ask.name])}"
        for ask in asks
        if ask.name in says
    ]


def _collection(package: Mapping[str, Any]) -> str:
    first = package["first_collection"]
    if first is None:
        return "No supply is recorded"
    in_hand = {True: "script in hand", False: "script not in hand"}.get(
        first["in_hand"], "not known whether the script is in hand"
    )
    where = "at the gate" if first["form"] == "gate_pack" else package["pharmacy"] or NOT_KNOWN
    return f"{day_said(first['on'])}, {where}; {in_hand}"


def _gap(plan: Mapping[str, Any]) -> str:
    if plan["gap_days"] is None:
        return "Days without medicine: cannot be counted"
    days = ", ".join(day_said(each) for each in plan["uncovered_days"] or ())
    return f"Days without medicine: {plan['gap_days']}" + (f" ({days})" if days else "")


def leaves_on(package: Mapping[str, Any]) -> date | None:
    """The day they leave, as the package has it; None for somebody gone into custody."""
    text = package.get("plan", {}).get("expected_release_on")
    return date.fromisoformat(text) if text else None
