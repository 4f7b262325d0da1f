//! CSV files: what the server's parser makes of them, and what is said of bad ones.

use crate::fixture::{Fixture, figures, insertion};
use anyhow::Result;
use arrow::datatypes::DataType;
use project_insert_data::InsertErrorKind::Data;
use project_insert_data::Mode;

const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, name text, amount numeric(6,2), day date)";

#[test]
fn null_and_empty_text_are_told_apart_and_lines_may_end_in_both_ways() -> Result<()> {
    let fixture = Fixture::new(TABLE)?;
    let text =
        "\u{feff}\"id\",name,day,amount\r\n1,,2026-01-02,1.5\r\n2,\"\",,\r\n3,\"a,\"\"b\"\"\r\nc\",infinity,NaN\r\n";
    assert_eq!(figures(&fixture.insert(Mode::Insert, fixture.csv("a.csv", text)?)?), [3, 3, 0, 0, 0, 0]);
    let rows = fixture.rows("SELECT id, name, amount, day FROM t ORDER BY id")?;
    assert_eq!(rows, "1,~,1.50,2026-01-02;2,,~,~;3,a,\"b\"\r\nc,NaN,infinity");
    Ok(())
}

#[test]
fn files_of_several_pieces_and_members_arrive_whole() -> Result<()> {
    let fixture = Fixture::new(TABLE)?;
    let rows = 200_000;
    let mut text = "id,name\n".to_owned();
    (0..rows).for_each(|id| text += &format!("{id},\"name\n{id}\"\n"));
    assert_eq!(fixture.insert(Mode::Insert, fixture.csv("a.csv.gz", &text)?)?.inserted, rows);
    // What `cat a.gz b.gz` gives.
    let first = std::fs::read(fixture.csv("b.csv.gz", "id,name\n-1,a\n")?.path)?;
    let second = std::fs::read(fixture.csv("c.csv.gz", "-2,b\n")?.path)?;
    let both = fixture.csv("both", [first, second].concat())?;
    assert_eq!(fixture.insert(Mode::Insert, both)?.inserted, 2);
    assert_eq!(
        fixture.rows("SELECT count(*), sum(id), max(name) FROM t")?,
        format!("{},{},name\n99999", rows + 2, 19_999_900_000i64 - 3)
    );
    Ok(())
}

#[test]
fn a_header_that_does_not_fit_is_refused_with_all_that_is_wrong() -> Result<()> {
    let fixture = Fixture::new(
        "CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL, b text NOT NULL DEFAULT '', g int GENERATED ALWAYS AS (id) STORED)",
    )?;
    for (text, words) in [
        ("id,nmae\n1,canary\n", &["\"nmae\"", "lacks \"a\"", "NOT NULL"][..]),
        ("id,a,a\n1,canary,canary\n", &["\"a\" comes twice"]),
        ("a,g\ncanary,1\n", &["\"g\" is generated", "lacks \"id\""]),
        ("canary,1\ncanary,2\n", &["none of its column names", "header"]),
        ("id,a,\n1,canary,1\n", &["without a name"]),
        ("id,\"a\n1,canary", &["does not end"]),
        ("", &["is empty"]),
    ] {
        fixture.refuses(&insertion(Mode::Upsert, fixture.csv("a.csv", text)?), Data, words)?;
    }
    Ok(())
}

