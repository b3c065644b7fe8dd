"""The paper a pharmacy dispenses from: prescription forms, and how each person collects."""
