"""What is found and asked before a dose: substance use, dependence, health, risk, consent, tests."""
