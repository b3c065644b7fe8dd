"""What the ward calls each duty, owner and state of the 28 days."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from clinic.staff.models import POSTS
from scheduling.custody_rules import DELIVERABLE, ITEMS

DUTIES = {
    "reception_screening": "Reception screening",
    "keyworker_named": "Name a keyworker",
    "smta": "Triage assessment (SMTA)",
    "initial_keywork": "First keywork session",
    "collate_assessments": "Bring assessments together",
    "csma": "Comprehensive assessment (CSMA)",
    "joint_care_plan": "Joint care plan",
    "carat_report": "CARAT report for the clinical review",
    "clinical_review": "Clinical review (day 5)",
    "harm_minimisation": "Harm minimisation session",
    "overdose_session": "Overdose session",
    "relaxation": "Relaxation session",
    "community_referral": "Referral to the community team",
    "keywork_week": "Keywork, week {week}",
    "groups_week": "Groups, week {week}",
    "case_review_week": "Case review, week {week}",
    "final_review": "Final review",
    "certificate": "Certificate of sessions attended",
    "post_28_referral": "Referral to a programme after day 28",
    "court_pack": "Pack in case of release from court",
    "tell_receiving_team": "Tell the receiving team",
    "receiving_keyworker_named": "Receiving prison names a keyworker",
    "file_sent": "CARAT file goes with the patient",
    "tell_cjit_of_move": "Tell the community team of the move",
    "receiving_keyworker_contact": "Receiving keyworker makes contact",
    "group_session": "Group session",
}
OWNERS = {
    "healthcare": "Healthcare",
    "carat": "CARAT team",
    "keyworker": "Keyworker",
    "keyworker_and_healthcare": "Keyworker and healthcare",
    "carat_and_healthcare": "CARAT team and healthcare",
    "receiving_carat": "CARAT team of the receiving prison",
    **POSTS,
    "clinical_lead_and_carat_manager": "Clinical lead and CARAT manager",
}
JOINT_TOPICS = ("harm_minimisation", "overdose_session")
"""What one session, held by CARATs with healthcare, may cover together (TT-10, A8)."""
STATES = {
    "done": "Done",
    "not_required": "Not required",
    "overdue": "Overdue",
    "closed_left": "Closed: left before it was due",
    "due": "To do",
}
STATE_COLOURS = {
    "done": "green", "not_required": "grey", "overdue": "red", "closed_left": "grey", "due": "blue",
}  # fmt: skip
PHASES = (
    "Phase 1: days 1 to 7",
    "Phase 2: days 8 to 28",
    "Phase 3: completion",
    "Court and transfer",
)
_COMPLETION = ("final_review", "certificate", "post_28_referral")
ON_THE_MOVE = ("RG-07", "TT-18")
NAMING = ("keyworker_named", "receiving_keyworker_named")
"""The duties that naming a keyworker does, here or at the prison they move to."""


@lru_cache(maxsize=1024)  # the board of a wing says a few of them hundreds of times
def duty(item: str, for_on: date | None = None) -> str:
    """A duty as staff say it, with its week or the hearing it is for."""
    stem, _, week = item.rpartition("_")
    words = DUTIES.get(item) or DUTIES[stem].format(week=week)
    return f"{words}, hearing of {for_on.day} {for_on:%b}" if for_on else words


def phase(item: str, rule: str) -> str:
    """The phase of the 28 days a duty belongs to."""
    if rule in ON_THE_MOVE:
        return PHASES[3]
    if item in _COMPLETION:
        return PHASES[2]
    return PHASES[1] if "_week_" in item else PHASES[0]


for _item in (*DELIVERABLE, *(each.key for each in ITEMS)):
    assert duty(_item), "every duty has its words"
