//! Integers, floats and decimals.

use super::column::{AS_PRINTED, AS_TEXT, GoldenColumn, WITH_18_DIGITS, column};

/// 38 digits are the most that a decimal has.
const NINES_38: &str = "99999999999999999999999999999999999999";
const MINUS_NINES_38: &str = "-99999999999999999999999999999999999999";
const FRACTION_38: &str = "0.99999999999999999999999999999999999999";
const MINUS_FRACTION_38: &str = "-0.99999999999999999999999999999999999999";

pub(crate) const COLUMNS: &[GoldenColumn] = &[
    column("flag", "bool", AS_PRINTED, &["true", "false"]),
    column("small", "int2", AS_PRINTED, &["-32768", "32767", "0", "-1"]),
    column("int", "int4", AS_PRINTED, &["-2147483648", "2147483647", "0", "-1"]),
    column(
        "big",
        "int8",
        AS_PRINTED,
        // 2^53 + 1 is the first integer that a double does not have.
        &["-9223372036854775808", "9223372036854775807", "9007199254740993", "-9007199254740993", "0"],
    ),
    column("object", "oid", AS_PRINTED, &["0", "2147483648", "4294967295"]),
    column(
        "real",
        "float4",
        AS_PRINTED,
        &[
            "-0",
            "0",
            "1e-45",
            "1.1754945e-38",
            "3.4028235e38",
            "-3.4028235e38",
            "NaN",
            "Infinity",
            "-Infinity",
            "0.1",
            "16777217",
            "999999",
            "1e6",
            "0.0001",
            "0.00001",
        ],
    ),
    column(
        "double",
        "float8",
        AS_PRINTED,
        &[
            "-0",
            "0",
            "5e-324",
            "2.2250738585072014e-308",
            "1.7976931348623157e308",
            "-1.7976931348623157e308",
            "NaN",
            "Infinity",
            "-Infinity",
            "0.1",
            "0.30000000000000004",
            "9007199254740993",
            "999999999999999",
            "1e15",
            "0.0001",
            "0.00001",
        ],
    ),
    column("digit", "numeric(1,0)", AS_PRINTED, &["9", "-9", "0"]),
    column("in_32_bits", "numeric(9,2)", AS_PRINTED, &["9999999.99", "-9999999.99", "0.01", "-0.01", "-0.001", "7"]),
    column(
        "in_64_bits",
        "numeric(18,4)",
        AS_PRINTED,
        &["99999999999999.9999", "-99999999999999.9999", "1.0001", "10000", "0.0000"],
    ),
    column(
        "in_16_bytes",
        "numeric(38,10)",
        AS_PRINTED,
        &[
            "9999999999999999999999999999.9999999999",
            "-9999999999999999999999999999.9999999999",
            "1.00000001",
            "-1e-10",
        ],
    ),
    column("whole", "numeric(38,0)", AS_PRINTED, &[NINES_38, MINUS_NINES_38, "10000000000000000", "-1"]),
    column("fraction", "numeric(38,38)", AS_PRINTED, &[FRACTION_38, MINUS_FRACTION_38, "1e-38", "1e-20", "0"]),
    column("hundreds", "numeric(5,-2)", AS_PRINTED, &["9999900", "-9999900", "149", "50", "-1250"]),
    column("thousandths", "numeric(3,5)", AS_PRINTED, &["0.00999", "-0.00999", "0.00001"]),
    column(
        "any_numeric",
        "numeric",
        WITH_18_DIGITS,
        &[
            "99999999999999999999.999999999999999999",
            "-99999999999999999999.999999999999999999",
            "1.00000001",
            "1.500",
            "0.000000000000000001",
            "1e19",
            "-0",
        ],
    ),
    column("beyond_38", "numeric(39,1)", AS_TEXT, &["12345678901234567890123456789012345678.9", "-0.1", "5"]),
    column("beyond_38_before_the_point", "numeric(38,-2)", AS_TEXT, &["99999999999999999999999999999999999999e2"]),
    column("beyond_38_after_the_point", "numeric(5,40)", AS_TEXT, &["0.0000000000000000000000000000000000099999"]),
    column(
        "digits_247",
        "numeric(247,7)",
        AS_TEXT,
        &["1e239", "-1e-7", "123456789012345678901234567890123456789012345678901234567890.1234567"],
    ),
];
