"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.guidance.pages import guidance_pages

api_blueprints = ()
page_blueprints = (guidance_pages,)
