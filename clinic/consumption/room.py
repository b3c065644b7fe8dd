"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.consumption.api import consumption_api
from clinic.consumption.pages import consumption_pages

api_blueprints = (consumption_api,)
page_blueprints = (consumption_pages,)
