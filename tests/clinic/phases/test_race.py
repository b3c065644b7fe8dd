"""A phase, a consent and a draft by several people in the same moment: one effect, a clear answer."""

from __future__ import annotations

from datetime import date

from clinic.careplans import commands as careplans
from clinic.careplans import queries as plans
from clinic.phases import commands
from clinic.phases.models import PhaseMove, TriageConsent
from tests.clinic.keyworkers.test_race import AT_ONCE, DAY_10, at_once, count, prison
from tests.clinic.phases.test_phases import a_plan

__all__ = ["prison"]


def test_of_moves_consents_and_drafts_at_once_one_of_each_stands_and_is_struck_out_once(prison):
    reception_id = prison.receives()
    prison.at = DAY_10
    plan_id = a_plan(prison, reception_id)
    version = plans.plan(prison.act(prison.keyworker), plan_id).plan.version
    careplans.draft_change(
        prison.act(prison.keyworker), plan_id, version=version, answers={"drugs_needs": "Heroin"}
    )
    version = plans.plan(prison.act(prison.keyworker), plan_id).plan.version

    def moves(act):
        return commands.move_phase(
            act, reception_id, phase=2, from_on=date(2026, 11, 14), reason="Unwell"
        )

    moved, late = at_once(prison, prison.keyworker, *[moves] * AT_ONCE)
    asked, again = at_once(
        prison, prison.keyworker,
        *[lambda act: commands.ask_consent(act, reception_id, consents=True)] * AT_ONCE,
    )  # fmt: skip
    put, stale = at_once(
        prison, prison.keyworker,
        *[lambda act: careplans.put_forward(act, plan_id, version=version)] * AT_ONCE,
    )  # fmt: skip
    struck, already = at_once(
        prison, prison.keyworker,
        *[lambda act: commands.strike_out(act, "consent", asked[0], reason="Misheard")] * AT_ONCE,
    )  # fmt: skip

    assert count(prison, PhaseMove, PhaseMove.struck_at.is_(None)) == 1
    assert len(moved) + len(late) == AT_ONCE and moved
    assert (len(asked), len(again)) == (1, AT_ONCE - 1)
    assert count(prison, TriageConsent) == 1
    assert (len(put), len(stale)) == (1, AT_ONCE - 1)
    assert (len(struck), len(already)) == (1, AT_ONCE - 1)
    assert {str(each) for each in already} == {"That entry was struck out already."}
