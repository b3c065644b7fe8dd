"""Every worked example as it is read, and the facts it gives: worked out once for many tests."""

from __future__ import annotations

from functools import cache

from dosing.check import rulebook
from dosing.examples import Example, a_request, all_examples
from dosing.facts import Facts, derive
from dosing.reading import read_request
from dosing.request import DoseRequest


@cache
def read_examples(rule_set: str) -> list[tuple[Example, DoseRequest]]:
    """Each worked example of a set with its request."""
    return [
        (each, read_request(a_request(each.base, each.rule_set, **each.changes)))
        for each in all_examples(rulebook())
        if each.rule_set == rule_set
    ]


@cache
def known_facts(rule_set: str) -> list[tuple[Example, Facts]]:
    """Each worked example of a set with its facts."""
    return [
        (each, derive(request, rulebook().defined(rule_set, request.on)))
        for each, request in read_examples(rule_set)
    ]
