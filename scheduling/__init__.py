"""When, who, is there room? Pure rules over facts: standard library and dosing only."""
