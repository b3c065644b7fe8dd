"""What may each role do, and whoever holds a post? One table, refused by default.

A right is `room.verb`. Endpoints name the right they need, commands ask for it again, and API
tokens carry a list of them as their scopes.
"""

from __future__ import annotations

from collections.abc import Iterable

RIGHTS = {
    "patients.read": "See a patient's record",
    "patients.register": "Register a patient",
    "patients.edit": "Correct a patient's details, identifiers and alerts",
    "patients.merge": "Join two records of one person, and undo it",
    "appointments.read": "See referrals, free places and bookings",
    "appointments.refer": "Register a referral",
    "appointments.book": "Book, move and cancel a visit",
    "appointments.override": "Give a place that is kept back, with a reason",
    "appointments.rota": "Set the rota",
    "prescribing.read": "See assessments, tests, observations and doses",
    "assessments.record": "Record what a patient says, risks, consent, the plan and help given",
    "prescribing.assess": "Record examinations, tests, observations and doses",
    "prescribing.prescribe": "Save a dose decision",
    "contacts.record": "Record and plan contact with somebody on treatment",
    "consumption.read": "See who is to take a dose today, and what became of it",
    "consumption.record": "Check somebody before a dose, give it, and record what became of it",
    "consumption.anywhere": "Record doses for everybody on the caseload, wherever they take them",
    "consumption.glass": "Pass a gate that is merely missing before a dose, with a reason",
    "consumption.correct": "Strike out and put right what is recorded of a dose",
    "consumption.arrange": "Set where somebody takes their doses",
    "consumption.acknowledge": "Acknowledge that a gate before a dose was passed",
    "custody.read": "See receptions, timetables and worklists",
    "custody.receive": "Receive a prisoner and correct a reception",
    "custody.deliver": "Record what was delivered, offered or declined",
    "custody.allocate": "Name or change a keyworker",
    "groups.manage": "Plan group sessions, their material, rooms, half-days and facilitators",
    "groups.seat": "Seat people in group sessions, keep people apart, record who came",
    "careplans.read": "See care plans, agreements and reviews",
    "careplans.write": "Write a care plan, record agreements, reviews and referrals",
    "release.read": "See release plans and gaps",
    "release.plan": "Record release facts",
    "guidance.read": "Read the rules in force",
    "guidance.tighten": "Make a limit stricter for the site, and end that",
    "guidance.sign": "Sign a rule as checked against its source, and withdraw that",
    "guidance.oversee": "See which alerts were gone against, and how often",
    "guidance.review": "Review an alert that was gone against",
    "measures.read": "See how well the clocks of the site were kept, and the people behind each number",
    "measures.explain": "Say why a case of a measure was late",
    "sites.manage": "Set up sites, models, closures and posts",
    "staff.manage": "Add staff, roles, levels and competences",
    "tokens.manage": "Issue and revoke API tokens",
    "breakglass.use": "Open a record outside the caseload, with a reason",
    "breakglass.review": "See who opened records outside their caseload",
    "audit.read": "Read the audit",
    "sweeps.read": "See the runs of the sweeps",
}

_CARE = {
    "patients.read", "appointments.read", "prescribing.read", "custody.read", "release.read",
    "guidance.read", "breakglass.use", "consumption.read", "careplans.read",
}  # fmt: skip
_GIVES_DOSES = {
    "consumption.record", "consumption.anywhere", "consumption.glass", "consumption.correct",
    "consumption.arrange",
}  # fmt: skip

ROLES: dict[str, tuple[str, frozenset[str]]] = {
    "prescriber": (
        "Prescriber",
        frozenset(
            _CARE
            | _GIVES_DOSES
            | {
                "patients.register", "patients.edit", "appointments.refer", "appointments.book",
                "appointments.override", "assessments.record", "contacts.record",
                "prescribing.assess", "prescribing.prescribe",
                "release.plan", "custody.deliver", "careplans.write",
            }
        ),
    ),
    "nurse": (
        "Nurse",
        frozenset(
            _CARE
            | _GIVES_DOSES
            | {
                "patients.register", "patients.edit", "appointments.refer", "appointments.book",
                "assessments.record", "contacts.record", "prescribing.assess", "release.plan",
                "custody.deliver", "careplans.write",
            }
        ),
    ),
    "drugs_worker": (
        "Drugs worker or case manager",
        frozenset(
            _CARE
            | {
                "patients.register", "patients.edit", "appointments.refer", "appointments.book",
                "assessments.record", "consumption.arrange", "contacts.record", "release.plan",
                "careplans.write",
            }
        ),
    ),
    "carat_keyworker": (
        "CARAT keyworker",
        frozenset(
            _CARE
            | {
                "patients.edit", "custody.deliver", "assessments.record", "contacts.record",
                "release.plan", "groups.manage", "groups.seat", "careplans.write",
            }
        ),
    ),
    "prison_healthcare": (
        "Prison healthcare",
        frozenset(
            _CARE
            | _GIVES_DOSES
            | {
                "patients.register", "patients.edit", "custody.receive", "custody.deliver",
                "assessments.record", "contacts.record", "prescribing.assess", "release.plan",
                "groups.seat", "careplans.write",
            }
        ),
    ),
    "pharmacist": (
        "Pharmacist",
        frozenset(
            {
                "patients.read", "prescribing.read", "release.read", "guidance.read",
                "consumption.read", "consumption.record", "consumption.correct",
            }
        ),
    ),
    "manager": (
        "Manager",
        frozenset(
            _CARE
            | {
                "appointments.rota", "appointments.refer", "appointments.book",
                "appointments.override", "custody.allocate",
                "breakglass.review", "sweeps.read", "sites.manage", "patients.merge",
                "patients.edit", "guidance.oversee", "groups.manage", "groups.seat",
                "measures.read", "measures.explain",
            }
        ),
    ),
    "auditor": (
        "Auditor",
        frozenset(
            {
                "audit.read", "breakglass.review", "sweeps.read", "guidance.read",
                "guidance.oversee",
            }
        ),
    ),
    "administrator": (
        "Administrator",
        frozenset(
            {
                "sites.manage", "staff.manage", "tokens.manage", "guidance.read", "sweeps.read",
            }
        ),
    ),
}  # fmt: skip


POSTS: dict[str, frozenset[str]] = {
    "clinical_lead": frozenset(
        {
            "guidance.read", "guidance.tighten", "guidance.sign", "guidance.oversee",
            "guidance.review", "consumption.read", "consumption.acknowledge", "measures.read",
        }
    ),
    "carat_manager": frozenset({"measures.read", "measures.explain"}),
    "drug_strategy_lead": frozenset({"measures.read", "measures.explain"}),
}  # fmt: skip
"""What a post adds to the rights of its holder's roles. Nobody has these by a role."""


def rights_of(roles: Iterable[str], posts: Iterable[str] = ()) -> frozenset[str]:
    """Every right of these roles and posts together; an unknown one has none."""
    rights: set[str] = set()
    for role in roles:
        if role in ROLES:
            rights |= ROLES[role][1]
    for post in posts:
        rights |= POSTS.get(post, frozenset())
    return frozenset(rights)


def title_of(role: str) -> str:
    return ROLES[role][0] if role in ROLES else role
