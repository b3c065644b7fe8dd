"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.patients.api import patients_api
from clinic.patients.pages import patients_pages

api_blueprints = (patients_api,)
page_blueprints = (patients_pages,)
