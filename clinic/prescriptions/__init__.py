"""May this dose be given, was it, and why? Assessments, dose decisions and doses taken."""
