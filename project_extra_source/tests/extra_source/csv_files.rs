//! CSV comes back as it was.

use crate::loader::{Loader, row};
use anyhow::{Result, ensure};
use project_test_servers::python::interpreter;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest};
use std::fs::{File, read, write};
use std::process::Command;
use tempfile::tempdir;

const TYPES: &str = "id,zip,price,big,flag,day,at,utc,rate,empty\n\
    1,01234,12.50,99999999999999999999,true,2026-01-31,2026-01-31 10:00:00.123456,2026-01-31T10:00:00+02:00,1e-3,\n\
    -2,98765,1000.005,1,false,,,,2.5,\n";

#[test]
fn types_are_the_narrowest_that_give_every_value_back() -> Result<()> {
    let loader = Loader::of("a.csv", TYPES)?;
    let loaded = loader.load()?;
    let kinds: Vec<String> = loaded.columns.iter().map(|column| column.kind.to_string()).collect();
    let expected = [
        "bigint",
        "varchar",
        "decimal(7,3)",
        "decimal(20,0)",
        "boolean",
        "date",
        "timestamp",
        "timestamptz",
        "double",
        "varchar",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(loaded.notes.len(), 1, "{:?}", loaded.notes);
    assert!(loaded.notes[0].contains("\"at\": 1 timestamps were cut"), "{:?}", loaded.notes);
    let (columns, rows) = loader.table("id")?;
    assert_eq!(columns[6..8], ["at:timestamp[ms]", "utc:timestamp[ms, tz=UTC]"]);
    let second = [
        "1",
        "01234",
        "12.500",
        "99999999999999999999",
        "true",
        "2026-01-31",
        "2026-01-31 10:00:00.123000",
        "2026-01-31 08:00:00.000000",
        "0.001",
        "NULL",
    ];
    assert_eq!(rows[0], row(["-2", "98765", "1000.005", "1", "false", "NULL", "NULL", "NULL", "2.5", "NULL"]));
    assert_eq!(rows[1], row(second));
    Ok(())
}

#[test]
fn microseconds_are_kept_on_demand() -> Result<()> {
    let loader = Loader::of("a.csv", "at\n2026-01-31 10:00:00.123456\n2026-01-31 10:00:00.1234567\n")?.micros();
    let notes = loader.load()?.notes;
    assert_eq!(notes, ["column \"at\": 1 timestamps were cut to microseconds"]);
    let (columns, rows) = loader.table("at")?;
    assert_eq!(columns, ["at:timestamp[us]"]);
    assert_eq!(rows, [row(["2026-01-31 10:00:00.123456"]), row(["2026-01-31 10:00:00.123456"])]);
    Ok(())
}

#[test]
fn one_value_in_the_last_line_decides() -> Result<()> {
    let mut text = "id,code\n".to_owned();
    (0..100_000).for_each(|id| text.push_str(&format!("{id},{id}\n")));
    text.push_str("100000,x");
    let loader = Loader::of("a.csv", &text)?;
    let loaded = loader.load()?;
    assert_eq!((loaded.rows_read, loaded.columns[1].kind.to_string().as_str()), (100_001, "varchar"));
    Ok(())
}

#[test]
fn breaks_marks_and_blank_lines() -> Result<()> {
    for text in [
        "\u{feff}id,t\r\n1,\"a\r\nb\"\r\n\r\n2,c",
        "\u{feff}\"id\",t\n1,\"a\r\nb\"\n\n\n2,c\n",
        "\n\nid,t\r1,\"a\r\nb\"\r2,c\r",
    ] {
        let loader = Loader::of("a.csv", text)?;
        loader.load()?;
        let (columns, rows) = loader.table("id")?;
        assert_eq!(columns, ["id:int64", "t:string"], "{text:?}");
        assert_eq!(rows, [row(["1", "a\r\nb"]), row(["2", "c"])], "{text:?}");
    }
    Ok(())
}

#[test]
fn a_header_alone_is_a_table_without_rows() -> Result<()> {
    for text in ["a,b\n", "a,b", "a,b\r\n\r\n"] {
        let loader = Loader::of("a.csv", text)?;
        let loaded = loader.load()?;
        assert_eq!((loaded.files.len(), loaded.files[0].rows), (1, 0));
        assert_eq!(loader.table("a")?.0, ["a:string", "b:string"]);
    }
    Ok(())
}

#[test]
fn names_are_those_of_the_lake_and_told_when_they_fall_together() -> Result<()> {
    let loader = Loader::of("a.csv", "Order ID,,naïve\n1,2,3\n")?;
    loader.load()?;
    assert_eq!(loader.table("order_id")?.0, ["order_id:int64", "column_2:int64", "na_ve:int64"]);
    let refused = Loader::of("a.csv", "a,b,a\n1,2,3\n")?.refused()?;
    assert!(refused.contains("a.csv: two columns are called \"a\""), "{refused}");
    let refused = Loader::of("a.csv", "A b,a_b\n1,2\n")?.refused()?;
    assert!(refused.contains("\"A b\" and \"a_b\" are both \"a_b\""), "{refused}");
    Ok(())
}

#[test]
fn several_windows_keep_rows_and_lines() -> Result<()> {
    let mut text = "id,t\n".to_owned();
    let filler = "x".repeat(700);
    (0..20_000).for_each(|id| text.push_str(&format!("{id},\"{filler}\n{id}\"\n")));
    text.push_str("1,2,3\n");
    let loader = Loader::of("a.csv", &text)?;
    let loaded = loader.load()?;
    assert_eq!((loaded.rows_read, loaded.rows_rejected), (20_001, 1));
    assert_eq!(loader.rejects()?, [row(["40002", "NULL", "1,2,3", "has 3 fields instead of 2"])]);
    Ok(())
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}",
        "[ ,;\"'\\\\\r\n\té日😀x]{1,8}",
        any::<i64>().prop_map(|number| number.to_string()),
        proptest::collection::vec(any::<char>(), 1..6).prop_map(|characters| characters.into_iter().collect()),
    ]
}

