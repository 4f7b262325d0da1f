"""The name that Athena has for a type that a reader of Parquet found."""

import pyarrow
import pyarrow.types as types

PLAIN = {
    pyarrow.bool_(): "boolean",
    pyarrow.int16(): "smallint",
    pyarrow.int32(): "integer",
    pyarrow.int64(): "bigint",
    pyarrow.float32(): "real",
    pyarrow.float64(): "double",
    pyarrow.date32(): "date",
    pyarrow.string(): "varchar",
    pyarrow.binary(): "varbinary",
}


def athena_type(kind: pyarrow.DataType) -> str:
    if kind in PLAIN:
        return PLAIN[kind]
    if types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if types.is_timestamp(kind):
        return "timestamp"
    if types.is_map(kind):
        return f"map({athena_type(kind.key_type)}, {athena_type(kind.item_type)})"
    if types.is_list(kind):
        return f"array({athena_type(kind.value_type)})"
    if types.is_struct(kind):
        return f"row({', '.join(f'{field.name} {athena_type(field.type)}' for field in kind)})"
    raise TypeError(f"Athena has no type for {kind}")
