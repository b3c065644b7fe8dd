"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.groups.api import groups_api

api_blueprints = (groups_api,)
