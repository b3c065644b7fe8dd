"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.careplans.api import careplans_api
from clinic.careplans.pages import careplans_pages

api_blueprints = (careplans_api,)
page_blueprints = (careplans_pages,)
