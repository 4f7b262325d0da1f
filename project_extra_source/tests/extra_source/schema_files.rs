//! What a schema file chooses.

use crate::loader::{Loader, row};
use anyhow::Result;

#[test]
fn delimiter_null_and_names_of_a_file_without_header() -> Result<()> {
    let schema = "format = \"csv\"\ndelimiter = \";\"\nheader = false\nnull = \"\\\\N\"\n\
                  [columns]\nZip = \"varchar\"\nid = \"bigint\"\nday = \"date\"\n";
    let loader = Loader::of("data.txt", "01234;1;\\N\n\\N;2;2026-01-31\n")?.schema(schema)?;
    loader.load()?;
    let (columns, rows) = loader.table("id")?;
    assert_eq!(columns, ["zip:string", "id:int64", "day:date32[day]"]);
    assert_eq!(rows, [row(["01234", "1", "NULL"]), row(["NULL", "2", "2026-01-31"])]);
    Ok(())
}

#[test]
fn types_are_inferred_when_it_names_none() -> Result<()> {
    let loader = Loader::of("a.tsv", "1\tx y\n2\tz\n")?.schema("header = false")?;
    loader.load()?;
    assert_eq!(loader.table("column_1")?.0, ["column_1:int64", "column_2:string"]);
    Ok(())
}

#[test]
fn it_names_the_columns_of_the_file_and_no_others() -> Result<()> {
    let text = "id,t\n1,a\n";
    for (schema, told) in [
        ("[columns]\nid = \"int\"", "a.csv: the schema file does not name the column \"t\""),
        ("[columns]\nid = \"int\"\nt = \"varchar\"\nu = \"int\"", "a.csv: there is no column \"u\""),
        ("header = false\n[columns]\nid = \"int\"", "the first line has 2 fields, the schema file names 1 column"),
    ] {
        let refused = Loader::of("a.csv", text)?.schema(schema)?.refused()?;
        assert!(refused.contains(told), "{schema}: {refused}");
    }
    Ok(())
}
