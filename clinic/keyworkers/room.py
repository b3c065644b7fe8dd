"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.keyworkers.api import keyworkers_api
from clinic.keyworkers.pages import keyworkers_pages

api_blueprints = (keyworkers_api,)
page_blueprints = (keyworkers_pages,)
