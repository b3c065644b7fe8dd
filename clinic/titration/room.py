"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.titration.api import titration_api

api_blueprints = (titration_api,)
