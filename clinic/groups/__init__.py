"""Groups of the first 28 days: material, half-days, sessions, seats, and who is kept apart."""
