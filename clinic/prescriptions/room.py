"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.prescriptions.api import prescriptions_api
from clinic.prescriptions.pages import prescriptions_pages

api_blueprints = (prescriptions_api,)
page_blueprints = (prescriptions_pages,)
