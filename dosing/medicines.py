"""Which medicine is this product, in what form, and is it one for opioid substitution?

The words are the contract's. A product that is not for treatment still has a drug, so its doses
are judged as that drug's; U-04 then says it is the wrong product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

METHADONE: Final = "methadone"
BUPRENORPHINE: Final = "buprenorphine"

LIQUID: Final = "liquid"
TABLET: Final = "tablet"
SUBLINGUAL: Final = "sublingual"
LYOPHILISATE: Final = "lyophilisate"
WEEKLY_DEPOT: Final = "weekly_depot"
MONTHLY_DEPOT: Final = "monthly_depot"
INJECTION: Final = "injection"
PATCH: Final = "patch"


@dataclass(frozen=True, slots=True)
class Product:
    """One product: a depot is given by injection every week or month, anything else is daily."""

    name: str
    drug: str
    form: str
    for_treatment: bool = True

    @property
    def depot(self) -> bool:
        return self.form in (WEEKLY_DEPOT, MONTHLY_DEPOT)


PRODUCTS: Final = {
    product.name: product
    for product in (
        Product("methadone_oral_solution", METHADONE, LIQUID),
        Product("methadone_tablets", METHADONE, TABLET),
        Product("methadone_linctus", METHADONE, LIQUID, for_treatment=False),
        Product("methadone_injection", METHADONE, INJECTION, for_treatment=False),
        Product("buprenorphine_sublingual", BUPRENORPHINE, SUBLINGUAL),
        Product("buprenorphine_naloxone_sublingual", BUPRENORPHINE, SUBLINGUAL),
        Product("buprenorphine_lyophilisate", BUPRENORPHINE, LYOPHILISATE),
        Product("buprenorphine_depot_weekly", BUPRENORPHINE, WEEKLY_DEPOT),
        Product("buprenorphine_depot_monthly", BUPRENORPHINE, MONTHLY_DEPOT),
        Product("buprenorphine_analgesic_tablets", BUPRENORPHINE, TABLET, for_treatment=False),
        Product("buprenorphine_patch", BUPRENORPHINE, PATCH, for_treatment=False),
        Product("buprenorphine_injection", BUPRENORPHINE, INJECTION, for_treatment=False),
    )
}
