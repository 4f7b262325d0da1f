//! Every bad line is counted and kept with its number; too many, and nothing is kept.

use crate::loader::{Loader, row};
use anyhow::Result;

#[test]
fn csv_lines_are_put_aside_with_their_numbers() -> Result<()> {
    let bytes = b"id,t\n1,\"a\nb\"\n2\n3,x,y\n4,\xff\n\n5,z\n6,\"open";
    let loader = Loader::of("a.csv", bytes)?.most_rejects(4);
    let loaded = loader.load()?;
    assert_eq!((loaded.rows_read, loaded.rows_rejected), (6, 4));
    assert_eq!(loader.table("id")?.1, [row(["1", "a\nb"]), row(["5", "z"])]);
    let expected = [
        row(["4", "NULL", "2", "has 1 field instead of 2"]),
        row(["5", "NULL", "3,x,y", "has 3 fields instead of 2"]),
        row(["6", "NULL", "4,\u{fffd}", "is not UTF-8"]),
        row(["9", "NULL", "6,\"open", "a quote is not closed"]),
    ];
    assert_eq!(loader.rejects()?, expected);
    Ok(())
}

#[test]
fn lines_are_counted_whatever_ends_them() -> Result<()> {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["id,t", "1", "2,\"x\ny\"", "", "3", "4,z"].join(end);
        let loader = Loader::of("a.csv", text)?;
        assert_eq!(loader.load()?.rows_rejected, 2);
        let lines: Vec<Option<String>> = loader.rejects()?.into_iter().map(|mut row| row.swap_remove(0)).collect();
        assert_eq!(lines, row(["2", "6"]), "{end:?}");
    }
    Ok(())
}

#[test]
fn values_that_are_not_of_the_chosen_type_name_their_column() -> Result<()> {
    let text = "id,price\r\n1,2.50\r\n2,2.505\r\nx,y\r\n4,\r\n";
    let loader = Loader::of("a.csv", text)?.schema("[columns]\nid = \"bigint\"\nprice = \"decimal(5,2)\"")?;
    let loaded = loader.load()?;
    assert_eq!((loaded.rows_read, loaded.rows_rejected), (4, 2));
    assert_eq!(loader.table("id")?.1, [row(["1", "2.50"]), row(["4", "NULL"])]);
    let expected = [
        row(["3", "price", "2,2.505", "the value is no decimal(5,2)"]),
        row(["4", "id", "x,y", "the value is no bigint"]),
    ];
    assert_eq!(loader.rejects()?, expected);
    Ok(())
}

#[test]
fn json_lines_are_put_aside_with_their_numbers() -> Result<()> {
    let text = "{\"id\":1}\nnonsense\n\n[1]\r\n{\"id\":2,\"id\":3}\n{\"id\":\"\\ud800\"}\n{\"id\":\"4\"}";
    let loader = Loader::of("a.jsonl", text)?.most_rejects(4);
    let loaded = loader.load()?;
    assert_eq!((loaded.rows_read, loaded.rows_rejected), (6, 4));
    assert_eq!(loader.table("id")?.1, [row(["1"]), row(["4"])]);
    let rejects = loader.rejects()?;
    let lines: Vec<&str> = rejects.iter().map(|row| row[0].as_deref().unwrap()).collect();
    assert_eq!(lines, ["2", "4", "5", "6"]);
    assert_eq!(rejects[2], row(["5", "id", "{\"id\":2,\"id\":3}", "has the key twice"]));
    Ok(())
}

#[test]
fn one_more_than_allowed_fails_the_table() -> Result<()> {
    let text = "id,t\n1\n2\n3,a\n";
    let loaded = Loader::of("a.csv", text)?.most_rejects(2).load()?;
    assert_eq!(loaded.rows_rejected, 2);
    let refused = Loader::of("a.csv", text)?.most_rejects(1).refused()?;
    assert!(refused.contains("a.csv, line 3: has 1 field instead of 2; more than 1 line is"), "{refused}");
    let chosen = Loader::of("a.csv", "id,t\n1,x\n2,y\n3,1\n")?.schema("[columns]\nid=\"int\"\nt=\"int\"")?;
    let refused = chosen.most_rejects(1).refused()?;
    assert!(refused.contains("a.csv, line 3, column \"t\": the value is no int"), "{refused}");
    Ok(())
}

#[test]
fn when_every_line_is_bad_it_is_probably_another_format() -> Result<()> {
    for (name, text) in [("a.jsonl", "a,b\n1,2\n"), ("a.csv", "a\nx,y\nz,w\n")] {
        for loader in [Loader::of(name, text)?, Loader::of(name, text)?.most_rejects(10)] {
            let refused = loader.refused()?;
            assert!(refused.contains("every line is bad") && refused.contains(name), "{refused}");
        }
    }
    Ok(())
}

