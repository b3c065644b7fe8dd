"""What may each role do? One table, refused by default.

A right is `room.verb`. Endpoints name the right they need, commands ask for it again, and API
tokens carry a list of them as their scopes.
"""

from __future__ import annotations

RIGHTS = {
    "patients.read": "See a patient's record",
    "patients.register": "Register a patient",
    "patients.edit": "Correct a patient's details, identifiers and alerts",
    "patients.merge": "Join two records of one person, and undo it",
    "appointments.read": "See referrals, free places and bookings",
    "appointments.refer": "Register a referral",
    "appointments.book": "Book, move and cancel a visit",
    "appointments.rota": "Set the rota",
    "prescribing.read": "See assessments, tests, observations and doses",
    "prescribing.assess": "Record assessments, tests and observations",
    "prescribing.prescribe": "Save a dose decision",
    "custody.read": "See receptions, timetables and worklists",
    "custody.receive": "Receive a prisoner and correct a reception",
    "custody.deliver": "Record what was delivered, offered or declined",
    "custody.allocate": "Name or change a keyworker",
    "release.read": "See release plans and gaps",
    "release.plan": "Record release facts",
    "guidance.read": "Read the rules in force",
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
    "guidance.read", "breakglass.use",
}  # fmt: skip

ROLES: dict[str, tuple[str, frozenset[str]]] = {
    "prescriber": (
        "Prescriber",
        frozenset(
            _CARE
            | {
                "patients.register", "patients.edit", "appointments.refer", "appointments.book",
                "prescribing.assess", "prescribing.prescribe", "release.plan", "custody.deliver",
            }
        ),
    ),
    "nurse": (
        "Nurse",
        frozenset(
            _CARE
            | {
                "patients.register", "patients.edit", "appointments.refer", "appointments.book",
                "prescribing.assess", "release.plan", "custody.deliver",
            }
        ),
    ),
    "drugs_worker": (
        "Drugs worker or case manager",
        frozenset(
            _CARE
            | {
                "patients.register", "patients.edit", "appointments.refer", "appointments.book",
                "release.plan",
            }
        ),
    ),
    "carat_keyworker": (
        "CARAT keyworker",
        frozenset(_CARE | {"patients.edit", "custody.deliver", "release.plan"}),
    ),
    "prison_healthcare": (
        "Prison healthcare",
        frozenset(
            _CARE
            | {
                "patients.register", "patients.edit", "custody.receive", "custody.deliver",
                "prescribing.assess", "release.plan",
            }
        ),
    ),
    "pharmacist": (
        "Pharmacist",
        frozenset({"patients.read", "prescribing.read", "release.read", "guidance.read"}),
    ),
    "manager": (
        "Manager",
        frozenset(
            _CARE
            | {
                "appointments.rota", "appointments.refer", "appointments.book", "custody.allocate",
                "breakglass.review", "sweeps.read", "sites.manage", "patients.merge",
                "patients.edit",
            }
        ),
    ),
    "auditor": (
        "Auditor",
        frozenset({"audit.read", "breakglass.review", "sweeps.read", "guidance.read"}),
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


def rights_of(roles: list[str]) -> frozenset[str]:
    """Every right of these roles together; an unknown role has none."""
    rights: set[str] = set()
    for role in roles:
        if role in ROLES:
            rights |= ROLES[role][1]
    return frozenset(rights)


def title_of(role: str) -> str:
    return ROLES[role][0] if role in ROLES else role
