"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.groups.api import groups_api
from clinic.groups.pages import groups_pages

api_blueprints = (groups_api,)
page_blueprints = (groups_pages,)
