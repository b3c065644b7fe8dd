"""Who works here: sign-in, roles and posts at sites, prescriber level, competence, API tokens."""
