"""Who is treated: the patient's record, identifiers, aliases and merges, and each site's caseload."""
