"""May this dose be given? Pure rules over facts: standard library only, no clock, no database."""
