"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.casework.api import casework_api
from clinic.casework.pages import casework_pages

api_blueprints = (casework_api,)
page_blueprints = (casework_pages,)
