"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.phases.api import phases_api
from clinic.phases.pages import phases_pages

api_blueprints = (phases_api,)
page_blueprints = (phases_pages,)
