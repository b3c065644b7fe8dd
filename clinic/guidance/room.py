"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.guidance.api import guidance_api
from clinic.guidance.override_pages import override_pages
from clinic.guidance.pages import guidance_pages

api_blueprints = (guidance_api,)
page_blueprints = (guidance_pages, override_pages)