#[test]
fn when_most_lines_are_bad_somebody_has_to_allow_it() -> Result<()> {
    let typed = "[columns]\nid = \"int\"\nt = \"int\"";
    for (name, half, more, schema) in [
        ("a.csv", "id,t\n1,2\n3\n", "4\n", ""),
        ("a.csv", "id,t\n1,2\nx,2\n", "y,2\n", typed),
        ("a.jsonl", "{\"id\":1}\n1\n", "2\n", ""),
        ("a.json", "{\"id\":1}\n{\n", "\"id\":1\n", ""),
    ] {
        assert_eq!(Loader::of(name, half)?.schema(schema)?.load()?.rows_rejected, 1, "{half}");
        let text = format!("{half}{more}");
        let refused = Loader::of(name, &text)?.schema(schema)?.refused()?;
        for told in ["2 of 3 lines are bad", name, "line ", "probably of another format", "--rejects"] {
            assert!(refused.contains(told), "{refused}");
        }
        assert_eq!(Loader::of(name, &text)?.schema(schema)?.most_rejects(2).load()?.rows_rejected, 2, "{text}");
    }
    Ok(())
}

#[test]
fn a_json_array_is_refused_however_it_is_written() -> Result<()> {
    let long = format!("[{}{{\"a\":1}}]", "{\"a\":1},".repeat(4 << 20));
    for text in ["[\n{\"a\":1},\n{\"a\":2}\n]\n", "\u{feff} \n\t[{\"a\":1}]", "[]", &long] {
        let refused = Loader::of("a.json", text)?.most_rejects(1000).refused()?;
        assert!(refused.contains("a.json: it begins with \"[\"") && refused.contains("jq -c '.[]'"), "{refused}");
    }
    Ok(())
}

#[test]
fn what_is_nested_too_deep_is_a_bad_line() -> Result<()> {
    let nested = |open: &str, close: &str, levels: usize| format!("{}1{}", open.repeat(levels), close.repeat(levels));
    let quoted = format!("\"\\\"{}\"", "[".repeat(1000));
    for (deep, fits) in [
        (nested("[", "]", 64), nested("[", "]", 63)),
        (nested("{\"a\":", "}", 64), nested("{\"a\":", "}", 63)),
        (nested("[", "]", 100_000), quoted),
        (nested("[{\"a\":", "}]", 350), "[[1],[2]]".to_owned()),
        ("[".repeat(1_000_000), "[[]]".to_owned()),
    ] {
        let text = format!("{{\"id\":1,\"v\":{fits}}}\n{{\"id\":2,\"v\":{deep}}}\n");
        for schema in ["", "[columns]\nid = \"int\"\nv = \"varchar\""] {
            let loader = Loader::of("a.jsonl", &text)?.schema(schema)?;
            assert_eq!(loader.load()?.rows_rejected, 1, "{fits}");
            let rejects = loader.rejects()?;
            assert_eq!(rejects[0][0].as_deref(), Some("2"));
            assert_eq!(rejects[0][3].as_deref(), Some("is nested deeper than 64 levels"));
        }
    }
    Ok(())
}

#[test]
fn what_has_no_columns_is_refused() -> Result<()> {
    for (name, bytes, told) in [
        ("a.csv", &b""[..], "the file is empty"),
        ("a.jsonl", b"", "the file is empty"),
        ("a.csv", b"\n\n", "there is no line in it"),
        ("a.jsonl", b"{}\n", "no line has a key"),
        ("a.csv", b"\xff\xfea\0", "UTF-16"),
        ("a.csv", b"a\xff,b\n", "the first line is not UTF-8"),
        ("a.xlsx", b"PK", "the ending does not say"),
        ("a.parquet", b"PAR1 no", "is no Parquet file"),
    ] {
        let refused = Loader::of(name, bytes)?.refused()?;
        assert!(refused.contains(name) && refused.contains(told), "{name}: {refused}");
    }
    Ok(())
}

#[test]
fn lines_that_a_quote_has_swallowed_are_told() -> Result<()> {
    let loader = Loader::of("a.csv", "id,t\n1,\"a\n2,b\n3,\"c\n4,d\n")?;
    assert_eq!(loader.load()?.rows_rejected, 1);
    let text = "1,\"a\n2,b\n3,\"c";
    assert_eq!(loader.rejects()?, [row(["2", "NULL", text, "has text after a closing quote (in the lines 2 to 4)"])]);
    let refused = Loader::of("a.csv", "id,t\n1,a\n2,\"b\n3,c\n4,d\n")?.refused()?;
    assert!(refused.contains("a quote that opens in line 3 is not closed before the end"), "{refused}");
    Ok(())
}

#[test]
fn a_quote_that_is_never_closed_does_not_fill_the_memory() -> Result<()> {
    let mut text = "a,b\n1,2\n3,\"".to_owned();
    text.push_str(&"x".repeat(40 << 20));
    let refused = Loader::of("a.csv", text)?.refused()?;
    assert!(refused.contains("the record that begins in line 3 is longer than 32 MiB"), "{refused}");
    Ok(())
}
