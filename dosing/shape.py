"""What shape must a request have? One declaration reads it strictly and publishes its JSON Schema.

The three stateless checks promise an exact wire shape. Each declares it once with the kinds
below; `read` turns parsed JSON into plain values (or a frozen record) and `schema` describes the
same thing as JSON Schema 2020-12, so the two cannot drift apart.

Absent and null are one thing, *unknown*, and come out as None. The first fault found raises
`Refused`, which names the field by its path (`observations[0].withdrawal_score`) and says what
is allowed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Protocol

JsonSchema = dict[str, Any]

FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Years a date may name: wide enough for any life, narrow enough that day sums never overflow."""

_DECIMAL = re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)


class Refused(ValueError):
    """A request that cannot be evaluated: `field` is the path at fault, `message` says why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class Kind(Protocol):
    """One kind of value: reads it from parsed JSON, and describes itself."""

    def read(self, value: Any, path: str) -> Any: ...

    def schema(self) -> JsonSchema: ...


@dataclass(frozen=True)
class Text:
    """Any text, or text of a given pattern (matched whole)."""

    pattern: str | None = None
    says: str = "must be text"

    def read(self, value: Any, path: str) -> str:
        if not isinstance(value, str):
            raise Refused(path, self.says)
        if self.pattern is not None and re.fullmatch(self.pattern, value) is None:
            raise Refused(path, self.says)
        return value

    def schema(self) -> JsonSchema:
        out: JsonSchema = {"type": "string"}
        if self.pattern is not None:
            out["pattern"] = f"^{self.pattern}$"
        return out


@dataclass(frozen=True)
class YesNo:
    def read(self, value: Any, path: str) -> bool:
        if not isinstance(value, bool):
            raise Refused(path, "must be true or false")
        return value

    def schema(self) -> JsonSchema:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Whole:
    """A whole JSON number, bounds included. 5.0 is whole, as JSON Schema has it."""

    least: int
    most: int | None = None

    def read(self, value: Any, path: str) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if (
            not isinstance(value, int)
            or isinstance(value, bool)
            or value < self.least
            or (self.most is not None and value > self.most)
        ):
            raise Refused(path, self._says())
        return value

    def _says(self) -> str:
        if self.most is not None:
            return f"must be a whole number from {self.least} to {self.most}"
        return f"must be a whole number, {self.least} or more"

    def schema(self) -> JsonSchema:
        out: JsonSchema = {"type": "integer", "minimum": self.least}
        if self.most is not None:
            out["maximum"] = self.most
        return out


@dataclass(frozen=True)
class DecimalText:
    """An exact decimal as text: 1 to 5 digits and up to 3 decimals. JSON numbers are refused."""

    zero_allowed: bool = True

    def read(self, value: Any, path: str) -> Decimal:
        if not isinstance(value, str) or _DECIMAL.fullmatch(value) is None:
            raise Refused(
                path, 'must be decimal text such as "40.5": 1 to 5 digits, up to 3 decimals'
            )
        number = Decimal(value)
        if number == 0 and not self.zero_allowed:
            raise Refused(path, "must be more than zero")
        return number

    def schema(self) -> JsonSchema:
        pattern = r"[0-9]{1,5}(\.[0-9]{1,3})?"
        if not self.zero_allowed:
            pattern = r"(?!0+(\.0+)?$)" + pattern
        return {"type": "string", "pattern": f"^{pattern}$"}


@dataclass(frozen=True)
class Instant:
    """An ISO-8601 instant with its offset or Z. Comes out aware, in UTC."""

    def read(self, value: Any, path: str) -> datetime:
        if not isinstance(value, str) or _INSTANT.fullmatch(value) is None:
            raise Refused(
                path, "must be an instant with its offset, such as 2026-03-29T10:30:00+01:00"
            )
        try:
            instant = datetime.fromisoformat(value)
            if FIRST_YEAR <= instant.year <= LAST_YEAR:
                return instant.astimezone(UTC)
        except ValueError:
            pass
        raise Refused(path, "is not a moment that exists")

    def schema(self) -> JsonSchema:
        return {"type": "string", "pattern": f"^{_INSTANT.pattern}$", "format": "date-time"}


@dataclass(frozen=True)
class Day:
    """A London calendar date, YYYY-MM-DD."""

    def read(self, value: Any, path: str) -> date:
        if not isinstance(value, str) or _DAY.fullmatch(value) is None:
            raise Refused(path, "must be a date written YYYY-MM-DD")
        try:
            day = date.fromisoformat(value)
            if FIRST_YEAR <= day.year <= LAST_YEAR:
                return day
        except ValueError:
            pass
        raise Refused(path, "is not a date that exists")

    def schema(self) -> JsonSchema:
        return {"type": "string", "pattern": f"^{_DAY.pattern}$", "format": "date"}


class OneOf:
    """One of a closed list of words."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self._known = frozenset(words)

    def read(self, value: Any, path: str) -> str:
        if not isinstance(value, str) or value not in self._known:
            raise Refused(path, f"must be one of: {', '.join(self.words)}")
        return value

    def schema(self) -> JsonSchema:
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True)
class ListOf:
    """A list. It comes out as a tuple, in the order given; [] means asked, none."""

    item: Kind
    least: int = 0

    def read(self, value: Any, path: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise Refused(path, "must be a list")
        if len(value) < self.least:
            raise Refused(path, f"must hold at least {self.least}")
        read = self.item.read
        return tuple([read(each, f"{path}[{place}]") for place, each in enumerate(value)])

    def schema(self) -> JsonSchema:
        out: JsonSchema = {"type": "array", "items": self.item.schema()}
        if self.least:
            out["minItems"] = self.least
        return out


@dataclass(frozen=True)
class Required:
    """Marks a field of a record as one that must be there and not null."""

    kind: Kind


class Record:
    """An object with named fields and no others.

    `into` (usually a frozen dataclass) is called with every field as a keyword; a field that is
    absent or null arrives as None. `also` runs on the finished record and may raise Refused for
    a fault that needs two fields to see; the path it is given is the record's own.
    """

    def __init__(
        self,
        into: Callable[..., Any],
        fields: Mapping[str, Kind | Required],
        *,
        also: Callable[[Any, str], None] | None = None,
    ) -> None:
        self._into = into
        self._also = also
        self._fields: dict[str, tuple[Kind, bool]] = {
            name: (kind.kind, True) if isinstance(kind, Required) else (kind, False)
            for name, kind in fields.items()
        }

    def read(self, value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise Refused(path, "must be an object")
        fields = self._fields
        dot = f"{path}." if path else ""
        for name in value:
            if name not in fields:
                raise Refused(f"{dot}{name}", "is not a field of this contract")
        out: dict[str, Any] = {}
        for name, (kind, required) in fields.items():
            given = value.get(name)
            if given is None:
                if required:
                    raise Refused(f"{dot}{name}", "is required")
                out[name] = None
            else:
                out[name] = kind.read(given, f"{dot}{name}")
        record = self._into(**out)
        if self._also is not None:
            self._also(record, path)
        return record

    def schema(self) -> JsonSchema:
        return {
            "type": "object",
            "additionalProperties": False,
            "required": [name for name, (_, required) in self._fields.items() if required],
            "properties": {
                name: kind.schema() if required else _or_null(kind.schema())
                for name, (kind, required) in self._fields.items()
            },
        }


def _or_null(schema: JsonSchema) -> JsonSchema:
    out = dict(schema)
    if "enum" in out:
        out["enum"] = [*out["enum"], None]
    out["type"] = [out["type"], "null"]
    return out


def join(path: str, name: str) -> str:
    """The path of a field inside the record at `path` (which may be the whole request, "")."""
    return f"{path}.{name}" if path else name


# -- the two doors share one way to answer -------------------------------------------------

Answer = dict[str, Any]


def answer(check: Callable[[Any], Answer], request: Any) -> tuple[Answer, bool]:
    """Run one stateless check on parsed JSON: the answer object, and whether it was evaluated.

    A refusal gives `{"case": ..., "error": {"field", "message"}}`; `case` is null when the
    request carries no readable one.
    """
    try:
        if not isinstance(request, dict):
            raise Refused("", "must be a JSON object")
        return check(request), True
    except Refused as refused:
        case = request.get("case") if isinstance(request, dict) else None
        return {
            "case": case if isinstance(case, str) else None,
            "error": {"field": refused.field, "message": refused.message},
        }, False


def parse(line: str | bytes) -> Any:
    """One line of JSON as Python values, or None when it is not JSON at all (so: not an object).

    NaN and Infinity are not JSON.
    """
    try:
        return json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def answer_lines(
    check: Callable[[Any], Answer], lines: Sequence[str] | Any, write: Callable[[str], object]
) -> bool:
    """Answer JSON Lines one by one, blank lines skipped. True when every line was evaluated.

    Answers are written in ASCII, other characters escaped: text given back, such as half of a
    surrogate pair, may have no other writing that every output takes.
    """
    every = True
    for line in lines:
        if not line.strip():
            continue
        given, evaluated = answer(check, parse(line))
        every = every and evaluated
        write(json.dumps(given) + "\n")
    return every
