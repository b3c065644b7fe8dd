"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.scripts.api import scripts_api
from clinic.scripts.pages import scripts_pages

api_blueprints = (scripts_api,)
page_blueprints = (scripts_pages,)
