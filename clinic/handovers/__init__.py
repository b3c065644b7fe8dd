"""Hand-overs: what the next service is told, that it was sent, and who answered."""
