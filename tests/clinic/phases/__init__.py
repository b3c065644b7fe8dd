"""The phases of one person, and what belongs to them."""
