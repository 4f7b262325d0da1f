"""The text that Postgres prints for a value, made from what a reader of Parquet found.

The rules of its output functions (`array_out`, `record_out`, `range_out`, `hstore_out`, `float8out`, ...), by the Arrow
type alone: whoever reads the lake does not know the table either. `None` is NULL.
"""

import datetime
import decimal
import math
import re
import struct
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pyarrow
import pyarrow.types as types

Writer = Callable[[Any], str]

SINGLE, DOUBLE = "<f", "<d"
AS_INTEGER = {SINGLE: "<I", DOUBLE: "<Q"}

RANGE = ["lower", "upper", "lower_inclusive", "upper_inclusive", "empty"]

# What Postgres takes for a space is ASCII, in the locale C.
SPACES = r" \t\n\v\f\r"
IN_ARRAY = re.compile(rf'[{SPACES}"\\{{}},]')
IN_RECORD = re.compile(rf'[{SPACES}"\\(),]')
IN_RANGE = re.compile(rf'[{SPACES}"\\()\[\],]')


def writer(kind: pyarrow.DataType) -> Writer:
    """Writes values of this type."""
    if types.is_boolean(kind):
        return lambda value: "t" if value else "f"
    if types.is_float32(kind):
        return lambda value: float_text(value, SINGLE, 6)
    if types.is_float64(kind):
        return lambda value: float_text(value, DOUBLE, 15)
    if types.is_decimal(kind):
        return lambda value: f"{value:f}"
    if types.is_timestamp(kind):
        return timestamp_text
    if types.is_binary(kind) or types.is_large_binary(kind):
        return lambda value: f"\\x{value.hex()}"
    if types.is_map(kind):
        return hstore_text
    if types.is_list(kind) or types.is_large_list(kind):
        return list_writer(kind)
    if types.is_struct(kind):
        names = [kind.field(at).name for at in range(kind.num_fields)]
        return range_writer(kind) if names == RANGE else record_writer(kind)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_integer(kind) or types.is_date(kind):
        return str
    raise TypeError(f"Postgres has no type like {kind}")


def float_text(value: float, form: str, most_digits: int) -> str:
    """`form` is that of `struct`; with more digits than so many before the point Postgres writes an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    minus = "-" if math.copysign(1, value) < 0 else ""
    if value == 0:
        return f"{minus}0"
    shortest = decimal.Decimal(shortest_digits(abs(value), form)).normalize()
    scientific = shortest.adjusted()
    if -4 <= scientific < most_digits:
        return f"{minus}{shortest:f}"
    first, *rest = map(str, shortest.as_tuple().digits)
    fraction = f".{''.join(rest)}" if rest else ""
    return f"{minus}{first}{fraction}e{'-' if scientific < 0 else '+'}{abs(scientific):02}"


def shortest_digits(value: float, form: str) -> str:
    """The fewest digits that lie strictly nearer to the value than to any other of its form.

    Python's own `repr` takes a number in the middle between two floats as well, which Postgres avoids.
    """
    if form == DOUBLE and is_strictly_nearest(repr(value), value, form):
        return repr(value)
    # Next to a power of two the floats below are nearer than those above, so that only rounding up may do.
    contexts = (
        decimal.Context(prec=digits, rounding=rounding)
        for digits in range(1, 18)
        for rounding in (decimal.ROUND_HALF_EVEN, decimal.ROUND_CEILING)
    )
    rounded = (str(context.create_decimal(decimal.Decimal(value))) for context in contexts)
    return next(digits for digits in rounded if is_strictly_nearest(digits, value, form))


def is_strictly_nearest(digits: str, value: float, form: str) -> bool:
    (bits,) = struct.unpack(AS_INTEGER[form], struct.pack(form, value))
    below, above = (struct.unpack(form, struct.pack(AS_INTEGER[form], near))[0] for near in (bits - 1, bits + 1))
    number, exact = Fraction(digits), Fraction(value)
    to_below = exact - Fraction(below)
    to_above = to_below if math.isinf(above) else Fraction(above) - exact
    return -to_below < 2 * (number - exact) < to_above


def timestamp_text(value: datetime.datetime) -> str:
    fraction = f".{value.microsecond:06}".rstrip("0") if value.microsecond else ""
    plain = value.replace(microsecond=0, tzinfo=None).isoformat(sep=" ")
    return f"{plain}{fraction}{'+00' if value.tzinfo else ''}"


def list_writer(kind: pyarrow.ListType) -> Writer:
    element = writer(kind.value_type)

    def quoted(value: Any) -> str:
        if value is None:
            return "NULL"
        text = element(value)
        if text == "" or text.upper() == "NULL" or IN_ARRAY.search(text):
            return f'"{backslashed(text)}"'
        return text

    return lambda values: "{" + ",".join(map(quoted, values)) + "}"


def record_writer(kind: pyarrow.StructType) -> Writer:
    members = [(field.name, writer(field.type)) for field in kind]

    def written(record: dict[str, Any]) -> str:
        values = ((record[name], write) for name, write in members)
        return "(" + ",".join("" if value is None else doubled(write(value), IN_RECORD) for value, write in values) + ")"

    return written


def range_writer(kind: pyarrow.StructType) -> Writer:
    bound = writer(kind.field("lower").type)

    def written(given: dict[str, Any]) -> str:
        if given["empty"]:
            return "empty"
        ends = ("" if given[end] is None else doubled(bound(given[end]), IN_RANGE) for end in ("lower", "upper"))
        first = "[" if given["lower_inclusive"] else "("
        return first + ",".join(ends) + ("]" if given["upper_inclusive"] else ")")

    return written


def hstore_text(pairs: list[tuple[str, str | None]]) -> str:
    def quoted(text: str | None) -> str:
        return "NULL" if text is None else f'"{backslashed(text)}"'

    return ", ".join(f"{quoted(key)}=>{quoted(value)}" for key, value in pairs)


def backslashed(text: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", text)


def doubled(text: str, special: re.Pattern[str]) -> str:
    if text == "" or special.search(text):
        return '"' + re.sub(r'(["\\])', r"\1\1", text) + '"'
    return text