fn written_by_python(rows: &[Vec<String>]) -> Result<Vec<u8>> {
    let script = "import csv, json, sys\n\
        rows = json.loads(sys.stdin.read())\n\
        writer = csv.writer(open(sys.argv[1], 'w', newline='', encoding='utf-8'))\n\
        writer.writerows(rows)\n";
    let folder = tempdir()?;
    let (input, output) = (folder.path().join("in.json"), folder.path().join("out.csv"));
    write(&input, serde_json::to_vec(rows)?)?;
    let mut python = Command::new(interpreter()?);
    let done = python.args(["-c", script]).arg(&output).stdin(File::open(&input)?).status()?;
    ensure!(done.success(), "Python writes CSV");
    Ok(read(&output)?)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn what_python_writes_comes_back(cells in proptest::collection::vec((cell(), cell()), 1..40)) {
        let mut rows = vec![vec!["n".to_owned(), "a".to_owned(), "b".to_owned()]];
        let numbered = cells.iter().enumerate();
        rows.extend(numbered.map(|(n, (a, b))| vec![format!("r{n:05}"), format!("{a}\u{1}"), b.clone()]));
        let loader = Loader::of("a.csv", written_by_python(&rows).unwrap()).unwrap().schema("[columns]\nn=\"varchar\"\na=\"varchar\"\nb=\"varchar\"\n").unwrap();
        let loaded = loader.load().unwrap();
        prop_assert_eq!(loaded.rows_rejected, 0);
        let (_, found) = loader.table("n").unwrap();
        let expected: Vec<Vec<Option<String>>> =
            rows[1..].iter().map(|row| row.iter().cloned().map(Some).collect()).collect();
        prop_assert_eq!(found, expected);
    }
}
