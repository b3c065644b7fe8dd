"""What could be wrong in one line of Python? Each small change of a module, one at a time.

A comparison turned or moved by its boundary, a condition left out or always true, an `and` for an
`or`, a number by one, a word misspelt, a statement or an answer left out.
"""

from __future__ import annotations

import ast
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

DOSING = Path(__file__).parents[2] / "dosing"


@dataclass(frozen=True)
class Change:
    """One thing changed in one function of one module: what became what.

    `nth` tells apart the same change where the function says the same thing more than once.
    """

    module: str
    function: str
    was: str
    becomes: str
    nth: int
    number: int = field(compare=False)
    apply: Callable[[], None] = field(compare=False, repr=False)
    undo: Callable[[], None] = field(compare=False, repr=False)

    @property
    def key(self) -> str:
        """The change in words that stay the same while lines above it come and go."""
        nth = f" ({self.nth})" if self.nth > 1 else ""
        return f"{self.module} {self.function}: {self.was} -> {self.becomes}{nth}"

    def __str__(self) -> str:
        return f"line {self.number}: {self.key}"


_OTHER_WAY: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,), ast.And: (ast.Or,), ast.Or: (ast.And,),
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,), ast.Mod: (ast.FloorDiv,), ast.BitOr: (ast.BitAnd,),
    ast.BitAnd: (ast.BitOr,), ast.BitXor: (ast.BitAnd,),
    ast.Continue: (ast.Break,), ast.Break: (ast.Continue,),
}  # fmt: skip
_OTHER_NAME = {"min": ("max",), "max": ("min",), "any": ("all",), "all": ("any",)}
_WORD = re.compile(r"[A-Za-z0-9@_.\-]+")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_TOLD_BY = ("key", "default", "severity")


def changes(module: str) -> tuple[ast.Module, list[Change]]:
    """Every change of one module, in the order of the file, and the tree they are made in."""
    source = (DOSING / f"{module}.py").read_text("utf-8")
    tree = ast.parse(source)
    found: list[Change] = []
    seen: Counter[tuple[str, ...]] = Counter()
    for function, number, was, becomes, apply, undo in _walk(tree, ""):
        seen[function, was, becomes] += 1
        nth = seen[function, was, becomes]
        at = function or "module"
        found.append(Change(module, at, was, becomes, nth, number, apply, undo))
    return tree, found


_Found = tuple[str, int, str, str, Callable[[], None], Callable[[], None]]


def _walk(node: ast.AST, inside: str) -> Iterator[_Found]:
    here = inside
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        here = f"{inside}.{node.name}" if inside else node.name
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns") or _is_no_reasoning(node, name):
            continue
        for place, each in enumerate(value) if isinstance(value, list) else ((None, value),):
            if not isinstance(each, ast.AST) or _is_words_about(node, each):
                continue
            for other in _others(node, name, each):
                yield _found(here, node, name, place, each, other)
            yield from _walk(each, here)


def _found(
    here: str, node: ast.AST, name: str, place: int | None, each: ast.AST, other: ast.AST | None
) -> _Found:
    def put(what: ast.AST | None) -> None:
        if place is None:
            setattr(node, name, what)
        else:
            getattr(node, name)[place] = what

    # The whole expression is named, so that a bare `1 -> 2` can be told from its neighbours.
    shown = node if isinstance(node, ast.expr | ast.keyword | ast.AugAssign) else each
    number = getattr(each, "lineno", None) or getattr(node, "lineno", 0)
    was = _text(shown)
    if isinstance(getattr(node, name), list) and other is None:
        held = list(getattr(node, name))

        def leave_out() -> None:
            setattr(node, name, [one for one in held if one is not each])

        def restore() -> None:
            setattr(node, name, held)

        apply, undo = leave_out, restore
    else:

        def apply() -> None:
            put(other)

        def undo() -> None:
            put(each)

    apply()
    becomes = _text(shown) if shown is node else _text(other)
    undo()
    return here, number, *_where_they_differ(was, becomes), apply, undo


def _where_they_differ(was: str, becomes: str) -> tuple[str, str]:
    """Both with what they share far from the change left out."""
    start = len(os.path.commonprefix([was, becomes]))
    end = len(os.path.commonprefix([was[start:][::-1], becomes[start:][::-1]]))
    first = max(0, start - 40)
    before, after = "..." if first else "", "..." if end > 40 else ""
    was, becomes = (
        f"{before}{text[first:]}" if end <= 40 else f"{before}{text[first : len(text) - end + 40]}"
        for text in (was, becomes)
    )
    return was + after, becomes + after


def _text(node: ast.AST | None) -> str:
    if node is None:
        return ""
    return " ".join(ast.unparse(ast.fix_missing_locations(node)).split())


def _is_no_reasoning(node: ast.AST, name: str) -> bool:
    """What a dataclass promises of itself, or what a module exports, is no part of a verdict."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("dataclass", "field", "lru_cache", "super")
    return (
        isinstance(node, ast.Assign)
        and name == "value"
        and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
    )


def _is_words_about(node: ast.AST, each: ast.AST) -> bool:
    """A docstring, or text with facts set into it."""
    if isinstance(node, ast.Expr) and isinstance(each, ast.Constant):
        return True
    return isinstance(each, ast.JoinedStr)


def _others(node: ast.AST, name: str, each: ast.AST) -> Iterator[ast.AST | None]:
    """What could stand in this place instead. None leaves it out."""
    for other in _OTHER_WAY.get(type(each), ()):
        yield other()
    if name in ("test", "ifs") and not isinstance(node, ast.Assert):
        if not isinstance(node, ast.While):
            yield ast.Constant(True)
        yield ast.Constant(False)
    if isinstance(node, ast.BoolOp) and name == "values":
        yield ast.Constant(isinstance(node.op, ast.And))
    if isinstance(each, ast.UnaryOp) and isinstance(each.op, ast.Not | ast.USub):
        yield each.operand
    if isinstance(node, ast.Call) and isinstance(each, ast.Name) and each is node.func:
        yield from (ast.Name(other, ast.Load()) for other in _OTHER_NAME.get(each.id, ()))
    if isinstance(each, ast.Constant):
        yield from map(ast.Constant, _other_values(each.value))
    if isinstance(each, ast.Return) and not _says_nothing(each.value):
        yield ast.Return(ast.Constant(None))
    if isinstance(each, ast.Raise) or (
        isinstance(each, ast.Expr) and isinstance(each.value, ast.Call)
    ):
        yield ast.Pass()
    if isinstance(each, ast.keyword) and each.arg in _TOLD_BY:
        yield None


def _says_nothing(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _other_values(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, str) and _NUMBER.fullmatch(value):
        step = Decimal(1).scaleb(Decimal(value).as_tuple().exponent)  # type: ignore[arg-type]
        yield from (str(Decimal(value) + step), str(Decimal(value) - step))
    elif isinstance(value, str) and _WORD.fullmatch(value):
        yield f"{value}~"
