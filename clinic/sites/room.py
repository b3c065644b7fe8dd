"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.sites.api import sites_api
from clinic.sites.pages import sites_pages

api_blueprints = (sites_api,)
page_blueprints = (sites_pages,)
