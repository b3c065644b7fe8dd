"""Who is in the demonstration. Every name is made up; every NHS number is from the 999 range."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

PASSWORD = "demonstration-only"  # noqa: S105 - printed on the screen; production has no such people

RIVERSIDE = "Riverside Drug Service"
CASTLE_STREET = "Castle Street Clinic"
MARLFIELD = "HMP Marlfield"
GLENMOOR = "HMP Glenmoor"


@dataclass(frozen=True)
class Member:
    """A member of staff: key, name, role, site, and what a booking or a dose asks of them."""

    key: str
    name: str
    role: str
    site: str
    level: str | None = None
    competence: str | None = None
    post: str | None = None

    @property
    def email(self) -> str:
        return f"{self.key}@demo.throughcare.example"


DOCTOR, WORKER, TESTER = "rapid_induction_doctor", "induction_worker", "drug_tester"

STAFF = (
    Member("nair", "Dr Asha Nair", "prescriber", RIVERSIDE, "experienced", DOCTOR, "clinical_lead"),
    Member("ellery", "Dr Tom Ellery", "prescriber", RIVERSIDE, "prescriber", DOCTOR),
    Member("price", "Bethan Price", "nurse", RIVERSIDE, None, WORKER, "duty_nurse"),
    Member("osei", "Carl Osei", "drugs_worker", RIVERSIDE, None, WORKER),
    Member("doyle", "Niamh Doyle", "drugs_worker", RIVERSIDE, None, WORKER),
    Member("haddad", "Leila Haddad", "pharmacist", RIVERSIDE),
    Member("frost", "Gareth Frost", "manager", RIVERSIDE),
    Member("quill", "Ivy Quill", "auditor", RIVERSIDE),
    Member("admin", "Sam Archer", "administrator", RIVERSIDE),
    Member("okafor", "Dr Ngozi Okafor", "prescriber", CASTLE_STREET, "experienced", DOCTOR, "clinical_lead"),
    Member("lund", "Maja Lund", "nurse", CASTLE_STREET, None, WORKER, "duty_nurse"),
    Member("barr", "Finlay Barr", "drugs_worker", CASTLE_STREET, None, WORKER),
    Member("reyes", "Dr Luis Reyes", "prescriber", CASTLE_STREET, "prescriber", DOCTOR),
    Member("hale", "Joan Hale", "nurse", CASTLE_STREET, None, TESTER),
    Member("innes", "Rory Innes", "nurse", CASTLE_STREET),
    Member("teller", "Rosa Teller", "manager", CASTLE_STREET),
    Member("shaw", "Dr Imran Shaw", "prescriber", MARLFIELD, "experienced", None, "clinical_lead"),
    Member("byrne", "Orla Byrne", "prison_healthcare", MARLFIELD, None, None, "duty_nurse"),
    Member("marsh", "Kit Marsh", "carat_keyworker", MARLFIELD),
    Member("vale", "Jude Vale", "carat_keyworker", MARLFIELD),
    Member("stone", "Petra Stone", "manager", MARLFIELD, None, None, "carat_manager"),
    Member("grant", "Hugh Grantley", "manager", MARLFIELD, None, None, "drug_strategy_lead"),
    Member("muir", "Dr Eilidh Muir", "prescriber", GLENMOOR, "prescriber", None, "clinical_lead"),
    Member("rennie", "Callum Rennie", "prison_healthcare", GLENMOOR, None, None, "duty_nurse"),
    Member("kerr", "Isla Kerr", "carat_keyworker", GLENMOOR),
    Member("boyd", "Morag Boyd", "manager", GLENMOOR, None, None, "carat_manager"),
)  # fmt: skip

FAMILY_NAMES = (
    "Abbott", "Baines", "Calder", "Dacre", "Easton", "Fenwick", "Garside", "Holroyd", "Ingham",
    "Jarvis", "Kendrick", "Lomax", "Mercer", "Naylor", "Ogden", "Peverell", "Quayle", "Rudd",
    "Sandbach", "Tindall", "Underhill", "Varley", "Whitlow", "Yarrow", "Ashdown", "Birtles",
    "Cropper", "Dunning", "Entwistle", "Farrar",
)  # fmt: skip
GIVEN_NAMES = (
    "Aaron", "Bryony", "Callum", "Danielle", "Eddie", "Faye", "Glen", "Hannah", "Ieuan", "Jade",
    "Kieran", "Lorna", "Mason", "Nadia", "Owen", "Paula", "Reece", "Sian", "Tariq", "Una",
    "Victor", "Wendy", "Yusuf", "Zoe", "Alec", "Bernadette", "Craig", "Donna", "Euan", "Freda",
)  # fmt: skip


def nhs_numbers() -> Iterator[str]:
    """Valid numbers of the 999 range, one after another."""
    serial = 0
    while True:
        serial += 1
        digits = f"999{serial:06d}"
        check = 11 - sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            yield f"{digits}{0 if check == 11 else check}"
