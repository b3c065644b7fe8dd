"""What the rules said to an order, row by row, for whoever counts it later. Part of a command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clinic.act import Act
from clinic.prescriptions.models import DoseFinding
from dosing.check import PASS
from dosing.rulebook import SEVERITIES


def together(answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Several answers of the check as one: each rule once, at its gravest, as first found."""
    found: dict[str, dict[str, Any]] = {}
    for finding in (each for answer in answers for each in answer["findings"]):
        kept = found.setdefault(finding["rule"], finding)
        if _rank(finding) < _rank(kept):
            found[finding["rule"]] = finding
    findings = sorted(found.values(), key=lambda each: (_rank(each), each["rule"]))
    outcome = findings[0]["severity"] if findings else PASS
    return {**answers[0], "outcome": outcome, "findings": findings}


def _rank(finding: dict[str, Any]) -> int:
    return SEVERITIES.index(finding["severity"])


def keep_findings(
    act: Act,
    answer: dict[str, Any],
    patient_id: int,
    *,
    decision_id: int | None = None,
    script_id: int | None = None,
    stop_id: int | None = None,
    reason_code: str | None = None,
    reason: str | None = None,
    saved: bool = True,
) -> None:
    """Write every finding of a check, of the one order named; `saved`: it was, and not stopped."""
    for each in answer["findings"]:
        alert = saved and each["severity"] == "ALERT"
        act.session.add(
            DoseFinding(
                site_id=act.site_id, patient_id=patient_id, decision_id=decision_id,
                stop_id=stop_id, script_id=script_id, found_on=act.today, rule=each["rule"],
                rule_set=answer["rule_set"], severity=each["severity"], saved=saved,
                message=each["message"], reason_code=reason_code if alert else None,
                reason=reason if alert else None, recorded_at=act.at, recorded_by=act.staff_id,
            )
        )  # fmt: skip
