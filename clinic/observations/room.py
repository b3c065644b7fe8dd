"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.observations.api import observations_api
from clinic.observations.pages import observations_pages

api_blueprints = (observations_api,)
page_blueprints = (observations_pages,)
