//! JSON lines come back as they were.

use crate::loader::{Loader, row};
use anyhow::Result;
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

#[test]
fn numbers_are_exact_and_strings_stay_text() -> Result<()> {
    let text = r#"{"id":1,"price":12.50,"big":99999999999999999999,"code":"007","flag":true}
{"id":2,"price":0.005,"big":1,"mixed":"a","rate":1e3}
{"id":3,"mixed":7,"rate":null}"#;
    let loader = Loader::of("a.jsonl", text)?;
    let loaded = loader.load()?;
    let kinds: Vec<String> = loaded.columns.iter().map(|column| format!("{} {}", column.name, column.kind)).collect();
    let expected = [
        "id bigint",
        "price decimal(5,3)",
        "big decimal(20,0)",
        "code varchar",
        "flag boolean",
        "mixed varchar",
        "rate double",
    ];
    assert_eq!(kinds, expected);
    assert!(loaded.notes.len() == 1 && loaded.notes[0].contains("column \"mixed\""), "{:?}", loaded.notes);
    let expected = [
        row(["1", "12.500", "99999999999999999999", "007", "true", "NULL", "NULL"]),
        row(["2", "0.005", "1", "NULL", "NULL", "a", "1000.0"]),
        row(["3", "NULL", "NULL", "NULL", "NULL", "7", "NULL"]),
    ];
    assert_eq!(loader.table("id")?.1, expected);
    Ok(())
}

#[test]
fn nested_values_are_structs_and_lists_or_their_json() -> Result<()> {
    let text = r#"{"id":1,"who":{"Full Name":"A","age":30,"pay":[1.25,2]},"tags":["x","y"],"any":{"a":1},"odd":[1]}
{"id":2,"who":{"age":null},"tags":[],"any":{"a":"1"},"odd":{"b": 12.50}}
{"id":3,"who":null,"tags":null,"odd":"text"}"#;
    let loader = Loader::of("a.ndjson", text)?;
    let loaded = loader.load()?;
    assert!(
        loaded.notes.iter().any(|note| note.contains("\"odd\"") && note.contains("JSON text")),
        "{:?}",
        loaded.notes
    );
    let (columns, rows) = loader.table("id")?;
    assert_eq!(columns[1], "who:struct<full_name: string, age: int64, pay: list<element: decimal128(3, 2)>>");
    assert_eq!(columns[2], "tags:list<element: string>");
    assert_eq!(columns[3..], ["any:struct<a: string>", "odd:string"]);
    let odd: Vec<&str> = rows.iter().map(|row| row[4].as_deref().unwrap()).collect();
    assert_eq!(odd, ["[1]", "{\"b\": 12.50}", "\"text\""]);
    assert!(rows[0][1].as_deref().unwrap().contains("Decimal('1.25')"), "{rows:?}");
    assert_eq!((rows[1][2].as_deref(), rows[2][2].as_deref()), (Some("[]"), None));
    Ok(())
}

#[test]
fn a_schema_names_every_key() -> Result<()> {
    let text =
        "{\"id\":\"1\",\"at\":\"2026-01-01T00:00:00Z\",\"raw\":{\"a\": 1}}\n{\"id\":2,\"raw\":\"s\"}\n{\"id\":[3]}\n";
    let schema = "[columns]\nid = \"bigint\"\nat = \"timestamptz\"\nraw = \"varchar\"";
    let loader = Loader::of("a.jsonl", text)?.schema(schema)?;
    let loaded = loader.load()?;
    assert_eq!(loaded.rows_rejected, 1);
    let expected = [row(["1", "2026-01-01 00:00:00.000000", "{\"a\": 1}"]), row(["2", "NULL", "s"])];
    assert_eq!(loader.table("id")?.1, expected);
    assert_eq!(loader.rejects()?, [row(["3", "id", "{\"id\":[3]}", "the value is no bigint"])]);
    let refused = Loader::of("a.jsonl", text)?.schema("[columns]\nid = \"bigint\"\nraw = \"varchar\"")?.refused()?;
    assert!(refused.contains("line 1 has the key \"at\""), "{refused}");
    let refused = Loader::of("a.jsonl", text)?.schema(&format!("{schema}\nmore = \"int\""))?.refused()?;
    assert!(refused.contains("no line has the key \"more\""), "{refused}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn strings_and_numbers_come_back(
        values in proptest::collection::vec((any::<i64>(), any::<String>(), "-?(0|[1-9][0-9]{0,12})\\.[0-9]{1,12}"), 1..30),
    ) {
        let mut text = String::new();
        for (n, (number, string, decimal)) in values.iter().enumerate() {
            let string = serde_json::to_string(string).unwrap();
            text.push_str(&format!("{{\"n\":{n},\"i\":{number},\"s\":{string},\"d\":{decimal}}}\n"));
        }
        let loader = Loader::of("a.jsonl", text).unwrap();
        prop_assert_eq!(loader.load().unwrap().rows_rejected, 0);
        let (_, rows) = loader.table("n").unwrap();
        for (row, (number, string, decimal)) in rows.iter().zip(&values) {
            prop_assert_eq!(row[1].as_deref().unwrap(), number.to_string());
            prop_assert_eq!(row[2].as_ref().unwrap(), string);
            let plain = |text: &str| text.trim_end_matches('0').trim_end_matches('.').replace("-0", "0");
            prop_assert_eq!(plain(row[3].as_deref().unwrap()), plain(decimal));
        }
    }
}
