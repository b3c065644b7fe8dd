"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.custody import (  # noqa: F401 - imported for their doors and sweep
    arrival_pages,
    board_pages,
    delivery_pages,
    elsewhere_api,
    elsewhere_pages,
    expected_api,
    expected_pages,
    fact_pages,
    list_pages,
    planning_doors,
    risk,
    setting_api,
    setting_pages,
    sweeps,
)
from clinic.custody.api import custody_api
from clinic.custody.wing_api import wings_api
from clinic.custody.wing_pages import custody_pages

api_blueprints = (custody_api, wings_api)
page_blueprints = (custody_pages,)
