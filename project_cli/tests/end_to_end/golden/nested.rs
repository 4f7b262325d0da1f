//! Arrays, composites, ranges, maps, domains, and each within the others.

use super::column::{
    AS_ARRAY_OF_RANGES, AS_PRINTED, AS_TEXT, ELEMENTS_AS_TEXT, ELEMENTS_WITH_18_DIGITS, GoldenColumn, column,
};

pub(crate) const COLUMNS: &[GoldenColumn] = &[
    column("flags", "bool[]", AS_PRINTED, &["{}", "{NULL}", "{t,f,NULL}"]),
    column("smalls", "int2[]", AS_PRINTED, &["{}", "{NULL,-32768}", "{32767}"]),
    column("ints", "int4[]", AS_PRINTED, &["{}", "{NULL}", "{NULL,NULL}", "{1,NULL,-2147483648}", "{2147483647}"]),
    column("bigs", "int8[]", AS_PRINTED, &["{}", "{9007199254740993,NULL,-9223372036854775808}"]),
    column("objects", "oid[]", AS_PRINTED, &["{}", "{4294967295,NULL}"]),
    column("reals", "float4[]", AS_PRINTED, &["{}", "{NaN,-0,NULL,Infinity}"]),
    column("doubles", "float8[]", AS_PRINTED, &["{}", "{NaN,-0,NULL,-Infinity,5e-324}"]),
    column("amounts", "numeric(15,2)[]", AS_PRINTED, &["{}", "{9999999999999.99,NULL,-0.01}"]),
    column("any_numerics", "numeric[]", ELEMENTS_WITH_18_DIGITS, &["{}", "{1.5,NULL,1e-18}"]),
    column(
        "long_numerics",
        "numeric(50,2)[]",
        AS_PRINTED,
        &["{}", "{123456789012345678901234567890123456789012345.67,NULL}"],
    ),
    column("days", "date[]", AS_PRINTED, &["{}", "{0001-01-01,NULL,9999-12-31}"]),
    column(
        "clocks",
        "timestamp(3)[]",
        AS_PRINTED,
        &["{}", "{\"0001-01-01 00:00:00\",NULL,\"9999-12-31 23:59:59.999\"}"],
    ),
    column("instants", "timestamptz(3)[]", AS_PRINTED, &["{}", "{\"2026-03-29 02:30:00+02\",NULL}"]),
    column("times", "time[]", AS_PRINTED, &["{}", "{24:00:00,NULL,00:00:00.000001}"]),
    column("times_with_offset", "timetz[]", AS_PRINTED, &["{}", "{24:00:00-15:59:59,NULL}"]),
    column("spans", "interval[]", AS_PRINTED, &["{}", "{\"1 mon -1 day\",NULL,\"0\"}"]),
    column("unique_ids", "uuid[]", AS_PRINTED, &["{}", "{00000000-0000-0000-0000-000000000000,NULL}"]),
    column("notes", "text[]", AS_PRINTED, NOTES),
    column("shorts", "varchar(3)[]", AS_PRINTED, &["{}", "{abc,NULL,\"\"}"]),
    column("paddeds", "char(3)[]", AS_PRINTED, &["{}", "{a,NULL,\"\",abc}"]),
    column("identifiers", "name[]", AS_PRINTED, &["{}", "{a,NULL}"]),
    column("documents", "json[]", AS_PRINTED, &["{}", r#"{"{\"a\":1, \"a\":2}",NULL,"null"}"#]),
    column("trees", "jsonb[]", AS_PRINTED, &["{}", r#"{"{\"b\": 1, \"a\": [1e20]}",NULL,"null"}"#]),
    column("byte_strings", "bytea[]", AS_PRINTED, &["{}", r#"{"\\x00ff",NULL,"\\x"}"#]),
    column("moods", "mood[]", AS_PRINTED, &["{}", r#"{sad,NULL,"","NULL","so, \"so\""}"#]),
    column("prices", "money[]", ELEMENTS_AS_TEXT, &["{}", "{-1.5,NULL}"]),
    column("hosts", "inet[]", ELEMENTS_AS_TEXT, &["{}", "{10.0.0.1,NULL,10.0.0.0/8}"]),
    column("bit_strings", "bit(2)[]", ELEMENTS_AS_TEXT, &["{}", "{01,NULL}"]),
    column("rectangles", "box[]", ELEMENTS_AS_TEXT, &["{}", "{(1,1),(0,0);NULL}"]),
    column("markups", "xml[]", ELEMENTS_AS_TEXT, &["{}", "{<a/>,NULL}"]),
    column("label_paths", "ltree[]", ELEMENTS_AS_TEXT, &["{}", "{a.b,NULL}"]),
    column("pair", "pair", AS_PRINTED, PAIRS),
    column(
        "pairs",
        "pair[]",
        AS_PRINTED,
        &["{}", r#"{NULL,"(,,,)","(1,\"a \"\"b\"\"\",2.50,\"2026-01-01 00:00:00+00\")"}"#],
    ),
    column("family", "family", AS_PRINTED, FAMILIES),
    column(
        "families",
        "family[]",
        AS_PRINTED,
        &["{}", r#"{"(x,\"{NULL,\"\"(1,b,,)\"\"}\",{},empty,\"(2,,,)\",\"\"\"k\"\"=>NULL\")",NULL}"#],
    ),
    column("offer", "offer", AS_PRINTED, &["(,,)", "($1.50,10.0.0.0/8,\"{$2.00,NULL}\")", "(,,{})"]),
    // Of a composite type with a part that has to be text, the whole array is text.
    column("offers", "offer[]", AS_TEXT, &["{}", "{NULL,\"($1.50,10.0.0.0/8,{})\"}"]),
    column("bargain", "bargain", AS_PRINTED, &["($1.50,10.0.0.0/8,{})"]),
    column("altered", "altered", AS_PRINTED, &["(1,x)", "(,)"]),
    column("person", "person", AS_PRINTED, &["(1,Ann,x)", "(,,)"]),
    column("people", "person[]", AS_PRINTED, &["{\"(1,Ann,x)\",NULL}"]),
    column("positive", "positive", AS_PRINTED, &["1", "2147483647"]),
    column("rate", "rate", AS_PRINTED, &["0.12345", "-9.99999"]),
    column("tags", "tags", AS_PRINTED, &["{}", "{a,\"b c\"}"]),
    column("tag_lists", "tags[]", AS_PRINTED, &["{}", r#"{"{a,\"b c\"}",NULL,"{}","{NULL}"}"#]),
    column("couple", "couple", AS_PRINTED, &["(1,a,1.00,)", "(,,,)"]),
    column("fees", "fee[]", ELEMENTS_AS_TEXT, &["{}", "{$1.50,NULL}"]),
    column("one_bytes", "\"char\"[]", ELEMENTS_AS_TEXT, &["{}", "{x,NULL,\"\"}"]),
    column("grants", "aclitem[]", ELEMENTS_AS_TEXT, &["{}", "{=r/postgres,NULL}"]),
    column("vectors", "int2vector[]", ELEMENTS_AS_TEXT, &["{}", "{\"1 2\",NULL}"]),
    column("nothings", "nothing[]", ELEMENTS_AS_TEXT, &["{}", "{(),NULL}"]),
    column("codes", "code[]", AS_PRINTED, &["{}", "{abc,NULL}"]),
    column(
        "int_range",
        "int4range",
        AS_PRINTED,
        &["empty", "(,)", "[1,5)", "[1,)", "(,5)", "[-2147483648,2147483647)"],
    ),
    column("big_range", "int8range", AS_PRINTED, &["empty", "[9007199254740993,9223372036854775807)"]),
    column(
        "numeric_range",
        "numrange",
        AS_PRINTED,
        &["empty", "(,)", "(1.500000000000000000,2.000000000000000000]", "(,10000000000000000000.500000000000000000)"],
    ),
    column("day_range", "daterange", AS_PRINTED, &["empty", "[0001-01-01,9999-12-31)", "[2026-01-01,)"]),
    column("clock_range", "tsrange", AS_PRINTED, &["empty", "[\"2026-01-01 00:00:00\",\"2026-01-01 00:00:00.001\"]"]),
    column("instant_range", "tstzrange", AS_PRINTED, &["(,)", "(\"2026-01-01 00:00:00+02\",)"]),
    column("float_range", "floatrange", AS_PRINTED, &["empty", "[-0,NaN]", "(-Infinity,5e-324)"]),
    column("text_range", "textrange", AS_PRINTED, &["empty", "[\"\",\"a b\")", r#"("a,""[\\(",z]"#]),
    column("list_range", "listrange", AS_PRINTED, &["empty", "[\"{1,2}\",\"{3,NULL}\")"]),
    column("host_range", "hostrange", AS_TEXT, &["empty", "[10.0.0.1,10.0.0.9]"]),
    column("host_ranges", "hostrange[]", ELEMENTS_AS_TEXT, &["{}", "{empty,NULL,\"[10.0.0.1,)\"}"]),
    column("host_multirange", "hostmultirange", AS_TEXT, &["{}", "{[10.0.0.1,10.0.0.9]}"]),
    column("int_ranges", "int4range[]", AS_PRINTED, &["{}", "{empty,NULL,\"(,)\",\"[1,5)\"}"]),
    column("int_multirange", "int4multirange", AS_ARRAY_OF_RANGES, &["{}", "{[1,3),[5,9)}", "{(,)}"]),
    column("day_multirange", "datemultirange", AS_ARRAY_OF_RANGES, &["{}", "{[0001-01-01,2026-01-01),[9999-01-01,)}"]),
    column("text_multirange", "textmultirange", AS_ARRAY_OF_RANGES, &["{}", "{[a,\"b c\"),[d,)}"]),
    column("int_multiranges", "int4multirange[]", MULTIRANGES_AS_ARRAYS, &["{}", "{NULL,\"{}\",\"{[1,3),[5,9)}\"}"]),
    column("shift", "shift", SHIFT_WITH_AN_ARRAY, &["(,)", "(1,{})", "(2,\"{[1,3),[5,9)}\")"]),
    column("attributes", "hstore", AS_PRINTED, ATTRIBUTES),
    column("attribute_lists", "hstore[]", AS_PRINTED, &["{}", r#"{"\"a\"=>\"1\"",NULL,""}"#]),
];

const MULTIRANGES_AS_ARRAYS: &str = "CASE WHEN $ IS NOT NULL THEN ARRAY(
    SELECT CASE WHEN list IS NOT NULL THEN ARRAY(SELECT unnest(list))::text END
    FROM unnest($) WITH ORDINALITY AS lists(list, place) ORDER BY place) END";

const SHIFT_WITH_AN_ARRAY: &str = "CASE WHEN $ IS DISTINCT FROM NULL THEN ROW(
    ($).day, CASE WHEN ($).hours IS NOT NULL THEN ARRAY(SELECT unnest(($).hours)) END) END";

const NOTES: &[&str] = &[
    "{}",
    "{NULL}",
    r#"{"NULL","null",NULL,""}"#,
    r#"{"a,b","{c}","\"d\"","\\","e f"," ","'"}"#,
    "{\"tab\t\",\"newline\n\",\"\r\",漢字,\u{a0}}",
    "[1:2]={a,b}",
];

const PAIRS: &[&str] = &[
    "(,,,)",
    "(1,\"\",0.01,)",
    r#"(-1,"a, ""b"" (c) \\",-99999999.99,"2026-01-01 00:00:00.123+02")"#,
    "(0,NULL,,\"0001-01-01 00:00:00+00\")",
];

const FAMILIES: &[&str] = &[
    "(,,,,,)",
    "(\"\",{},{},empty,,\"\")",
    r#"(x,"{""(1,a,2.00,)"",NULL,""(,,,)""}","{NULL,""a b""}","[2026-01-01,)","(2,c,,)","""a""=>""1"", ""b""=>NULL")"#,
];

const ATTRIBUTES: &[&str] =
    &["", "a=>1", "\"\"=>\"\"", "a=>NULL, \"NULL\"=>\"NULL\"", r#""quote \" and \\"=>"=>, x", bb=>2, c=>"漢字""#];