#[test]
fn a_bad_value_is_named_by_line_and_column_and_not_shown() -> Result<()> {
    let fixture = Fixture::new(TABLE)?;
    for (text, words) in [
        ("id,name\n1,a\n2,\"b\nb\"\ncanary,c\n", &["line 5", "a.csv", "column \"id\"", "22P02"][..]),
        ("id,name\n1,\"a\n\nb\"\n\n2,b\n", &["line 5 of a.csv is blank"]),
        ("id,name\r\n1,a\r\n\r\n", &["line 3 of a.csv is blank"]),
        ("id,day\n1,01/02/2026\n", &["line 2", "\"day\"", "22008"]),
        ("id,day\n1,canary\n", &["line 2", "\"day\"", "22007"]),
        ("id,name\n1,a\n2\n", &["line 3", "too few or too many fields", "22P04"]),
        ("id,name\n1,a,canary\n", &["line 2", "22P04"]),
        ("id,name\n1,\"canary\n2,b\n", &["22P04"]),
        ("id,name\n99999999999,a\n", &["line 2", "\"id\"", "22003"]),
        ("id,amount\n1,1.005\n2,3\n", &["1 value,", "row 1 of a.csv", "\"amount\"", "numeric(6,2)"]),
        ("id,amount\n1,12345.00\n", &["1 value,", "\"amount\""]),
        ("id,name\n1,a\n\\.\n2,b\n", &["2 lines", "3 rows"]),
        ("id,name\n,a\n,b\n3,c\n", &["NULL in the key", "in 2 rows"]),
        ("id,name\n1,a\n1,b\n2,b\n2,c\n3,d\n", &["2 keys", "more than once"]),
    ] {
        let words = if text.contains("\\.") { &["rows, and the server has found", "\\."][..] } else { words };
        fixture.refuses(&insertion(Mode::Upsert, fixture.csv("a.csv", text)?), Data, words)?;
    }
    for bytes in [&b"id,name\n1,\xff\n"[..], b"id,name\n1,a\0b\n"] {
        fixture.refuses(&insertion(Mode::Upsert, fixture.csv("a.csv", bytes)?), Data, &["line 2", "UTF-8", "22021"])?;
    }
    Ok(())
}

#[test]
fn a_blank_line_is_a_null_where_there_is_one_column() -> Result<()> {
    let fixture = Fixture::new("CREATE TABLE t (n int)")?;
    assert_eq!(fixture.insert(Mode::Replace, fixture.csv("a.csv", "n\n1\n\n3\n")?)?.inserted, 3);
    assert_eq!(fixture.rows("SELECT count(*), count(n) FROM t")?, "3,2");
    Ok(())
}

#[test]
fn a_cut_gzip_file_is_not_taken_for_a_short_one() -> Result<()> {
    let fixture = Fixture::new(TABLE)?;
    let whole = fixture.csv("a.csv.gz", "id,name\n1,a\n2,b\n")?;
    let bytes = std::fs::read(&whole.path)?;
    std::fs::write(&whole.path, &bytes[..bytes.len() - 6])?;
    let error = fixture.insert(Mode::Insert, whole).unwrap_err();
    assert!(error.to_string().contains("a.csv.gz cannot be read"), "{error}");
    Ok(())
}

#[test]
fn types_that_are_known_of_a_csv_file_are_checked_like_those_of_parquet() -> Result<()> {
    let fixture = Fixture::new(TABLE)?;
    let mut file = fixture.csv("a.csv", "id,amount\n1,0.5\n")?;
    file.declared = Some(vec![("id".to_owned(), DataType::Int64), ("amount".to_owned(), DataType::Float64)]);
    fixture.refuses(&insertion(Mode::Upsert, file), Data, &["\"amount\" is FLOAT64", "no exact decimal"])?;
    Ok(())
}

#[test]
fn several_files_are_one_input() -> Result<()> {
    let fixture = Fixture::new(TABLE)?;
    let mut both = insertion(Mode::Insert, fixture.csv("a.csv", "id,name\n1,a\n")?);
    both.files.push(fixture.csv("b.csv.gz", "name,id\nb,2\n")?);
    assert_eq!(fixture.run(&both)?.inserted, 2);
    both.files.push(fixture.csv("c.csv", "id\n3\n")?);
    fixture.refuses(&both, Data, &["a.csv and c.csv have different columns"])?;
    both.files[2] = fixture.csv("c.csv", "id,name\n1,again\n")?;
    fixture.refuses(&both, Data, &["1 key "])?;
    Ok(())
}
