"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.groups import (  # noqa: F401 - doors of the same two blueprints
    needs_pages,
    person_pages,
    plan_api,
    plan_pages,
)
from clinic.groups.api import groups_api
from clinic.groups.pages import groups_pages

api_blueprints = (groups_api,)
page_blueprints = (groups_pages,)
